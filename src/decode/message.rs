//! A Pub/Sub message, independent of the shape in which it was delivered.
//!
//! `source::delivery` reads the shapes. See <https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage>.

use std::borrow::Cow;
use std::fmt::Display;

use base64::Engine as _;
use base64::display::Base64Display;
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
    /// The body of an unwrapped delivery, or a decoded payload.
    Raw(Cow<'a, [u8]>),
}

/// `data` is not base64 in any of the variants of proto3's JSON mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data is not base64: {0}")]
pub struct NotBase64(#[from] base64::DecodeError);

impl<'a> PubsubMessage<'a> {
    /// A message of which only the payload is known.
    pub fn raw(data: &'a [u8]) -> Self {
        Self { data: MessageData::Raw(data.into()), message_id: None, publish_time: None, attributes: None, delivery_attempt: None }
    }

    /// The bytes of payload and attributes.
    pub fn size(&self) -> usize {
        let data = match &self.data {
            MessageData::Base64(text) => text.len(),
            MessageData::Raw(bytes) => bytes.len(),
        };
        data + self.attributes.as_deref().map_or(0, str::len)
    }

    /// The same message with a decoded payload, and without its delivery: base64 takes a third more memory. `Err` is the
    /// unchanged message, whose payload is not base64.
    pub fn into_decoded(self) -> Result<PubsubMessage<'static>, Self> {
        let Ok(bytes) = self.data.bytes().map(Cow::into_owned) else { return Err(self) };
        Ok(self.with_owned(MessageData::Raw(bytes.into())))
    }

    /// The same message with that payload.
    pub fn with_owned(self, data: MessageData<'static>) -> PubsubMessage<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| text.into_owned().into());
        PubsubMessage {
            data,
            message_id: owned(self.message_id),
            publish_time: owned(self.publish_time),
            attributes: owned(self.attributes),
            delivery_attempt: self.delivery_attempt,
        }
    }
}

impl MessageData<'_> {
    /// A copy that borrows nothing.
    pub fn to_owned(&self) -> MessageData<'static> {
        match self {
            Self::Base64(text) => MessageData::Base64(text.clone().into_owned().into()),
            Self::Raw(bytes) => MessageData::Raw(bytes.clone().into_owned().into()),
        }
    }

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

    /// The payload in base64, for a dead letter. Text that is not base64 stays unchanged. It is encoded while it is
    /// written, because it may be large.
    pub fn base64(&self) -> impl Display + '_ {
        std::fmt::from_fn(move |f| match self {
            Self::Base64(text) => f.write_str(text),
            Self::Raw(bytes) => Base64Display::new(bytes, &STANDARD).fmt(f),
        })
    }

    /// The length of [`Self::base64`].
    pub fn base64_len(&self) -> usize {
        match self {
            Self::Base64(text) => text.len(),
            Self::Raw(bytes) => bytes.len().div_ceil(3) * 4,
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
