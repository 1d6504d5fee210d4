//! A Pub/Sub message, independent of the shape in which it was delivered.
//!
//! `source::delivery` reads the shapes. See <https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage>.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// One message of the topic that the log sink publishes to.
#[derive(Debug, Clone)]
pub struct PubsubMessage<'a> {
    /// One Cloud Logging `LogEntry`.
    pub data: MessageData<'a>,
    /// Unique within the topic. Absent from unwrapped deliveries without metadata.
    pub message_id: Option<Cow<'a, str>>,
    /// RFC 3339, unchanged.
    pub publish_time: Option<Cow<'a, str>>,
    /// A JSON object of strings, unchanged.
    pub attributes: Option<Cow<'a, str>>,
    /// 1 on the first delivery. Absent if the subscription has no dead-letter policy.
    pub delivery_attempt: Option<i64>,
}

/// The payload in the encoding of its delivery.
#[derive(Debug, Clone)]
pub enum MessageData<'a> {
    /// Member `data` of a wrapped delivery.
    Base64(Cow<'a, str>),
    /// The body of an unwrapped delivery.
    Raw(&'a [u8]),
}

/// `data` is not base64 in any of the variants of proto3's JSON mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data is not base64: {0}")]
pub struct NotBase64(#[from] base64::DecodeError);

impl<'a> PubsubMessage<'a> {
    /// A message of which only the payload is known.
    pub fn raw(data: &'a [u8]) -> Self {
        Self { data: MessageData::Raw(data), message_id: None, publish_time: None, attributes: None, delivery_attempt: None }
    }
}

impl MessageData<'_> {
    /// The payload's bytes.
    ///
    /// Standard or URL-safe alphabet, padded or not, as proto3's JSON mapping requires. Google's services use the first
    /// variant, so it is tried first.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, NotBase64> {
        match self {
            Self::Raw(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Base64(text) => {
                let standard = match STANDARD.decode(text.as_bytes()) {
                    Ok(bytes) => return Ok(Cow::Owned(bytes)),
                    Err(error) => error,
                };
                [STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                    .iter()
                    .find_map(|variant| variant.decode(text.as_bytes()).ok())
                    .map(Cow::Owned)
                    .ok_or(NotBase64(standard))
            }
        }
    }

    /// The payload in base64, for a dead letter. A wrapped payload stays unchanged, even if it is not base64.
    pub fn to_base64(&self) -> Cow<'_, str> {
        match self {
            Self::Base64(text) => Cow::Borrowed(text),
            Self::Raw(bytes) => Cow::Owned(STANDARD.encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_base64_alphabets_are_read_padded_or_not() {
        for spelling in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(*MessageData::Base64(spelling.into()).bytes().unwrap(), [0xfb, 0xff], "{spelling}");
        }
    }

    #[test]
    fn other_text_than_base64_is_an_error() {
        for text in ["GCP Functions", "ABHPdSaxrhjAWA=", "Hello", "+_8=", "%%%", "YQ=\n="] {
            assert!(MessageData::Base64(text.into()).bytes().is_err(), "{text}");
        }
    }
}
