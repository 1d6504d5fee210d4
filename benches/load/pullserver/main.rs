//! `pullserver` is a pull subscription: an endpoint that answers StreamingPull, Acknowledge and ModifyAckDeadline as Pub/Sub
//! does (`google/pubsub/v1/pubsub.proto`), with as many messages as the subscriber takes. It starts the subscriber that is
//! given as a command, and prints its rate and its CPU time per message.
//!
//! One thread, everything in memory. Messages are not delivered twice: a nacked message is counted only.
mod proto;
mod response;

use clap::Parser;
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::TokioIo;
use proto::{Entry, FlowControl};
use response::{Answer, Deliveries};
use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    process::ExitCode,
    rc::Rc,
    task::Waker,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, process::Command, sync::Notify, task::spawn_local};

#[derive(Parser)]
#[command(about = "Deliver messages to a subscriber by StreamingPull, and measure it")]
struct Args {
    /// Number of messages
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Messages in one response of the stream
    #[arg(long, default_value_t = 100)]
    batch: u64,
    /// Users, each of which has a table of its own
    #[arg(long, default_value_t = 20)]
    users: u64,
    /// Messages that the CPU time does not include: the start of the process
    #[arg(long, default_value_t = 50_000)]
    warmup: u64,
    /// The subscriber. PUBSUB_EMULATOR_HOST and SUBSCRIPTION are set
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<String>,
}

/// The messages, by their state.
struct Subscription {
    entry: Entry,
    messages: u64,
    batch: u64,
    delivered: Cell<u64>,
    acked: Cell<u64>,
    nacked: Cell<u64>,
    /// Deadlines that were extended.
    extended: Cell<u64>,
    /// The stream, if it waits for answers.
    stream: RefCell<Option<Waker>>,
    answered: Notify,
}

impl Subscription {
    fn answered(&self) -> u64 {
        self.acked.get() + self.nacked.get()
    }
}

/// hyper's tasks on this thread.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, task: F) {
        spawn_local(task);
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(run(args))
}

async fn run(args: Args) -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let subscription = Rc::new(Subscription {
        entry: Entry::new(args.users),
        messages: args.messages,
        batch: args.batch,
        delivered: Cell::new(0),
        acked: Cell::new(0),
        nacked: Cell::new(0),
        extended: Cell::new(0),
        stream: RefCell::new(None),
        answered: Notify::new(),
    });
    let mut child = Command::new(&args.command[0])
        .args(&args.command[1..])
        .envs([("PUBSUB_EMULATOR_HOST", address.as_str()), ("SUBSCRIPTION", "pixel-pull")])
        .kill_on_drop(true)
        .spawn()
        .expect("the subscriber starts");
    let pid = child.id().expect("it runs");
    let local = tokio::task::LocalSet::new();
    let shared = Rc::clone(&subscription);
    local.spawn_local(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let _ = connection.set_nodelay(true);
            let subscription = Rc::clone(&shared);
            let service = service_fn(move |request| answer(request, Rc::clone(&subscription)));
            spawn_local(http2::Builder::new(LocalExecutor).serve_connection(TokioIo::new(connection), service));
        }
    });
    let measured = tokio::select! {
        measured = local.run_until(measure(&args, &subscription, pid)) => measured,
        _ = child.wait() => None,
    };
    let _ = child.start_kill();
    let _ = child.wait().await;
    let Some((seconds, cpu)) = measured else {
        eprintln!("error: the subscriber ended, or did not answer all messages within 5 minutes");
        return ExitCode::FAILURE;
    };
    let messages = (args.messages - args.warmup) as f64;
    println!(
        "{:.0} msg/s, {:.2} µs CPU per message ({:.1} s wall, {:.1} s CPU, {} nacks, {} leases extended)",
        messages / seconds,
        cpu * 1e6 / messages,
        seconds,
        cpu,
        subscription.nacked.get(),
        subscription.extended.get()
    );
    ExitCode::SUCCESS
}

/// Wall-clock and CPU seconds from the end of the warm-up until every message is answered.
async fn measure(args: &Args, subscription: &Subscription, pid: u32) -> Option<(f64, f64)> {
    let answered = async |count: u64| {
        let wait = async {
            while subscription.answered() < count {
                subscription.answered.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(300), wait).await.ok()
    };
    answered(args.warmup).await?;
    let (started, cpu) = (Instant::now(), cpu_seconds(pid)?);
    answered(args.messages).await?;
    Some((started.elapsed().as_secs_f64(), cpu_seconds(pid)? - cpu))
}

/// User and system time of a process. Linux counts in hundredths of a second.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / 100.0)
}

async fn answer(request: Request<Incoming>, subscription: Rc<Subscription>) -> Result<Response<Answer>, Infallible> {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let mut body = request.into_body();
    let answer = if method == "StreamingPull" {
        let first = body.frame().await.and_then(|frame| frame.ok()?.into_data().ok()).unwrap_or_default();
        Answer::Stream(Deliveries { subscription, flow_control: FlowControl::parse(&first), _requests: body })
    } else {
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let is_known = match method.as_str() {
            "Acknowledge" => {
                subscription.acked.update(|count| count + proto::count_ack_ids(&body, 2));
                true
            }
            "ModifyAckDeadline" => {
                let counter = if proto::is_nack(&body) { &subscription.nacked } else { &subscription.extended };
                counter.update(|count| count + proto::count_ack_ids(&body, 4));
                true
            }
            _ => false,
        };
        if let Some(stream) = subscription.stream.take() {
            stream.wake();
        }
        subscription.answered.notify_one();
        Answer::unary(is_known)
    };
    Ok(Response::builder().header("content-type", "application/grpc").body(answer).expect("a valid response"))
}
