//! Reads the body of a response up to a limit, for every client of the program.
//!
//! Whoever answers decides how long a body is. Without a limit, one response could use up the memory of the process.
//! Downloads of objects are streamed and not read here.

use reqwest::Response;

use crate::telemetry::with_causes;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the answer has more than {} KiB", limit >> 10)]
    TooLarge { limit: usize },
    #[error("{}", with_causes(.0))]
    Transport(reqwest::Error),
}

impl From<reqwest::Error> for BodyError {
    /// Without the URL, which can contain secrets and user ids.
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// The whole body, which has at most `limit` bytes.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(BodyError::TooLarge { limit });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > limit - body.len() {
            return Err(BodyError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// The response of a server that sends this head and the letter x, `count` times.
    async fn response(head: &str, count: usize) -> Response {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{head}\r\n");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut left = count;
            // Fails when the client has closed the connection.
            while left > 0 && stream.write_all(&[b'x'; 1024][..left.min(1024)]).await.is_ok() {
                left = left.saturating_sub(1024);
            }
            // The rest of the request, so that closing does not reset the connection.
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap()
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read() {
        for (head, count) in [("", 0), ("", 9), ("", 10), ("content-length: 10\r\n", 10)] {
            assert_eq!(read_body(response(head, count).await, 10).await.unwrap(), vec![b'x'; count], "{head}");
        }
    }

    #[tokio::test]
    async fn a_longer_body_is_an_error_and_is_not_read_to_its_end() {
        for (head, count) in [("", 11), ("", usize::MAX), ("content-length: 11\r\n", 11), ("content-length: 99999999999\r\n", 1)] {
            let error = read_body(response(head, count).await, 10).await.unwrap_err();
            assert!(matches!(error, BodyError::TooLarge { limit: 10 }), "{head}: {error}");
        }
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_an_error() {
        let error = read_body(response("content-length: 10\r\n", 9).await, 10).await.unwrap_err();
        assert!(matches!(error, BodyError::Transport(_)), "{error}");
    }
}
