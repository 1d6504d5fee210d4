//! A message on its way through the pipeline once more, and whom its fate concerns.

use crate::decode::PubsubMessage;
use crate::source::delivery;

use super::lines::Offset;

/// What is replayed, and where it is from.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) payload: Payload,
    pub(crate) origin: Origin,
}

/// The message itself.
#[derive(Debug)]
pub(crate) enum Payload {
    /// A log entry, or the body of a push.
    Line(Vec<u8>),
    /// A row of the dead-letter table.
    Letter(PubsubMessage<'static>),
    /// From a subscription.
    #[cfg(feature = "pubsub")]
    Pulled(super::subscription::Pulled),
}

/// Who is to be told what became of it.
#[derive(Debug)]
pub(crate) enum Origin {
    /// The line of that number, of the source with that position.
    Line {
        source: usize,
        line: u64,
        /// Where to go on once it is settled.
        resume: Offset,
    },
    /// The dead letter with that event_id.
    Letter { event_id: String },
    /// Pub/Sub.
    #[cfg(feature = "pubsub")]
    Pulled(super::subscription::Receipt),
}

impl Payload {
    /// The message as the decoder takes it.
    pub(crate) fn message(&self) -> PubsubMessage<'_> {
        match self {
            Self::Line(line) => delivery::read_line(line),
            Self::Letter(letter) => letter.clone(),
            #[cfg(feature = "pubsub")]
            Self::Pulled(pulled) => pulled.message(),
        }
    }
}
