//! The content of a Cloud Storage object as a blocking reader.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::google::Client;
use crate::google::storage::{self, StorageObject};

/// Chunks of a download that wait to be read.
const CHANNEL_CAPACITY: usize = 16;

/// A download in progress.
pub(crate) struct Download {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl Download {
    /// Starts to download an object on the runtime. The task ends with the object, or when the reader is dropped.
    pub(crate) fn start(google: Arc<Client>, object: StorageObject, runtime: &tokio::runtime::Handle) -> Self {
        let (chunks, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        runtime.spawn(download(google, object, chunks));
        Self { chunks: receiver, chunk: Bytes::new() }
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.chunk.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}

async fn download(google: Arc<Client>, object: StorageObject, chunks: mpsc::Sender<io::Result<Bytes>>) {
    let started = storage::download(&google, &object).await.and_then(|response| response.require(object.name()));
    let mut response = match started {
        Ok(response) => response,
        Err(error) => {
            let _ = chunks.send(Err(io::Error::other(error))).await;
            return;
        }
    };
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => Ok(chunk),
            Ok(None) => return,
            Err(error) => Err(io::Error::other(error)),
        };
        let is_last = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_last {
            return;
        }
    }
}
