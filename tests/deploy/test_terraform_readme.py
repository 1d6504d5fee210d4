"""The tables of inputs, outputs, resources and versions in the README of the Terraform module are those of its code.

After a change: UPDATE_README=1 python3 -m unittest discover -s tests/deploy -p test_terraform_readme.py
"""
import os
import re
import unittest

from support import ROOT

MODULE = ROOT / 'deploy/terraform'
README = MODULE / 'README.md'
COMMAND = 'UPDATE_README=1 python3 -m unittest discover -s tests/deploy -p test_terraform_readme.py'
BEGIN, END = '<!-- generated: begin -->', '<!-- generated: end -->'


def blocks(kind):
    """Name and content of each block of that kind, in the order of the files. The files are formatted by `terraform fmt`."""
    for file in sorted(MODULE.glob('*.tf')):
        yield from re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', file.read_text(), re.S | re.M)


def argument(block, name):
    """The text of an argument of one line; None if the block does not have it."""
    found = re.search(rf'^  {name} += (.*)$', block, re.M)
    return found and found[1]


def text(block):
    """The description. A table of Markdown cannot contain |."""
    description = argument(block, 'description')
    if not description:
        raise AssertionError(f'a description is missing: {block}')
    return description.strip('"').replace('\\"', '"').replace('|', '\\|')


def generated():
    lines = ['## Inputs', '', '| name | description | type | default |', '|---|---|---|---|']
    for name, block in blocks('variable'):
        default = argument(block, 'default')
        lines.append(f'| `{name}` | {text(block)} | `{argument(block, "type")}` | {f"`{default}`" if default else "required"} |')
    lines += ['', '## Outputs', '', '| name | description |', '|---|---|']
    lines += [f'| `{name}` | {text(block)} |' for name, block in sorted(blocks('output'))]
    versions = (MODULE / 'versions.tf').read_text()
    lines += ['', '## Versions', '', '| name | version |', '|---|---|',
              f'| Terraform | `{re.search("required_version = .(.*).$", versions, re.M)[1]}` |']
    lines += [f'| {source} | `{version}` |' for source, version in re.findall(r'source +?= "(.*?)"\n +version = "(.*?)"', versions)]
    return '\n'.join(lines)


class Readme(unittest.TestCase):
    maxDiff = None

    def test_has_the_inputs_outputs_and_versions_of_the_module(self):
        expected, readme = generated(), README.read_text()
        before, found, after = re.fullmatch(rf'(.*{BEGIN}\n)(.*)(\n{END}.*)', readme, re.S).groups()
        if os.environ.get('UPDATE_README'):
            README.write_text(before + expected + after)
        else:
            self.assertEqual(found, expected, f'deploy/terraform/README.md differs from the module. Run: {COMMAND}')

    def test_the_readme_has_every_variable(self):
        names = [name for name, _ in blocks('variable')]
        self.assertGreater(len(names), 40)
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([name for name in names if f'| `{name}` |' not in README.read_text()], [])
