"""A build of the image uploads exactly the files that the Dockerfile copies, with each of the three ignore files."""
import re
import subprocess
import tempfile
import unittest

from support import ROOT

DOCKERFILE = (ROOT / 'Dockerfile').read_text()


def copied():
    """The tracked files that the Dockerfile copies."""
    sources = [source for line in re.findall(r'(?m)^COPY (?!--)(.*) \S+$', DOCKERFILE) for source in line.split()]
    return sorted(subprocess.run(['git', 'ls-files', '--', *sources], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def rules(path):
    return [line for line in (ROOT / path).read_text().splitlines() if line and not line.startswith('#')]


class Upload(unittest.TestCase):
    def test_gcloud_uploads_what_the_dockerfile_copies(self):
        with tempfile.TemporaryDirectory() as folder:
            # A copy of the tracked files, without build directories.
            archive = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, check=True).stdout
            subprocess.run(['cp', '--parents', '--target-directory', folder, *archive.decode().split('\0')[:-1]], cwd=ROOT, check=True)
            command = ['gcloud', 'meta', 'list-files-for-upload', folder]
            uploaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        self.assertGreater(len(uploaded), 100)
        self.assertEqual(sorted(uploaded), sorted([*copied(), 'Dockerfile']))

    def test_cloud_build_uploads_the_same_files(self):
        self.assertEqual(rules('deploy/terraform/cloudbuild.ignore'), rules('.gcloudignore'))

    def test_docker_reads_the_same_files(self):
        parents = {'Dockerfile', 'benches', 'benches/load', 'crates', 'fuzz', 'tests', 'tests/simulation'}
        expected = {rule.removeprefix('!/') for rule in rules('.gcloudignore') if rule.startswith('!')} - parents
        self.assertEqual({rule.removeprefix('!') for rule in rules('.dockerignore') if rule.startswith('!')}, expected)

    def test_the_dockerfile_copies_every_manifest(self):
        manifests = subprocess.run(['git', 'ls-files', '--', 'Cargo.toml', '**/Cargo.toml'], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        self.assertEqual([path for path in manifests.split() if path not in copied()], [])


if __name__ == '__main__':
    unittest.main()
