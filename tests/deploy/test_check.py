"""`pixel-pipeline check` passes what deploy.sh has created and finds what is broken later. The commands that it prints fix
that."""
import http.server
import json
import tempfile
import threading

from support import DeployTest, binary

BREAK = '''
gcloud pubsub subscriptions update pixel-push --ack-deadline=20 --push-endpoint=https://elsewhere.example.com/
gcloud compute backend-buckets update pixel --client-ttl=3600
gcloud logging sinks update pixel --log-filter='resource.type="http_load_balancer"'
gcloud run services add-iam-policy-binding pixel-pipeline --region=us-central1 --member=allUsers --role=roles/run.invoker
gcloud pubsub subscriptions delete pixel-dead-letter
bq --quiet --headless rm --force --table parsed_pixel.events_daily
'''
BROKEN = {'ack deadline', 'push endpoint', 'push identity', 'CDN', 'log sink', 'unauthenticated access', 'dead-letter subscription', 'views'}


class Forbidden(http.server.BaseHTTPRequestHandler):
    """Cloud Run's answer to a request without a token."""

    def do_GET(self):
        self.send_error(403)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Check(DeployTest):
    def test_broken_links_are_found_and_fixed_by_the_printed_commands(self):
        with tempfile.TemporaryDirectory() as folder, http.server.ThreadingHTTPServer(('127.0.0.1', 0), Forbidden) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            check = f'{binary()} check --format json'
            # The commands run as printed, one after the other.
            fix = '''python3 -c 'import json, sys; print("\\n".join(m for l in json.load(sys.stdin)["links"] if l["ok"] is False for m in (l["fix"] or "").split("\\n")))' '''
            run = self.run_clean(f'''
                set -e
                deploy/deploy.sh >/dev/null
                echo "### $({check} | tr '\\n' ' ')"
                {{ {BREAK} }} >/dev/null 2>&1
                broken=$({check} || true)
                echo "### $(tr '\\n' ' ' <<<"$broken")"
                {fix} <<<"$broken" >"$FIXES"
                bash -e "$FIXES" >/dev/null 2>&1
                echo "### $({check} | tr '\\n' ' ')"''',
                                 {'FIXES': f'{folder}/fixes'}, ['--run-url', f'http://127.0.0.1:{server.server_port}'])
            server.shutdown()
        deployed, broken, fixed = (json.loads(part)['links'] for part in run.script_output.split('### ')[1:])
        wrong = lambda links: {link['link'] for link in links if link['ok'] is not True}
        self.assertGreater(len(deployed), 25)
        self.assertEqual(wrong(deployed), set())
        self.assertEqual(wrong(broken), BROKEN)
        self.assertEqual(wrong(fixed), set())
