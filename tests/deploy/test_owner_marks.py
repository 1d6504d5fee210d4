"""Resources of Pub/Sub, logging, storage and the load balancer that belong to something else, or have no mark."""
import re

from support import EVERYTHING, DeployTest, Run, changes

# A website with a shop: it uses the names of this pipeline for its own things.
WEBSITE = r'''
set -e
gcloud services enable compute.googleapis.com logging.googleapis.com pubsub.googleapis.com storage.googleapis.com run.googleapis.com
gcloud storage buckets create gs://website --location=EU
gcloud storage buckets create gs://my-project-pixel --location=EU
gcloud storage buckets create gs://my-project-pixel-archive --location=EU
gcloud compute backend-buckets create pixel --gcs-bucket-name=website
gcloud compute url-maps create pixel --global --default-backend-bucket=pixel
gcloud compute addresses create pixel --global
gcloud compute target-http-proxies create pixel-http --global --url-map=pixel
gcloud compute forwarding-rules create pixel-http --global --load-balancing-scheme=EXTERNAL_MANAGED --address=pixel --ports=80 --target-http-proxy=pixel-http
gcloud compute ssl-certificates create pixel-track-example-com --global --domains=www.example.com --description='of the website'
gcloud compute target-https-proxies create pixel-https --global --url-map=pixel --ssl-certificates=pixel-track-example-com
gcloud compute forwarding-rules create pixel-https --global --load-balancing-scheme=EXTERNAL_MANAGED --address=pixel --ports=443 --target-https-proxy=pixel-https
gcloud logging sinks create pixel storage.googleapis.com/website --log-filter='severity>=ERROR'
gcloud logging sinks create pixel-archive storage.googleapis.com/website --log-filter='severity>=ERROR'
gcloud logging sinks update _Default --add-exclusion='name=pixel,filter=severity<INFO'
gcloud pubsub topics create pixel
gcloud pubsub topics create pixel-dead-letter --labels=pipeline=other
gcloud pubsub subscriptions create pixel-push --topic=pixel --push-endpoint=https://website.example.com/
gcloud pubsub subscriptions create pixel-dead-letter --topic=pixel
set +e
echo WEBSITE
'''
FOREIGN = '''topic/pixel topic/pixel-dead-letter subscription/pixel-dead-letter subscription/pixel-push bucket/my-project-pixel
bucket/my-project-pixel-archive sink/pixel sink/pixel-archive exclusion/pixel backend-bucket/pixel url-map/pixel address/pixel
http-proxy/pixel-http https-proxy/pixel-https forwarding-rule/pixel-http forwarding-rule/pixel-https
certificate/pixel-track-example-com'''.split()


def after(run, api):
    """The changes after the last successful call of that method."""
    last = max(i for i, r in enumerate(run.requests) if r.get('api') == api and r['status'] < 300)
    return [(r['api'], r['path']) for r in changes(run.requests[last + 1:])]


class Foreign(DeployTest):
    def test_foreign_resources_are_listed_and_never_changed(self):
        run = Run(WEBSITE + 'deploy/deploy.sh; deploy/destroy.sh --delete-data', EVERYTHING)
        output = run.script_output.split('WEBSITE\n')[1]
        deploy, destroy = re.split('(?m)^Reading the state.*$', output)[1:]
        self.assertEqual(after(run, 'pubsub.projects.subscriptions.create'), [], output)
        self.assertRegex(deploy, 'error: cannot deploy to my-project. Nothing was changed.')
        listed = set(re.findall(r'(?m)^  ([a-z-]+/\S+)$', deploy))
        self.assertEqual(listed, set(FOREIGN), output)
        self.assertIn('ADOPT=', deploy)
        self.assertIn('PIPELINE=', deploy)
        # destroy.sh looks for certificates by their mark, not by their name.
        listed = set(re.findall(r'(?m)^  ([a-z-]+/\S+)$', destroy))
        self.assertEqual(listed, set(FOREIGN) - {'certificate/pixel-track-example-com'}, output)

    def test_names_that_the_settings_do_not_need_are_free(self):
        needed = r'^gcloud (compute (backend|url|addr|target-http-|forwarding-rules create pixel-http )|pubsub|storage buckets create gs://my-project-pixel |logging sinks create pixel )'
        website = '\n'.join(line for line in WEBSITE.splitlines() if not re.match(needed, line) and 'pixel-https' not in line)
        run = self.run_clean(website + '\ndeploy/deploy.sh && deploy/destroy.sh', {'EXCLUDE_FROM_DEFAULT': 'false', 'IMAGE': 'a/b'})
        for left in 'pixel-archive', 'pixel-track-example-com':
            self.assertRegex(run.resources, f'(?m) {left} .*(website|www)')


