//! Why a part of a file is not processed: text that is not a document, or a document without the log entry of a request.

use super::message::Message;
use super::splitter::{BrokenReason, Document, MAX_DOCUMENT_BYTES};
use crate::decode::RejectReason;

/// Why a part of a file is not processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// The label in a summary.
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
}

impl Unusable {
    pub(crate) fn of_document(document: &Document, reason: BrokenReason) -> Self {
        let bytes = document.end.bytes - document.start.bytes;
        let (reason, detail) = match reason {
            // The message of serde has the place of the error in the text.
            BrokenReason::NotJson => match Message::raw(document.text.clone()).check() {
                Err(Self { reason, detail }) => (reason, format!("{detail} ({bytes} bytes)")),
                Ok(()) => (RejectReason::BadJson.as_str(), format!("it is not JSON ({bytes} bytes)")),
            },
            BrokenReason::TooLong => {
                let fix = long_list(&document.text)
                    .map(|list| format!("; to divide its list, run jq -c '.{list}[]' on the file"))
                    .unwrap_or_default();
                ("too_long", format!("it has {bytes} bytes, and the maximum is {MAX_DOCUMENT_BYTES}{fix}"))
            }
            BrokenReason::Truncated => ("truncated", "the input ends within it".to_owned()),
            BrokenReason::ArrayNotClosed => ("truncated", "the array is not closed: elements are missing".to_owned()),
        };
        Self { reason, detail }
    }
}

/// The name of the list in an answer of an API, if the document begins as one.
fn long_list(text: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(text.get(..64).unwrap_or(text));
    let name = head.trim_start_matches(|c: char| c == '{' || c.is_whitespace()).strip_prefix('"')?;
    ["entries", "receivedMessages", "messages"].into_iter().find(|list| name.strip_prefix(list).is_some_and(|rest| rest.starts_with('"')))
}
