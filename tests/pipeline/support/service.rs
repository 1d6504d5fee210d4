//! `pixel-pipeline serve` as a process of its own.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::bigquery::{PROJECT, TestBigQuery};

/// How long anything may take that is expected to happen at once.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A service that never answers is a failure of its test, and not a test run that hangs. Longer than any PUSH_DEADLINE
/// that a test waits for.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(300);

/// A running service. Ends with its handle.
pub struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    http: reqwest::Client,
    log: watch::Receiver<Vec<String>>,
    reader: JoinHandle<()>,
}

/// What a push was answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Push {
    pub status: u16,
    pub body: String,
}

/// The binary, with an environment that holds nothing of ours. PIXEL_TEST_BINARY names another build of it, as an
/// optimised one.
pub fn command(subcommand: &str) -> Command {
    let binary = std::env::var_os("PIXEL_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_pixel-pipeline").into());
    let mut command = Command::new(binary);
    command.arg(subcommand).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).kill_on_drop(true);
    command
}

/// Sends a process that has not ended a signal, such as `TERM`.
pub fn send_signal(child: &Child, signal: &str) {
    let pid = child.id().expect("it runs").to_string();
    let status = std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
    assert!(status.success());
}

impl Service {
    /// On a free port, against that BigQuery, with these settings besides; ready to take messages.
    pub async fn start(bigquery: &TestBigQuery, settings: &[(&str, &str)]) -> Self {
        let service = Self::start_unready(&bigquery.url, settings).await;
        service.wait_until_ready().await;
        service
    }

    /// The same, without waiting for the template table.
    pub async fn start_unready(bigquery: &str, settings: &[(&str, &str)]) -> Self {
        let mut serve = command("serve");
        serve.env("BIGQUERY_EMULATOR_HOST", bigquery);
        Self::spawn(serve, settings).await
    }

    /// From a command that says where BigQuery is; listening, and not yet ready.
    pub async fn spawn(mut serve: Command, settings: &[(&str, &str)]) -> Self {
        let mut child = serve
            .envs([("PORT", "0"), ("GOOGLE_CLOUD_PROJECT", PROJECT), ("LOG_FORMAT", "json")])
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, log) = watch::channel(Vec::new());
        let reader = tokio::spawn(read_log(child.stderr.take().unwrap(), lines));
        let http = reqwest::Client::builder().no_proxy().timeout(RESPONSE_TIMEOUT).build().unwrap();
        let mut service = Self { child, url: String::new(), http, log, reader };
        let listening = service.wait_for_log("\"listening\"").await;
        let line: serde_json::Value = serde_json::from_str(&listening).unwrap();
        service.url = format!("http://127.0.0.1:{}", line["port"]);
        service
    }

    /// Waits until `/ready` says so.
    pub async fn wait_until_ready(&self) {
        let ready = async {
            while self.get("/ready").await.status != 200 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("the service becomes ready");
    }

    /// Delivers a body as Pub/Sub does.
    pub async fn push(&self, body: impl Into<reqwest::Body>) -> Push {
        self.push_with_headers(body, &[("content-type", "application/json")]).await
    }

    /// Delivers a body with these headers and no other.
    pub async fn push_with_headers(&self, body: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> Push {
        let mut request = self.http.post(&self.url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// Sends bytes that no HTTP client would, and reads until the connection ends.
    pub async fn send_raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection ends").unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Waits until that many deliveries wait for their answers.
    pub async fn wait_for_in_flight(&self, count: usize) {
        let arrived = async {
            while self.metric("pixel_pipeline_in_flight").await < count as f64 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.expect("the deliveries arrive");
    }

    /// Waits until the batcher has that many rows, waiting or in a request to BigQuery.
    pub async fn wait_for_pending_rows(&self, count: usize) {
        let arrived = async {
            while self.metric("pixel_pipeline_pending_rows").await < count as f64 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.expect("the rows reach the batcher");
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Push {
        answer(self.http.get(format!("{}{path}", self.url))).await
    }

    /// The value of a metric with exactly these labels, as in `name{a="b"}`; 0 if there is none.
    pub async fn metric(&self, name_and_labels: &str) -> f64 {
        let metrics = self.get("/metrics").await.body;
        metrics.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0.0)
    }

    /// Every line that was logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// Waits for a line that contains the text.
    pub async fn wait_for_log(&mut self, text: &str) -> String {
        let find = |lines: &Vec<String>| lines.iter().find(|line| line.contains(text)).cloned();
        let found = tokio::time::timeout(PATIENCE, self.log.wait_for(|lines| find(lines).is_some())).await;
        let found = found.ok().and_then(|lines| lines.ok().and_then(|lines| find(&lines)));
        found.unwrap_or_else(|| panic!("the service never logged {text:?}, but: {:#?}", self.log()))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the service runs")
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        send_signal(&self.child, signal);
    }

    /// Every line it ever logged, and it logs no more: if it has not ended, it does now.
    pub async fn whole_log(mut self) -> Vec<String> {
        // It may have ended by itself.
        let _ = self.child.start_kill();
        self.wait().await;
        tokio::time::timeout(PATIENCE, &mut self.reader).await.expect("the log ends").unwrap();
        self.log()
    }

    /// The most memory that it ever had at once, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let pid = self.pid();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak.expect("VmHWM") << 10
    }

    /// Waits for the end of the process.
    pub async fn wait(&mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the service ends").unwrap()
    }

    /// Ends it as Cloud Run does; returns its status and every line it ever logged.
    pub async fn end(mut self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        let status = self.wait().await;
        (status, self.whole_log().await)
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Push {
    let response = request.send().await.expect("the service answers");
    Push { status: response.status().as_u16(), body: response.text().await.unwrap() }
}

async fn read_log(stderr: ChildStderr, lines: watch::Sender<Vec<String>>) {
    let mut reader = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        lines.send_modify(|lines| lines.push(line));
    }
}
