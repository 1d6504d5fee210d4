//! The report: a line for each link as text, or one JSON object at the end.

use std::io;

use serde_json::json;

use super::ReportFormat;
use super::link::Link;
use crate::cli::{output, printable};

/// Prints each link immediately.
#[derive(Debug)]
pub(crate) struct Printer {
    format: ReportFormat,
    links: Vec<Link>,
    /// The first failure ends the output, not the checks.
    written: io::Result<()>,
}

impl Printer {
    pub(crate) fn new(format: ReportFormat) -> Self {
        Self { format, links: Vec::new(), written: Ok(()) }
    }

    pub(crate) fn link(&mut self, link: &Link) {
        if self.format == ReportFormat::Text {
            self.write(&text(link));
        }
        self.links.push(link.clone());
    }

    /// Prints the end, and returns whether everything could be printed.
    pub(crate) fn end(mut self) -> io::Result<()> {
        let count = |ok: Option<bool>| self.links.iter().filter(|link| link.ok == ok).count();
        match self.format {
            ReportFormat::Json => {
                let report = json!({"ok": count(Some(true)) == self.links.len(), "links": self.links});
                self.write(&format!("{report}\n"));
            }
            ReportFormat::Text if count(Some(true)) == self.links.len() => {}
            ReportFormat::Text => {
                let (broken, unchecked) = (count(Some(false)), count(None));
                self.write(&format!("\n{broken} of {} links are broken, {unchecked} could not be checked.\n", self.links.len()));
            }
        }
        self.written
    }

    fn write(&mut self, text: &str) {
        if self.written.is_ok() {
            self.written = output::print(text);
        }
    }
}

fn text(link: &Link) -> String {
    let mark = match link.ok {
        Some(true) => '✓',
        Some(false) => '✗',
        None => '?',
    };
    let mut lines = link.found.iter().chain(&link.problems);
    let mut text = format!("{mark} {:<24} {}\n", link.link, printable(lines.next().map_or("", String::as_str)));
    for line in lines {
        text += &format!("{:27}{}\n", "", printable(line));
    }
    for line in link.fix.iter().flat_map(|fix| fix.lines()) {
        text += &format!("    {}\n", printable(line));
    }
    text
}
