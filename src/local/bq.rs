//! Writes the files with which Google's `bq` talks to the local BigQuery: a run-control file and a token file.
//!
//! `bq` does not run without an account, even for a local server. With a token file it needs no account, and the local
//! server accepts any token. The run-control file sets server, project and the GoogleSQL dialect. Two environment
//! variables point at the two files. Without them, a logged-in user who passes only `--api` sends a real access token.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const TOKEN: &str = "local";

/// Absolute paths of the two files.
#[derive(Debug)]
pub struct BqFiles {
    /// Value of BIGQUERYRC.
    pub run_control: PathBuf,
    /// Value of CLOUDSDK_AUTH_ACCESS_TOKEN_FILE.
    pub token: PathBuf,
}

impl BqFiles {
    /// Writes both files into `dir`. Overwrites those of an earlier run, which may have used another port.
    ///
    /// # Errors
    ///
    /// The directory does not exist or is not writable.
    pub fn write(dir: &Path, server: &str, project: &str) -> io::Result<Self> {
        let dir = fs::canonicalize(dir)?;
        let files = Self { run_control: dir.join("bqrc"), token: dir.join("bq-token") };
        fs::write(
            &files.run_control,
            format!(
                "# Written by `pixel-pipeline local` at each start.\n\
                 api = {server}\n\
                 project_id = {project}\n\
                 oauth_access_token = {TOKEN}\n\
                 [query]\n\
                 --use_legacy_sql=false\n"
            ),
        )?;
        write_private(&files.token, TOKEN)?;
        Ok(files)
    }

    /// Two indented `export` lines for a POSIX shell. After them, plain `bq query 'SELECT 1'` works.
    pub fn exports(&self, indent: &str) -> String {
        let export = |name: &str, file: &Path| format!("export {name}={}", shell_word(file));
        format!("{indent}{}\n{indent}{}", export("BIGQUERYRC", &self.run_control), export("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", &self.token))
    }
}

/// Creates the file readable by its owner only. The local token is not a secret, but users may put a real one there.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    const OWNER_ONLY: u32 = 0o600;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)?;
    // An existing file keeps its mode when it is opened.
    file.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    file.write_all(text.as_bytes())
}

/// Quotes a path for a POSIX shell if it needs quotes.
fn shell_word(path: &Path) -> String {
    let path = path.to_string_lossy();
    shlex::try_quote(&path).expect("the path of an existing file contains no NUL").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_the_shell_only_if_needed() {
        let word = |path: &str| shell_word(Path::new(path));
        assert_eq!(word("/home/ann/pixel-data/bqrc"), "/home/ann/pixel-data/bqrc");
        assert_eq!(word("/tmp/$(id)"), "'/tmp/$(id)'");
        let quoted = word("/home/ann's data/bqrc");
        assert_eq!(shlex::split(&quoted), Some(vec!["/home/ann's data/bqrc".to_owned()]), "{quoted}");
    }
}
