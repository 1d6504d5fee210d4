"""What script_resources.py and plan_resources.py share: the form in which both describe a resource."""
import re


def one(value):
    """The block of a list of one block."""
    return value[0] if isinstance(value, list) and value else value or {}


def short(text):
    return text.rsplit('/', 1)[-1]


def strip(value):
    """Without empty values, which only one of the two sides may have."""
    if isinstance(value, dict):
        return {k: strip(v) for k, v in value.items() if v not in (None, [], {}, '')}
    return [strip(v) for v in value] if isinstance(value, list) else value


def camel(value):
    """The keys in camelCase, as in the API."""
    if isinstance(value, dict):
        head = lambda k: k.split('_')[0] + ''.join(part.title() for part in k.split('_')[1:])
        return {head(k): camel(v) for k, v in value.items()}
    return [camel(v) for v in value] if isinstance(value, list) else value


def upstream(config):
    """The address of a remote repository."""
    return one(one(config).get('commonRepository')).get('uri')


def unfiled(labels):
    """Without the checksum of its file, which only deploy.sh needs."""
    return {name: value for name, value in labels.items() if name != 'file'}


def host(name):
    """The address of the load balancer is unknown in a plan."""
    return 'address' if name is None or re.fullmatch(r'[\d.]+', name) else name


def condition_of(value):
    """The condition of an alert. The filter with the address is unknown in a plan."""
    threshold = value.get('conditionThreshold', {})
    if re.search(r'one_of\("[\d.]+"\)', threshold.get('filter', '')):
        value = {**value, 'conditionThreshold': {k: v for k, v in threshold.items() if k != 'filter'}}
    return value


def probe(p):
    return {'path': p['httpGet']['path'], **{k: p[k] for k in ('periodSeconds', 'timeoutSeconds', 'failureThreshold')}}


def fields(value, path=''):
    """Each value that is not an object, by its path. A list of objects has the indexes in the path."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return {path: value}
    return {p: v for k, item in value.items() for p, v in fields(item, f'{path}.{k}' if path else str(k)).items()}


def differences(script, terraform):
    """All differences between the resources of the two sides, a line each."""
    lines = []
    for key in sorted({*script, *terraform}, key=str):
        name = ' '.join(key)
        if key not in terraform:
            lines.append(f'{name}: only the script creates it')
        elif key not in script:
            lines.append(f'{name}: only the module creates it')
        else:
            ours, theirs = fields(script[key]), fields(terraform[key])
            lines += [f'{name}: {path or "value"} is {ours.get(path)!r} in the script and {theirs.get(path)!r} in the module'
                      for path in sorted({*ours, *theirs}) if ours.get(path) != theirs.get(path)]
    return lines
