//! The report: a line for each link as text, or one JSON object at the end.

use std::io::{self, Write as _};

use serde_json::json;

use super::ReportFormat;
use super::link::Link;
use crate::cli::printable;

/// Prints each link immediately.
#[derive(Debug)]
pub(crate) struct Printer {
    format: ReportFormat,
    links: Vec<Link>,
}

impl Printer {
    pub(crate) fn new(format: ReportFormat) -> Self {
        Self { format, links: Vec::new() }
    }

    pub(crate) fn link(&mut self, link: &Link) {
        if self.format == ReportFormat::Text {
            write(&text(link));
        }
        self.links.push(link.clone());
    }

    pub(crate) fn end(self) {
        let count = |ok: Option<bool>| self.links.iter().filter(|link| link.ok == ok).count();
        match self.format {
            ReportFormat::Json => write(&format!("{}\n", json!({"ok": count(Some(true)) == self.links.len(), "links": self.links}))),
            ReportFormat::Text if count(Some(true)) == self.links.len() => {}
            ReportFormat::Text => {
                write(&format!(
                    "\n{} of {} links are broken, {} could not be checked.\n",
                    count(Some(false)),
                    self.links.len(),
                    count(None)
                ));
            }
        }
    }
}

fn text(link: &Link) -> String {
    let Link { link: name, ok, found, problem, fix, .. } = link;
    let mark = match ok {
        Some(true) => '✓',
        Some(false) => '✗',
        None => '?',
    };
    let detail = printable(found.as_ref().or(problem.as_ref()).map_or("", String::as_str));
    let mut text = format!("{mark} {name:<24} {detail}\n");
    for line in fix.iter().flat_map(|fix| fix.lines()) {
        text += &format!("    {}\n", printable(line));
    }
    text
}

/// Writes to standard output. A reader that has closed it gets no more.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
