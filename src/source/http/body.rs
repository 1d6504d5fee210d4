//! Reads the body of a request into memory, up to a limit and a deadline.
//!
//! A body beyond the limit is read on and discarded before it is answered. A server that closes a connection with
//! unread bytes resets it, and a client that is still writing then sees the reset instead of the answer.

use std::error::Error;
use std::io::ErrorKind;

use axum::body::Body;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::telemetry::with_causes;

/// After this many bytes the rest of a body is not read any more.
const MAX_DISCARDED_BYTES: usize = 64 << 20;

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is longer than {} MiB", .limit >> 20)]
    TooLarge { limit: usize },
    /// The framing is invalid, such as the length of a chunk.
    #[error("the body is malformed: {0}")]
    Malformed(String),
    /// The client closed the connection before the end of the body.
    #[error("the client disconnected: {0}")]
    Disconnected(String),
    #[error("the body did not arrive before the deadline")]
    Deadline,
}

/// Reads a body of at most `limit` bytes.
pub async fn read(body: Body, limit: usize, deadline: Instant) -> Result<Bytes, BodyError> {
    let mut stream = body.into_data_stream();
    let (mut chunks, mut length) = (Vec::new(), 0);
    loop {
        let result = match timeout_at(deadline, stream.try_next()).await {
            Ok(Ok(Some(chunk))) => {
                length += chunk.len();
                if length <= limit {
                    chunks.push(chunk);
                    continue;
                }
                chunks.clear();
                if length < MAX_DISCARDED_BYTES {
                    continue;
                }
                Err(BodyError::TooLarge { limit })
            }
            Ok(Ok(None)) => Ok(()),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(BodyError::Deadline),
        };
        // What happens after the limit does not change the answer.
        return match result {
            _ if length > limit => Err(BodyError::TooLarge { limit }),
            Err(error) => Err(error),
            Ok(()) => Ok(concat(chunks)),
        };
    }
}

/// The body of a small request arrives in one chunk, which is not copied.
fn concat(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() <= 1 { chunks.pop().unwrap_or_default() } else { chunks.concat().into() }
}

/// hyper reports invalid framing as `InvalidInput` or `InvalidData`. All its other errors are those of the connection.
fn classify(error: &(dyn Error + 'static)) -> BodyError {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    let kind = causes.find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    match kind {
        Some(ErrorKind::InvalidInput | ErrorKind::InvalidData) => BodyError::Malformed(with_causes(error)),
        _ => BodyError::Disconnected(with_causes(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};

    use super::*;

    /// The chunks, and then an error or silence.
    async fn read_chunks(chunks: &[&'static str], end: Option<ErrorKind>) -> Result<Bytes, BodyError> {
        let chunks = stream::iter(chunks.to_vec()).map(|chunk| Ok(Bytes::from(chunk)));
        let error = stream::iter(end).map(|kind| Err(std::io::Error::from(kind)));
        read(Body::from_stream(chunks.chain(error)), 4, Instant::now() + Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn chunks_are_joined_up_to_the_limit() {
        assert_eq!(read_chunks(&[], None).await.unwrap(), "");
        assert_eq!(read_chunks(&["abcd"], None).await.unwrap(), "abcd");
        assert_eq!(read_chunks(&["ab", "", "cd"], None).await.unwrap(), "abcd");
        assert_eq!(read_chunks(&["ab", "cde"], None).await, Err(BodyError::TooLarge { limit: 4 }));
    }

    #[tokio::test]
    async fn malformed_and_interrupted_bodies_are_distinguished() {
        for kind in [ErrorKind::InvalidInput, ErrorKind::InvalidData] {
            assert!(matches!(read_chunks(&["ab"], Some(kind)).await, Err(BodyError::Malformed(_))), "{kind}");
        }
        for kind in [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::TimedOut] {
            assert!(matches!(read_chunks(&["ab"], Some(kind)).await, Err(BodyError::Disconnected(_))), "{kind}");
        }
        let after_the_limit = read_chunks(&["abcde"], Some(ErrorKind::ConnectionReset)).await;
        assert_eq!(after_the_limit, Err(BodyError::TooLarge { limit: 4 }));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_body_ends_at_the_deadline_or_64_mebibytes() {
        let deadline = Instant::now() + Duration::from_secs(1);
        let silent = stream::iter([Ok::<_, std::io::Error>(Bytes::from("ab"))]).chain(stream::pending());
        assert_eq!(read(Body::from_stream(silent), 4, deadline).await, Err(BodyError::Deadline));
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1 << 20])));
        assert_eq!(read(Body::from_stream(endless), 4, deadline).await, Err(BodyError::TooLarge { limit: 4 }));
    }
}
