//! Recognizes files that are not JSON by their beginning, and names the command that converts them.
//!
//! A file is refused as a whole if nothing in its beginning is JSON and the format is known, or if it is binary data. In
//! other text, each line that is not JSON is reported by itself.

mod binary;
mod conversion;
mod csv;
mod text;

/// A file in another format than JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignFormat {
    name: &'static str,
    conversion: Conversion,
}

/// How the file becomes JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conversion {
    /// A shell command, with `FILE` in place of the file's name.
    Command(&'static str),
    /// A sentence without its end.
    Advice(&'static str),
}

impl ForeignFormat {
    const fn command(name: &'static str, command: &'static str) -> Self {
        Self { name, conversion: Conversion::Command(command) }
    }

    const fn advice(name: &'static str, advice: &'static str) -> Self {
        Self { name, conversion: Conversion::Advice(advice) }
    }

    /// What it is and how to convert it. `file` is the name of a file that commands can read, if there is one.
    pub fn describe(&self, file: Option<&str>) -> String {
        let name = self.name;
        match self.conversion {
            Conversion::Command(command) => {
                let quoted = file.and_then(|file| shlex::try_quote(file).ok()).unwrap_or_else(|| "FILE".into());
                format!("the format is {name}, not JSON. To convert it: {}", command.replace("FILE", &quoted))
            }
            Conversion::Advice(advice) => format!("the format is {name}, not JSON. {advice}"),
        }
    }
}

/// Whether the beginning of a file, after decompression, is in a known format that is not JSON.
pub(super) fn find_foreign(head: &[u8]) -> Option<ForeignFormat> {
    find_foreign_encoding(head).or_else(|| {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        text::find(text)
    })
}

/// The same for a file that may have text of any format.
pub(super) fn find_foreign_encoding(head: &[u8]) -> Option<ForeignFormat> {
    binary::find(head)
}
