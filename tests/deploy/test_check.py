"""`pixel-pipeline check` passes what deploy.sh has created, and finds a mistake in every member that deploy.sh sets. The
commands that it prints fix the mistakes."""
import contextlib
import http.server
import json
import tempfile
import threading

import terraform_state

from support import EVERYTHING, ROOT, DeployTest, binary, plan

# The certificate of a domain is issued when its DNS record exists.
ISSUE = '''
python3 - <<'END'
import json, os, urllib.request
open_ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
url = os.environ['GCLOUD_RUN_STATE']
state = json.load(open_(url))['store']
issued = {key: {**value, 'managed': {**value['managed'], 'status': 'ACTIVE'}} for key, value in state.items() if '/sslCertificates/' in key}
open_(urllib.request.Request(url, json.dumps({'store': issued}).encode(), method='PUT'))
END
'''
# Replaces the state of the fake by that of a file.
PUT = 'curl --silent --show-error --fail --noproxy "*" --output /dev/null --request PUT "$GCLOUD_RUN_STATE" --data-binary @'
BREAK = '''
gcloud pubsub subscriptions update pixel-push --ack-deadline=20 --message-retention-duration=10m --push-endpoint=https://elsewhere.example.com/
gcloud compute backend-buckets update pixel --client-ttl=3600
gcloud logging sinks update pixel --log-filter='resource.type="http_load_balancer"'
gcloud logging sinks update _Default --update-exclusion='name=pixel,filter=resource.type="http_load_balancer"'
gcloud logging metrics delete pixel_inserts
gcloud run services add-iam-policy-binding pixel-pipeline --region=us-central1 --member=allUsers --role=roles/run.invoker
gcloud run services update pixel-pipeline --region=us-central1 --ingress=all --concurrency=1 --max-instances=1 --timeout=5 \
  --liveness-probe=httpGet.path=/alive --update-env-vars=PUSH_AUTH=none,PUSH_AUTH_FORCE=true
gcloud pubsub subscriptions delete pixel-dead-letter
bq --quiet --headless rm --force --table parsed_pixel.events_daily
bq --quiet --headless update --use_legacy_sql=false --view='SELECT * FROM `my-project.parsed_pixel.pixel_*`' parsed_pixel.events
'''
BROKEN = {'CDN', 'log sink', 'log exclusion', 'push subscription', 'dead-letter subscription', 'service',
          'service settings', 'unauthenticated access', 'views', 'log-based metrics'}
# Every setting of a deployment that is not the default.
OTHER = {**EVERYTHING, 'PIPELINE': 'shop', 'DATASET': 'shop_events', 'TABLE_NAME': 'hit', 'DEAD_LETTER_TABLE': 'rejected',
         'REGION': 'europe-west1', 'LOCATION': 'EU', 'CPU': '2', 'MEMORY': '1Gi', 'CONCURRENCY': '80', 'MIN_INSTANCES': '1',
         'MAX_INSTANCES': '7', 'ARCHIVE_DAYS': '30', 'EXCLUDE_FROM_DEFAULT': 'false', 'MAX_IN_FLIGHT': '300',
         'IMAGE': 'ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0', 'VALID_ATTRIBUTES': 'visitor,page', 'TABLE_SUFFIX': '_{visitor}_{date}',
         'HASH_ATTRIBUTES': 'visitor', 'HASH_USER_IDS': 'generate', 'URL_SIGNING_KEY': 'generate'}
OTHER_SCHEMA = [{'name': name, 'type': kind} for name, kind in (
    ('event_id', 'STRING'), ('event_timestamp', 'TIMESTAMP'), ('visitor', 'STRING'), ('page', 'STRING'))]


class Forbidden(http.server.BaseHTTPRequestHandler):
    """Cloud Run's answer to a request without a token."""

    def do_GET(self):
        self.send_error(403)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def cloud_run():
    """The URL of a service that refuses requests without a token."""
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Forbidden) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


class Check(DeployTest):
    def test_mistakes_are_found_and_fixed_by_the_printed_commands(self):
        with tempfile.TemporaryDirectory() as folder, cloud_run() as url:
            check = f'{binary()} check --format json'
            # The commands run as printed, one after the other. One of them can fail because another has made the resource.
            fix = '''python3 -c 'import json, sys; print("\\n".join(m for l in json.load(sys.stdin)["links"] if l["ok"] is False for m in (l["fix"] or "").split("\\n")))' '''
            run = self.run_clean(f'''
                set -e
                deploy/deploy.sh >/dev/null
                echo "### $({check} | tr '\\n' ' ')"
                {{ {BREAK} }} >/dev/null 2>&1
                broken=$({check} || true)
                echo "### $(tr '\\n' ' ' <<<"$broken")"
                {fix} <<<"$broken" >"$FIXES"
                bash -x "$FIXES" >"$FIXES.log" 2>&1 || true
                echo "### $({check} | tr '\\n' ' ')"''',
                                 {'FIXES': f'{folder}/fixes'}, ['--run-url', url])
        deployed, broken, fixed = (json.loads(part)['links'] for part in run.script_output.split('### ')[1:])
        wrong = lambda links: {link['link']: link['problem'] for link in links if link['ok'] is not True}
        self.assertGreater(len(deployed), 25)
        self.assertEqual(wrong(deployed), {})
        self.assertEqual({link['link'] for link in broken if link['ok'] is False}, BROKEN)
        self.assertEqual(wrong(fixed), {})

    def applied(self, settings):
        """What `check` finds wrong after an apply of the Terraform module: link and problem."""
        with cloud_run() as url, tempfile.NamedTemporaryFile('w', suffix='.json') as state:
            applied = terraform_state.State(plan(settings), url)
            json.dump({'store': applied.store, 'policies': applied.policies}, state)
            state.flush()
            run = self.run_clean(f'{PUT}"$STATE_FILE"; {binary()} check --format json || true', {'STATE_FILE': state.name, **settings})
        links = json.loads(run.script_output)['links']
        self.assertGreater(len(links), 25)
        return {link['link']: link['problem'] for link in links if link['ok'] is not True}

    def test_what_terraform_creates_passes(self):
        for settings in ({'DOMAIN': 'track.example.com'}, EVERYTHING):
            self.assertEqual(self.applied(settings), {})

    def planted(self, settings):
        """Plants a mistake in every member of every resource of a deployment."""
        with cloud_run() as url:
            run = self.run_clean(f'set -e; deploy/deploy.sh >/dev/null; {ISSUE} planted=$(python3 tests/deploy/plant_mistakes.py); echo "### $planted"',
                                 {'PIXEL_TEST_BINARY': binary(), **settings}, ['--run-url', url])
        result = json.loads(run.script_output.split('### ')[1])
        self.assertEqual(result['missed'], [])
        # So that the test does not pass with a deployment of nothing.
        self.assertGreater(result['resources'], 35)
        self.assertGreater(result['mistakes'], 400)

    def test_a_mistake_in_every_member_is_found(self):
        self.planted(EVERYTHING)

    def test_a_mistake_in_every_member_is_found_with_other_settings(self):
        with tempfile.NamedTemporaryFile('w', suffix='.json', dir=ROOT / 'target') as schema:
            json.dump(OTHER_SCHEMA, schema)
            schema.flush()
            self.planted({**OTHER, 'SCHEMA_FILE': schema.name})
