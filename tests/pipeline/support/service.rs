//! A `pixel-pipeline serve` process.

use std::process::{ExitStatus, Output, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::bigquery::{PROJECT, TestBigQuery};
use super::http;
pub use super::wait::TIMEOUT;
use super::wait::{wait_until, within};

/// A running service. Killed on drop.
pub struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    http: reqwest::Client,
    log: watch::Receiver<Vec<String>>,
    reader: JoinHandle<()>,
}

/// The response to a push or another request.
#[derive(Debug, PartialEq, Eq)]
pub struct Push {
    pub status: u16,
    pub body: String,
}

/// The binary with an environment that has only PATH. PIXEL_TEST_BINARY names another build of it, such as an optimised
/// one.
pub fn command(subcommand: &str) -> Command {
    let binary = std::env::var_os("PIXEL_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_pixel-pipeline").into());
    let mut command = Command::new(binary);
    command.arg(subcommand).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).kill_on_drop(true);
    command
}

/// Runs a subcommand with these settings, arguments and standard input.
pub async fn output_with_input(subcommand: &str, settings: &[(&str, &str)], args: &[&str], input: &[u8]) -> Output {
    let mut child = command(subcommand)
        .args(args)
        .envs(settings.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = async {
        // Fails if the command does not read its standard input, or has ended.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let run = async { tokio::join!(feed, child.wait_with_output()).1.unwrap() };
    within("the command ends", run).await
}

/// Sends a running process a signal, such as `TERM`.
pub fn send_signal(child: &Child, signal: &str) {
    let pid = child.id().expect("the process is running").to_string();
    let status = std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
    assert!(status.success());
}

impl Service {
    /// Starts a service on a free port with these settings. Waits until it is ready.
    pub async fn start(bigquery: &TestBigQuery, settings: &[(&str, &str)]) -> Self {
        let service = Self::start_unready(&bigquery.url, settings).await;
        service.wait_until_ready().await;
        service
    }

    /// Starts a service and does not wait until it is ready.
    pub async fn start_unready(bigquery: &str, settings: &[(&str, &str)]) -> Self {
        let mut serve = command("serve");
        serve.env("BIGQUERY_EMULATOR_HOST", bigquery);
        Self::spawn(serve, settings).await
    }

    /// Starts a service from a command that has the address of BigQuery. Waits until it listens.
    pub async fn spawn(mut serve: Command, settings: &[(&str, &str)]) -> Self {
        let mut child = serve
            .envs([("PORT", "0"), ("GOOGLE_CLOUD_PROJECT", PROJECT), ("LOG_FORMAT", "json")])
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, log) = watch::channel(Vec::new());
        let reader = tokio::spawn(read_log(child.stderr.take().unwrap(), lines));
        let http = http::client();
        let mut service = Self { child, url: String::new(), http, log, reader };
        let listening = service.wait_for_log("\"listening\"").await;
        let line: serde_json::Value = serde_json::from_str(&listening).unwrap();
        service.url = format!("http://127.0.0.1:{}", line["port"]);
        service
    }

    /// Waits until `/ready` responds with 200.
    pub async fn wait_until_ready(&self) {
        wait_until("the service is ready", async || self.get("/ready").await.status == 200).await;
    }

    /// Delivers a body with the headers of Pub/Sub.
    pub async fn push(&self, body: impl Into<reqwest::Body>) -> Push {
        self.push_with_headers(body, &[("content-type", "application/json")]).await
    }

    /// Delivers a body with these headers only.
    pub async fn push_with_headers(&self, body: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> Push {
        let mut request = self.http.post(&self.url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        receive(request).await
    }

    /// Sends the bytes of a request, which may be invalid HTTP. Reads until the connection closes.
    pub async fn send_raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut response = Vec::new();
        within("the connection closes", stream.read_to_end(&mut response)).await.unwrap();
        String::from_utf8(response).unwrap()
    }

    /// Waits until at least `count` deliveries are in flight.
    pub async fn wait_for_in_flight(&self, count: usize) {
        self.wait_for_metric("pixel_pipeline_in_flight", count).await;
    }

    /// Waits until the batcher has at least `count` rows, queued or in a request to BigQuery.
    pub async fn wait_for_pending_rows(&self, count: usize) {
        self.wait_for_metric("pixel_pipeline_pending_rows", count).await;
    }

    /// Waits until at least `count` requests wait for the key of their token.
    pub async fn wait_for_key_waiters(&self, count: usize) {
        self.wait_for_metric("pixel_pipeline_waiting_for_keys", count).await;
    }

    async fn wait_for_metric(&self, name: &str, minimum: usize) {
        wait_until(&format!("{name} is at least {minimum}"), async || self.metric(name).await >= minimum as f64).await;
    }

    /// Sends a GET request for a path.
    pub async fn get(&self, path: &str) -> Push {
        receive(self.http.get(format!("{}{path}", self.url))).await
    }

    /// The value of a metric with exactly these labels, as in `name{a="b"}`; 0 without such a metric.
    pub async fn metric(&self, name_and_labels: &str) -> f64 {
        let metrics = self.get("/metrics").await.body;
        metrics.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0.0)
    }

    /// The log lines so far.
    pub fn log(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// Waits for a log line that contains the text.
    pub async fn wait_for_log(&mut self, text: &str) -> String {
        let find = |lines: &Vec<String>| lines.iter().find(|line| line.contains(text)).cloned();
        let found = tokio::time::timeout(TIMEOUT, self.log.wait_for(|lines| find(lines).is_some())).await;
        let found = found.ok().and_then(|lines| lines.ok().and_then(|lines| find(&lines)));
        found.unwrap_or_else(|| panic!("no log line with {text:?} within {TIMEOUT:?}: {:#?}", self.log()))
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the service runs")
    }

    /// Sends the process a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        send_signal(&self.child, signal);
    }

    /// Kills the process if it is running. Returns its complete log.
    pub async fn whole_log(mut self) -> Vec<String> {
        // Fails if the process has ended.
        let _ = self.child.start_kill();
        self.wait().await;
        within("the log ends", &mut self.reader).await.unwrap();
        self.log()
    }

    /// Peak memory of the process, in bytes.
    pub fn peak_memory(&self) -> u64 {
        peak_memory(self.pid()).expect("/proc is available")
    }

    /// Memory of the process now, in bytes.
    pub fn memory(&self) -> u64 {
        memory(self.pid(), "VmRSS:").expect("/proc is available")
    }

    /// Waits until the process ends.
    pub async fn wait(&mut self) -> ExitStatus {
        within("the service ends", self.child.wait()).await.unwrap()
    }

    /// Sends SIGTERM, as Cloud Run does. Returns the exit status and the complete log.
    pub async fn end(mut self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        let status = self.wait().await;
        (status, self.whole_log().await)
    }
}

/// Peak memory of a process, in bytes. Only Linux reports it.
pub fn peak_memory(pid: u32) -> Option<u64> {
    memory(pid, "VmHWM:")
}

/// A size in the status of a process, in bytes.
fn memory(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    peak.map(|kib| kib << 10)
}

async fn receive(request: reqwest::RequestBuilder) -> Push {
    let response = request.send().await.expect("the service responds");
    Push { status: response.status().as_u16(), body: response.text().await.unwrap() }
}

async fn read_log(stderr: ChildStderr, lines: watch::Sender<Vec<String>>) {
    let mut reader = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        lines.send_modify(|lines| lines.push(line));
    }
}