class Marks(DeployTest):
    def test_every_resource_is_marked_when_it_is_created(self):
        run = self.run_clean('deploy/deploy.sh', {**EVERYTHING, 'IMAGE': 'us-docker.pkg.dev/a/b/c'})
        kinds = ('compute.', 'logging.projects.sinks.create', 'pubsub.', 'storage.buckets.insert')
        created = [r for r in changes(run.requests) if r['api'].startswith(kinds) and r['api'].endswith(('insert', 'create'))]
        self.assertEqual(len(created), 16, [r['path'] for r in created])
        for request in created:
            body = request['body']
            self.assertTrue(body.get('description') == 'pixel-pipeline pixel' or body.get('labels') == {'pipeline': 'pixel'}, request)
        exclusions = [r['body']['exclusions'] for r in run.requests if r['api'] == 'logging.projects.sinks.patch' and r['path'].endswith('_Default')]
        self.assertEqual([e['description'] for e in exclusions[-1]], ['pixel-pipeline pixel'])

    def test_resources_without_marks_of_an_earlier_version_are_taken_over(self):
        unmark = r'''
          for resource in urlMaps/pixel targetHttpProxies/pixel-http targetHttpsProxies/pixel-https \
              forwardingRules/pixel-http forwardingRules/pixel-https backendBuckets/pixel; do
            curl -sS -o /dev/null -X PATCH -H 'Content-Type: application/json' -d '{"description": ""}' "http://compute.googleapis.com/compute/v1/projects/my-project/global/$resource"
          done
          gcloud logging sinks update pixel --description= && gcloud logging sinks update pixel-archive --description=
          gcloud logging sinks update _Default --update-exclusion='name=pixel,description='
          for bucket in my-project-pixel my-project-pixel-archive; do
            curl -sS -o /dev/null -X PATCH -H 'Content-Type: application/json' -d '{"labels": {}}' "http://storage.googleapis.com/storage/v1/b/$bucket"
          done
        '''
        run = self.run_clean(f'deploy/deploy.sh && {{ {unmark} }} && echo UPGRADE && deploy/deploy.sh && deploy/deploy.sh && {{ {unmark} }} && echo DESTROY && deploy/destroy.sh --delete-data',
                             {**EVERYTHING, 'IMAGE': 'a/b'})
        upgrade, destroy = re.search('UPGRADE\n(.*)DESTROY\n(.*)', run.script_output, re.S).groups()
        self.assertEqual(set(re.findall(r'(?m)^  (. (?:sink|exclusion|bucket|backend bucket) \S+)', upgrade)),
                         {'~ sink pixel', '~ sink pixel-archive', '~ exclusion pixel', '~ backend bucket pixel',
                          '~ bucket gs://my-project-pixel', '~ bucket gs://my-project-pixel-archive'})
        self.assertIn('No changes.', upgrade)
        self.assertNotIn('They stay', destroy)
        self.assertEqual({line.split()[0] for line in re.findall(r'(?m)^\w+(?:/\w+)?  .*', run.resources)}, {'services', 'bigquery/jobs'})
