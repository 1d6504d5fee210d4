//! The destination of rows: standard output, or a pager for tables on a terminal.

use std::io::{self, IsTerminal as _, Write};
use std::process::{Child, Command, Stdio};

use crate::cli::output;

/// A running pager, or none.
pub(crate) struct Pager(Option<Child>);

/// Starts the pager for tables on a terminal. If it cannot be started, tables are printed directly.
pub(crate) fn open(command: Option<&str>, wanted: bool) -> (Box<dyn Write>, Pager) {
    let direct = || -> Box<dyn Write> { Box::new(output::stdout()) };
    if !wanted || !io::stdout().is_terminal() {
        return (direct(), Pager(None));
    }
    let mut pager = match command.map(str::trim) {
        Some("" | "cat") => return (direct(), Pager(None)),
        Some(command) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]);
            shell
        }
        None => {
            let mut less = Command::new("less");
            // End at once after a short result; scroll sideways; leave the output on the screen.
            less.args(["--quit-if-one-screen", "--chop-long-lines", "--no-init"]);
            less
        }
    };
    match pager.stdin(Stdio::piped()).spawn() {
        Ok(mut child) => match child.stdin.take() {
            Some(stdin) => (Box::new(stdin), Pager(Some(child))),
            None => (direct(), Pager(Some(child))),
        },
        Err(_) => (direct(), Pager(None)),
    }
}

impl Pager {
    /// Waits until the pager ends. The pipe to it must be closed.
    pub(crate) fn wait(self) {
        if let Some(mut child) = self.0 {
            let _ = child.wait();
        }
    }
}
