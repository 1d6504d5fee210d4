"""The image, built by buildah from the Dockerfile, with this machine's Debian and Rust in place of the base image.

Both are mounted, so that only crates are downloaded. Cargo's target directory is mounted too, so that the next build is
short. Isolation is chroot, which needs only root and works in a container.
"""

import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

from container import STARTING

HERE = "localhost/this-machine"
NAME = "localhost/pixel-pipeline"


class Image:
    def __init__(self, project, cache, storage):
        """`cache` is the directory that later builds reuse, `storage` that of images and containers."""
        self._storage = storage
        registry = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
        self._cargo_mounts = [(registry, "/cargo"), (cache / "target", "/build/target")]
        for directory, _ in self._cargo_mounts:
            directory.mkdir(parents=True, exist_ok=True)
        self._commit_this_machine()
        self._build(project)
        self.config = json.loads(self._buildah("inspect", "--type", "image", NAME))["OCIv1"]["config"]
        self.command = self.config.get("Entrypoint", []) + self.config.get("Cmd", [])
        self._container = self._buildah("from", NAME)
        self._root = Path(self._buildah("mount", self._container))

    def _commit_this_machine(self):
        """An image of what the build needs and cannot mount: symbolic links, and the file that the Dockerfile copies."""
        container = self._buildah("from", "scratch")
        root = Path(self._buildah("mount", container))
        for directory in ("bin", "lib", "lib64"):
            (root / directory).symlink_to(f"usr/{directory}")
        certificates = Path("etc/ssl/certs/ca-certificates.crt")
        (root / certificates).parent.mkdir(parents=True)
        shutil.copy(Path("/") / certificates, root / certificates)
        (root / "tmp").mkdir()
        (root / "tmp").chmod(0o1777)
        self._buildah("config", "--env", "PATH=/rust/bin:/usr/bin", "--env", "CARGO_HOME=/cargo", container)
        self._buildah("commit", "--rm", container, HERE)

    def _build(self, project):
        rust = subprocess.run(["rustc", "--print", "sysroot"], cwd=project, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
        readable = [("/usr", "/usr"), ("/etc/alternatives", "/etc/alternatives"), (rust, "/rust")]
        mounts = [f"--volume={here}:{there}:ro" for here, there in readable]
        mounts += [f"--volume={here}:{there}" for here, there in self._cargo_mounts]
        # To the terminal: it takes minutes.
        subprocess.run([*self._prefix, "build", "--isolation=chroot", f"--from={HERE}", *mounts, f"--tag={NAME}", project], check=True)

    def labels(self, project):
        """The labels that follow from Cargo.toml."""
        manifest = tomllib.loads((project / "Cargo.toml").read_text())
        package = manifest["package"]
        names = {"title": "name", "description": "description", "source": "repository", "licenses": "license"}

        def value(name):
            own = package[name]
            return manifest["workspace"]["package"][name] if own == {"workspace": True} else own

        return {f"org.opencontainers.image.{label}": value(name) for label, name in names.items()}

    def compressed_size(self):
        """The bytes of all layers, as a registry stores and sends them."""
        layout = self._storage / "layout"
        self._buildah("push", NAME, f"oci:{layout}")

        def blob(descriptor):
            return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())

        [manifest] = json.loads((layout / "index.json").read_text())["manifests"]
        layers = blob(manifest)["layers"]
        assert all(layer["mediaType"].endswith("+gzip") for layer in layers), layers
        return sum(layer["size"] for layer in layers)

    def run(self, settings, resolver):
        """The command that runs the image in a container."""
        environment = [f"--env={name}={value}" for name, value in settings.items()]
        resolver = f"--volume={resolver}:/etc/resolv.conf:ro"
        return [*self._prefix, "run", "--isolation=chroot", resolver, *environment, self._container, "--", *self.command]

    def chroot(self, resolver):
        """The command that runs the image's binary in the image's files without a container, and prints when it starts."""
        for directory in ("dev", "etc", "proc"):
            (self._root / directory).mkdir(exist_ok=True)
        shutil.copy(resolver, self._root / "etc/resolv.conf")
        user, group = self.config["User"].split(":")
        # The plus sign marks numbers, which are not looked up. The mounts are private to the process.
        chroot = ["/usr/sbin/chroot", "--groups=", f"--userspec=+{user}:+{group}", str(self._root), *self.command]
        mounts = 'mount --rbind /dev "$0/dev" && mount --bind /proc "$0/proc"'
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", f'{mounts} && echo {STARTING} >&2 && exec "$@"', str(self._root), *chroot]

    def environment(self, settings):
        """The variables that a container would have, and none of this process's."""
        return dict(variable.split("=", 1) for variable in self.config.get("Env", [])) | settings

    @property
    def _prefix(self):
        return ["buildah", f"--root={self._storage / 'root'}", f"--runroot={self._storage / 'run'}", "--storage-driver=vfs"]

    def _buildah(self, *arguments):
        """Runs buildah and returns its standard output; prints its errors only if it fails."""
        done = subprocess.run([*self._prefix, *arguments], text=True, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"error: buildah {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout.strip()
