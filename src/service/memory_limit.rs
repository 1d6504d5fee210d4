//! The memory of this process's container, and the default of MAX_IN_FLIGHT_BYTES.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Values;
use crate::config::settings::MAX_IN_FLIGHT_BYTES;

/// The share of the memory that the messages in flight may reserve by default. A reserved byte takes up to three bytes of
/// memory: the message, its row, and buffers. The rest of the memory is for connections and the process itself.
const SHARE_OF_MESSAGES: u64 = 8;
/// The memory of a deployment (MEMORY), where nothing tells the limit.
const ASSUMED_MEMORY: u64 = 512 << 20;

/// MAX_IN_FLIGHT_BYTES, or its default.
pub fn in_flight_bytes(values: &Values) -> usize {
    values.optional_number(&MAX_IN_FLIGHT_BYTES).unwrap_or_else(default_in_flight_bytes)
}

fn default_in_flight_bytes() -> usize {
    let limit = match memory_limit(Path::new("/")) {
        Ok(Some(limit)) => limit,
        Ok(None) => ASSUMED_MEMORY,
        Err(error) => {
            tracing::warn!(%error, "cannot read the container's memory limit; 512 MiB are assumed. Set MAX_IN_FLIGHT_BYTES");
            ASSUMED_MEMORY
        }
    };
    usize::try_from(limit / SHARE_OF_MESSAGES).unwrap_or(usize::MAX)
}

/// The lowest of the limits of the process's control groups and the machine's memory. `None` if the system has neither.
fn memory_limit(root: &Path) -> io::Result<Option<u64>> {
    let mut limits = Vec::new();
    for file in control_group_files(root)? {
        limits.extend(read(&file)?.and_then(|text| text.trim().parse::<u64>().ok()));
    }
    let machine = read(&root.join("proc/meminfo"))?;
    let total = machine.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.strip_suffix("kB")));
    limits.extend(total.and_then(|kib| kib.trim().parse::<u64>().ok()).map(|kib| kib << 10));
    Ok(limits.into_iter().min())
}

/// The files with the limits of the process's group and of all groups above it. A container may see its own group as the
/// root. <https://docs.kernel.org/admin-guide/cgroup-v2.html> and
/// <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>
fn control_group_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let (v1, v2) = (root.join("sys/fs/cgroup/memory"), root.join("sys/fs/cgroup"));
    let mut files = vec![v1.join("memory.limit_in_bytes"), v2.join("memory.max")];
    for line in read(&root.join("proc/self/cgroup"))?.unwrap_or_default().lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (mount, file) = match controllers {
            "" => (&v2, "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => (&v1, "memory.limit_in_bytes"),
            _ => continue,
        };
        let group = Path::new(group.trim_start_matches('/'));
        files.extend(group.ancestors().map(|group| mount.join(group).join(file)));
    }
    Ok(files)
}

/// `None` if there is no such file.
fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit of a system with these files.
    fn limit(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        memory_limit(root.path()).unwrap()
    }

    #[test]
    fn the_lowest_limit_of_groups_and_machine_counts() {
        let machine = ("proc/meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");
        let group = ("proc/self/cgroup", "0::/service/instance\n");
        for (files, expected) in [
            (&[][..], None),
            (&[machine], Some(2 << 20)),
            (&[machine, ("sys/fs/cgroup/memory.max", "1048576\n")], Some(1 << 20)),
            (&[machine, ("sys/fs/cgroup/memory.max", "max\n")], Some(2 << 20)),
            (&[machine, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096")], Some(4096)),
            // No limit, in version 1.
            (&[machine, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")], Some(2 << 20)),
            (&[machine, group, ("sys/fs/cgroup/service/instance/memory.max", "8192")], Some(8192)),
            (&[group, ("sys/fs/cgroup/service/instance/memory.max", "max"), ("sys/fs/cgroup/service/memory.max", "512")], Some(512)),
            (&[("proc/self/cgroup", "4:cpu:/x\n3:cpuacct,memory:/y\n"), ("sys/fs/cgroup/memory/y/memory.limit_in_bytes", "64")], Some(64)),
        ] {
            assert_eq!(limit(files), expected, "{files:?}");
        }
    }

    #[test]
    fn an_unreadable_limit_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("sys/fs/cgroup/memory.max")).unwrap();
        assert!(memory_limit(root.path()).is_err());
    }
}
