//! Reads the body of a request into memory: up to a limit, a deadline, and the memory that is admitted.
//!
//! A body that is not kept is read on and discarded before it is answered. A server that closes a connection with
//! unread bytes resets it, and a client that is still writing then sees the reset instead of the answer.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use futures_util::TryStreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::admission::{Admitted, BytesExhausted};
use crate::telemetry::with_causes;

/// After this many bytes, or this time without any, the rest of a body that is too large is not discarded any more.
const MAX_DISCARDED_BYTES: usize = 64 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);
/// The first reservation for a body of unknown length. Each further one doubles it.
const INITIAL_BYTES: usize = 16 << 10;

/// Why there is no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is longer than {} MiB", .limit >> 20)]
    TooLarge { limit: usize },
    /// The bodies in flight have reserved MAX_IN_FLIGHT_BYTES.
    #[error("the bodies of other requests take all the memory for bodies")]
    NotAdmitted,
    /// The framing is invalid, such as the length of a chunk.
    #[error("the body is malformed: {0}")]
    Malformed(String),
    /// The client closed the connection before the end of the body.
    #[error("the client disconnected: {0}")]
    Disconnected(String),
    #[error("the body did not arrive before the deadline")]
    Deadline,
}

impl From<BytesExhausted> for BodyError {
    fn from(BytesExhausted: BytesExhausted) -> Self {
        Self::NotAdmitted
    }
}

/// Reads a body of at most `limit` bytes. Its memory is reserved before it is allocated: at once for the Content-Length,
/// else step by step.
///
/// One buffer, into which each chunk is copied: a chunk is a part of the connection's buffer, which would be kept whole.
pub async fn read(body: Body, limit: usize, deadline: Instant, admitted: &mut Admitted) -> Result<Vec<u8>, BodyError> {
    let length = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let mut stream = body.into_data_stream();
    let result = read_stream(&mut stream, length, limit, deadline, admitted).await;
    if let Err(BodyError::TooLarge { .. } | BodyError::NotAdmitted) = result {
        discard(stream, MAX_DISCARDED_BYTES, deadline).await;
    }
    result
}

async fn read_stream(
    stream: &mut BodyDataStream,
    length: Option<usize>,
    limit: usize,
    deadline: Instant,
    admitted: &mut Admitted,
) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    if let Some(length) = length {
        reserve(&mut bytes, length, limit, admitted)?;
    }
    loop {
        match timeout_at(deadline, stream.try_next()).await {
            Ok(Ok(Some(chunk))) => {
                let needed = bytes.len() + chunk.len();
                if needed > bytes.capacity() {
                    let capacity = needed.max((2 * bytes.capacity()).min(limit)).max(INITIAL_BYTES.min(limit));
                    reserve(&mut bytes, capacity, limit, admitted)?;
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(Ok(None)) => return Ok(bytes),
            Ok(Err(error)) => return Err(classify(&error)),
            Err(_) => return Err(BodyError::Deadline),
        }
    }
}

/// Gives the buffer that capacity, if `limit` and the admitted memory allow it.
fn reserve(bytes: &mut Vec<u8>, capacity: usize, limit: usize, admitted: &mut Admitted) -> Result<(), BodyError> {
    if capacity > limit {
        return Err(BodyError::TooLarge { limit });
    }
    admitted.reserve_body(capacity)?;
    bytes.reserve_exact(capacity - bytes.len());
    Ok(())
}

/// Discards up to `limit` bytes. What happens meanwhile does not change the answer.
pub(crate) async fn discard(mut stream: BodyDataStream, limit: usize, deadline: Instant) {
    let mut discarded = 0;
    while discarded < limit
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline.min(Instant::now() + DISCARD_TIMEOUT), stream.try_next()).await
    {
        discarded += chunk.len();
    }
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
    use bytes::Bytes;
    use futures_util::{StreamExt as _, stream};

    use super::*;
    use crate::admission::Admission;

    /// Reads the body as the only one in flight.
    async fn read_alone(body: Body, deadline: Instant) -> Result<Vec<u8>, BodyError> {
        let admission = Admission::new(1, 0, 0);
        let result = read(body, 4, deadline, &mut admission.admit().unwrap()).await;
        assert_eq!(admission.bytes(), 0);
        result
    }

    /// The chunks, and then an error or silence.
    async fn read_chunks(chunks: &[&'static str], end: Option<ErrorKind>) -> Result<Vec<u8>, BodyError> {
        let chunks = stream::iter(chunks.to_vec()).map(|chunk| Ok(Bytes::from(chunk)));
        let error = stream::iter(end).map(|kind| Err(std::io::Error::from(kind)));
        read_alone(Body::from_stream(chunks.chain(error)), Instant::now() + Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn chunks_are_joined_up_to_the_limit() {
        assert_eq!(read_chunks(&[], None).await.unwrap(), b"");
        assert_eq!(read_chunks(&["abcd"], None).await.unwrap(), b"abcd");
        assert_eq!(read_chunks(&["ab", "", "cd"], None).await.unwrap(), b"abcd");
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
        assert_eq!(read_alone(Body::from_stream(silent), deadline).await, Err(BodyError::Deadline));
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1 << 20])));
        assert_eq!(read_alone(Body::from_stream(endless), deadline).await, Err(BodyError::TooLarge { limit: 4 }));
    }

    #[tokio::test]
    async fn a_body_is_admitted_by_its_length_or_as_it_arrives() {
        let admission = Admission::new(2, 100 << 10, 0);
        let mut other = admission.admit().unwrap();
        other.reserve_body(60 << 10).unwrap();
        let with_length = |kib: usize| Body::from(vec![b'a'; kib << 10]);
        let chunked =
            |kib: usize| Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 1024]))).take(kib));
        for (body, expected) in [
            (with_length(40), Ok(40 << 10)),
            (with_length(41), Err(BodyError::NotAdmitted)),
            (chunked(32), Ok(32 << 10)),
            (chunked(41), Err(BodyError::NotAdmitted)),
        ] {
            let deadline = Instant::now() + Duration::from_secs(10);
            let result = read(body, 16 << 20, deadline, &mut admission.admit().unwrap()).await;
            assert_eq!(result.map(|bytes| bytes.len()), expected);
            assert_eq!(admission.bytes(), 60 << 10);
        }
    }
}
