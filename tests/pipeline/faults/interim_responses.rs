//! BigQuery sends interim responses (1xx) in place of an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::wait::wait_until;
use crate::support::{Entry, Service, TestBigQuery};

const DEADLINE: Duration = Duration::from_secs(2);
/// A debug build on a busy machine skips half a million responses in this time.
const MAX_LATENESS: Duration = Duration::from_secs(2);

/// In front of BigQuery: sends this response without end to each insertAll. Returns its address, and how many of these
/// connections are open.
async fn flood(bigquery: &TestBigQuery, response: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, open) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let (target, counter) = (bigquery.url.strip_prefix("http://").unwrap().to_owned(), Arc::clone(&open));
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            connections.spawn(serve(client, target.clone(), response, Arc::clone(&counter)));
        }
    });
    (url, open)
}

async fn serve(mut client: TcpStream, target: String, response: &str, open: Arc<AtomicUsize>) {
    let mut request = vec![0; 64 << 10];
    loop {
        let Ok(length @ 1..) = client.read(&mut request).await else { return };
        if String::from_utf8_lossy(&request[..length]).contains("/insertAll") {
            open.fetch_add(1, Ordering::Relaxed);
            let responses = response.repeat((64 << 10) / response.len());
            while client.write_all(responses.as_bytes()).await.is_ok() {}
            open.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        // One request for each connection to the target, so that none of them is an insertAll.
        let mut upstream = TcpStream::connect(&target).await.unwrap();
        let head = String::from_utf8_lossy(&request[..length]).replacen("\r\n", "\r\nConnection: close\r\n", 1);
        upstream.write_all(head.as_bytes()).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut upstream).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_interim_responses_end_at_the_deadline() {
    for response in ["HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let bigquery = TestBigQuery::start().await;
        let (url, open) = flood(&bigquery, response).await;
        let service = Service::start_unready(&url, &[("PUSH_DEADLINE", "2s")]).await;
        service.wait_until_ready().await;
        let (before, started) = (service.peak_memory(), Instant::now());
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);
        let late = started.elapsed().saturating_sub(DEADLINE);
        assert!(late < MAX_LATENESS, "{late:?} after the deadline");
        wait_until("the connections are closed", async || open.load(Ordering::Relaxed) == 0).await;
        let growth = service.peak_memory() - before;
        assert!(growth < 16 << 20, "{growth} bytes");
        assert!(bigquery.events().await.is_empty());
    }
}
