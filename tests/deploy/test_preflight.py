"""What a deployment needs is checked before the first change."""
import re

from support import DeployTest, changes

# Each makes a project that a deployment does not fit, and what the script says about it.
OBSTACLES = {
    'gcloud billing projects unlink my-project': 'billing: it is not enabled',
    'gcloud resource-manager org-policies enable-enforce storage.publicAccessPrevention --project=my-project': 'organization policy storage.publicAccessPrevention',
    'gcloud resource-manager org-policies allow iam.allowedPolicyMemberDomains C0abc --project=my-project': 'organization policy iam.allowedPolicyMemberDomains',
    'gcloud resource-manager org-policies allow gcp.resourceLocations in:eu-locations --project=my-project': 'organization policy gcp.resourceLocations: it does not allow us-central1',
}


class Preflight(DeployTest):
    def test_every_obstacle_is_reported_before_the_first_change(self):
        lines = [f'{command} >/dev/null 2>&1' for command in OBSTACLES]
        denied = {'DENIED_PERMISSIONS': 'run.services.setIamPolicy,pubsub.topics.setIamPolicy'}
        run = self.run_clean('\n'.join([*lines, 'deploy/deploy.sh; echo "CODE $?"']), denied)
        self.assertIn('CODE 1', run.script_output)
        for message in [*OBSTACLES.values(), 'permissions: you lack pubsub.topics.setIamPolicy run.services.setIamPolicy']:
            self.assertIn(message, run.script_output)
        start = next(i for i, r in enumerate(run.requests) if r.get('api') == 'serviceusage.services.list')
        self.assertEqual([(r['api'], r['path']) for r in changes(run.requests[start:]) if not re.search('OrgPolicy$', r['api'])], [])

    def test_policies_that_allow_the_deployment_are_no_obstacle(self):
        allowed = ['gcp.resourceLocations in:us-locations in:eu-locations']
        lines = [f'gcloud resource-manager org-policies allow {policy} --project=my-project >/dev/null 2>&1' for policy in allowed]
        run = self.run_clean('\n'.join([*lines, 'deploy/deploy.sh --plan']), {})
        self.assertNotIn('organization policy', run.script_output)
        self.assertIn('  + dataset parsed_pixel in US', run.script_output)
