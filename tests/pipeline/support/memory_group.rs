//! A control group with a memory limit, for a service as in a container. Only root may make one, and on Linux only.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Files of a group in version 1 and in version 2 of control groups.
const VERSIONS: [(&str, &str); 2] = [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];

/// Removed on drop, if its process has ended.
pub struct MemoryGroup(PathBuf);

impl MemoryGroup {
    /// `None` if this process may not make one.
    pub fn new(limit: u64) -> Option<Self> {
        VERSIONS.iter().find_map(|(root, file)| {
            let group = Path::new(root).join(format!("pixel-pipeline-test-{}", std::process::id()));
            fs::create_dir(&group).ok()?;
            let group = Self(group);
            // A directory that is not a group has no such file.
            let mut file = OpenOptions::new().write(true).open(group.0.join(file)).ok()?;
            file.write_all(limit.to_string().as_bytes()).ok()?;
            Some(group)
        })
    }

    /// The same command in this group.
    pub fn command(&self, inner: &Command) -> Command {
        let inner = inner.as_std();
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(self.0.join("cgroup.procs"));
        command.arg(inner.get_program()).args(inner.get_args()).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).kill_on_drop(true);
        command
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
