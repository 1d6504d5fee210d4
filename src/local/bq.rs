//! What Google's `bq` needs to talk to the local BigQuery: a run-control file and a token file.
//!
//! `bq` refuses to run without an account, whatever server it is told. With a token from a file it
//! asks nobody, and the token may be any word; the run-control file names the server and the project,
//! and makes GoogleSQL the dialect. Two environment variables name the two files. Without them, a
//! user who is logged in and gives only `--api` would send a real access token.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const TOKEN: &str = "local";

/// The two files, by their absolute paths.
#[derive(Debug)]
pub struct BqFiles {
    /// BIGQUERYRC
    pub run_control: PathBuf,
    /// CLOUDSDK_AUTH_ACCESS_TOKEN_FILE
    pub token: PathBuf,
}

impl BqFiles {
    /// Writes both into `dir`, for the server at that URL, over those of an earlier run: the port may be another one.
    ///
    /// # Errors
    ///
    /// The directory is not there or cannot be written to.
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

    /// The lines, indented, to paste into a POSIX shell, after which plain `bq query 'SELECT 1'` works.
    pub fn exports(&self, indent: &str) -> String {
        let export = |name: &str, file: &Path| format!("export {name}={}", quoted(&file.to_string_lossy()));
        format!("{indent}{}\n{indent}{}", export("BIGQUERYRC", &self.run_control), export("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", &self.token))
    }
}

/// Readable by nobody else, from the first moment on. This token is no secret, but one day somebody
/// puts a real one there.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    const OWNER_ONLY: u32 = 0o600;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)?;
    // A file that was there keeps its mode.
    file.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    file.write_all(text.as_bytes())
}

/// For a shell; most paths need no quotes and are easier to read without.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_quoted_only_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted("/home/ann/pixel-data/bqrc"), "/home/ann/pixel-data/bqrc");
        assert_eq!(quoted("/home/ann's data/bqrc"), r"'/home/ann'\''s data/bqrc'");
        assert_eq!(quoted("/tmp/$(id)"), "'/tmp/$(id)'");
    }
}
