//! The loop: takes entries from the feed, keeps so many under way, and tells everyone concerned what became of each.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use super::archive::{Archive, Place};
use super::checkpoint::{Checkpoint, CheckpointError};
use super::dead_letters::{self, DeadLetters};
use super::entry::{Entry, Origin};
use super::feed::{Event, Feed, Source};
use super::files::{self, BadInput, FeedError};
use super::lines::Offset;
use super::progress::Progress;
use super::settle::{ATTEMPT, Through, Verdict, Way};
use super::shard::Shard;
use super::tally::{Ending, Tally};
use super::watermark::Watermark;
use super::{Args, Format};
use crate::ack::Outcome;
use crate::cli::dead_letter_table::Deleted;
use crate::cli::printable;
use crate::config::Operator;
use crate::decode::Decoder;
use crate::google::{ApiError, Client, TokenError, Tokens};
use crate::service::assembly::Assembly;
use crate::sink::bigquery::BigQuery;
use crate::sink::template::Mismatch;

/// How often the checkpoint is written, and how far it is shown.
const TICK: Duration = Duration::from_millis(500);
/// What is under way at Ctrl-C, or when a Cloud Run task is ended, has this long.
const GRACE: Duration = Duration::from_secs(9);

/// Why nothing is replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Input {
        #[from]
        source: BadInput,
    },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
    #[error("cannot list {place}: {error}")]
    List { place: String, error: ApiError },
    #[error("cannot read the dead letters: {0}")]
    DeadLetters(ApiError),
    #[error("cannot read the template table")]
    Template(#[from] ApiError),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
    #[error("cannot write the checkpoint: {0}")]
    Save(std::io::Error),
    #[error("cannot listen for signals")]
    Signal(#[source] std::io::Error),
    #[cfg(feature = "pubsub")]
    #[error(transparent)]
    Subscription(#[from] super::subscription::SubscriptionError),
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Input(source) => Self::Input { source },
            FeedError::Checkpoint(error) => Self::Checkpoint(error),
        }
    }
}

/// Replays everything that the arguments name.
pub(crate) async fn run(args: &Args, operator: Operator) -> Result<ExitCode, Failure> {
    let shutdown = crate::cli::shutdown_signal().map_err(Failure::Signal)?;
    let no_task = || Failure::Usage(format!("there is no task {} of {}: they are counted from 0", args.task_index, args.task_count));
    let shard = Shard::new(args.task_index, args.task_count).ok_or_else(no_task)?;
    if !shard.is_whole() && args.files.iter().any(|file| file == "-") {
        return Err(Failure::Usage("standard input cannot be shared by tasks: give each a file".to_owned()));
    }
    // clap does not say so where another argument rules the table out.
    if !args.dead_letters && (args.delete || !args.reason.is_empty()) {
        return Err(Failure::Usage("--reason and --delete are for --dead-letters".to_owned()));
    }
    let checkpoint = args.checkpoint.as_deref().map(|path| Checkpoint::open(path, shard, args.period())).transpose()?;
    let tokens = operator.tokens().await?;
    let (feed, letters) = open(args, &operator, shard, checkpoint.as_ref(), &tokens).await?;
    let (hurry, hurried) = watch::channel(false);
    let way = |through| Way { through, period: args.period(), give_up_after: args.give_up_after.0, hurry: hurried };
    if args.dry_run {
        let way = way(Through::Decoder(decoder(&operator, tokens).await?));
        return Replay::new(args, feed, checkpoint, letters).run(way, hurry, shutdown, None).await;
    }
    let mut config = operator.service.clone();
    config.limits.attempt = ATTEMPT.mul_f64(0.4);
    let Assembly { pipeline, batcher, watcher, .. } = Assembly::start(&config, tokens)?;
    // They are kept where they are: a second copy at each attempt would be in the way of whoever counts them.
    let pipeline = if args.dead_letters { pipeline.without_dead_letters() } else { pipeline };
    let way = way(Through::Pipeline(Arc::new(pipeline)));
    let ended = Replay::new(args, feed, checkpoint, letters).run(way, hurry, shutdown, Some(watcher)).await;
    // The last pipeline is gone by now, and nothing is left to be settled.
    if tokio::time::timeout(GRACE, batcher).await.is_err() {
        tracing::warn!("the batcher did not end in time");
    }
    ended
}

/// The entries that the arguments name, and the table of those that are dead letters.
async fn open(
    args: &Args,
    operator: &Operator,
    shard: Shard,
    checkpoint: Option<&Checkpoint>,
    tokens: &Tokens,
) -> Result<(Feed, Option<DeadLetters>), Failure> {
    let project = &operator.service.location.project;
    if args.dead_letters {
        let google = Client::new(operator.endpoints.clone(), tokens.clone(), project).await?;
        let letters = DeadLetters::new(google, &operator.service);
        let question = dead_letters::Question { reasons: &args.reason, period: args.period(), shard };
        let feed = letters.feed(&question).await.map_err(Failure::DeadLetters)?;
        return Ok((feed, Some(letters)));
    }
    #[cfg(feature = "pubsub")]
    if let Some(name) = &args.subscription {
        let subscription = super::subscription::Subscription::connect(name, operator).await?;
        return Ok((subscription.feed(args.idle_timeout.0), None));
    }
    let (mut inputs, mut archive) = (Vec::new(), None);
    for file in &args.files {
        let Some(place) = Place::parse(file) else {
            inputs.extend(files::matching(file)?);
            continue;
        };
        let archive = match &archive {
            Some(archive) => archive,
            None => {
                let google = Client::new(operator.endpoints.clone(), operator.storage_tokens().await?, project).await?;
                archive.insert(Arc::new(Archive::new(google)))
            }
        };
        let objects = archive.list(&place, shard, args.period()).await;
        let objects = objects.map_err(|error| Failure::List { place: file.clone(), error })?;
        // Another task may have them all.
        if objects.is_empty() && shard.is_whole() {
            return Err(Failure::Usage(format!("{file} matches no object that may have entries of that time")));
        }
        inputs.extend(objects.into_iter().map(files::Input::Object));
    }
    Ok((files::feed(inputs, archive, shard, checkpoint)?, None))
}

/// For a dry run: by the template table where there is one, and nothing is made.
async fn decoder(operator: &Operator, tokens: Tokens) -> Result<Arc<Decoder>, Failure> {
    let template = &operator.service.template;
    let bigquery = BigQuery::new(operator.service.location.clone(), tokens, operator.service.gzip)?;
    let schema = bigquery.schema_of(&template.table).await?.unwrap_or_else(|| template.schema.clone());
    let problems = template.decode.problems_with(&schema);
    if !problems.is_empty() {
        return Err(Mismatch(problems).into());
    }
    Ok(Arc::new(Decoder::new(template.decode.clone(), &schema)))
}

/// An entry that has come to its end. `number` is its name in the watermark of its source.
struct Done {
    entry: Entry,
    number: u64,
    verdict: Verdict,
}

/// One run.
struct Replay<'a> {
    args: &'a Args,
    feed: Feed,
    checkpoint: Option<Checkpoint>,
    letters: Option<DeadLetters>,
    marks: Vec<Watermark>,
    tally: Tally,
    progress: Progress,
    broken: Vec<String>,
    /// event_ids of dead letters that became rows.
    mended: Vec<String>,
    /// Of messages that were not stored: they go back when the feed is closed.
    #[cfg(feature = "pubsub")]
    held: Vec<super::subscription::Receipt>,
}

impl<'a> Replay<'a> {
    fn new(args: &'a Args, feed: Feed, checkpoint: Option<Checkpoint>, letters: Option<DeadLetters>) -> Self {
        let marks = feed.sources.iter().map(|source| Watermark::new(source.start)).collect();
        let progress = Progress::new(feed.reach.clone());
        Self {
            args,
            feed,
            checkpoint,
            letters,
            marks,
            tally: Tally::default(),
            progress,
            broken: Vec::new(),
            mended: Vec::new(),
            #[cfg(feature = "pubsub")]
            held: Vec::new(),
        }
    }

    async fn run(
        mut self,
        way: Way,
        hurry: watch::Sender<bool>,
        shutdown: impl Future<Output = ()>,
        mut watcher: Option<JoinHandle<Mismatch>>,
    ) -> Result<ExitCode, Failure> {
        let started = Instant::now();
        let (mut open, mut killed_at) = (true, None);
        let mut under_way: JoinSet<Done> = JoinSet::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(shutdown);
        while open || !under_way.is_empty() {
            let has_room = under_way.len() < self.args.concurrency as usize;
            tokio::select! {
                () = &mut shutdown, if killed_at.is_none() => {
                    self.progress.say("stopping: what is under way may end");
                    killed_at = Some(Instant::now() + GRACE);
                    open = false;
                    self.feed.events.close();
                    // Whoever tries again does not.
                    let _ = hurry.send(true);
                }
                () = tokio::time::sleep_until(killed_at.unwrap_or(started)), if killed_at.is_some() => break,
                Some(done) = under_way.join_next(), if !under_way.is_empty() => match done {
                    Ok(done) => self.end(done),
                    // It panicked, and nobody can say which entry it was: let the checkpoint stay before it.
                    Err(error) => self.broken.push(format!("an entry: {error}")),
                },
                event = self.feed.events.recv(), if open && has_room => match event {
                    Some(Event::Entry(entry)) => {
                        let number = match &entry.origin {
                            Origin::Line { source, resume, .. } => self.marks[*source].begin(*resume),
                            _ => 0,
                        };
                        let way = way.clone();
                        under_way.spawn(async move {
                            let verdict = way.go(&entry.payload).await;
                            Done { entry, number, verdict }
                        });
                    }
                    Some(event) => self.note(event),
                    None => open = false,
                },
                _ = tick.tick() => {
                    self.save()?;
                    self.progress.show(self.tally.entries());
                }
                ended = async { watcher.as_mut().expect("it is there").await }, if watcher.is_some() => {
                    return Err(ended.map_or(Failure::Ended("watcher of the template table"), Failure::from));
                }
            }
        }
        if let Some(watcher) = watcher {
            watcher.abort();
        }
        self.tally.interrupted(under_way.len() as u64);
        under_way.shutdown().await;
        // Entries that nobody took go back where they are from.
        while self.feed.events.try_recv().is_ok() {}
        if tokio::time::timeout(GRACE, &mut self.feed.closing).await.is_err() {
            self.broken.push("the subscription: not all acknowledgements were sent in time".to_owned());
        }
        self.save()?;
        drop(way);
        let deleted = self.delete().await;
        self.progress.end();
        let ending = Ending {
            took: started.elapsed(),
            dry_run: self.args.dry_run,
            interrupted: killed_at.is_some(),
            broken: std::mem::take(&mut self.broken),
            deleted,
        };
        Ok(self.conclude(&ending))
    }

    /// What came that is no entry.
    fn note(&mut self, event: Event) {
        match event {
            Event::Entry(_) => {}
            Event::Unreadable { source, line, problem } => {
                self.tally.unreadable(problem);
                self.name(&format!("{}:{line}: cannot be an entry ({problem})", self.feed.sources[source].name));
            }
            Event::End { source, resume } => {
                // As if it were an entry, settled at once.
                let number = self.marks[source].begin(resume);
                self.marks[source].settle(number);
            }
            Event::Broken { what } => {
                self.progress.say(&format!("cannot read {}", printable(&what)));
                self.broken.push(what);
            }
        }
    }

    fn end(&mut self, Done { entry, number, verdict }: Done) {
        self.tally.count(verdict);
        let is_settled = !matches!(verdict, Verdict::GivenUp(_));
        let place = match entry.origin {
            Origin::Line { source, line, .. } => {
                let mark = &mut self.marks[source];
                if is_settled {
                    mark.settle(number)
                } else {
                    mark.give_up(number)
                }
                format!("{}:{line}", self.feed.sources[source].name)
            }
            Origin::Letter { event_id } => {
                let place = format!("dead letter {event_id}");
                if verdict == Verdict::Settled(Outcome::Stored) && self.args.delete {
                    self.mended.push(event_id);
                }
                place
            }
            #[cfg(feature = "pubsub")]
            Origin::Pulled(receipt) => {
                let place = receipt.to_string();
                // What was left out is settled for a checkpoint, and not for Pub/Sub.
                if matches!(verdict, Verdict::Settled(_)) && !self.args.dry_run {
                    receipt.acknowledge();
                } else {
                    self.held.push(receipt);
                }
                place
            }
        };
        match verdict {
            Verdict::Settled(Outcome::DeadLetter(reason)) => self.name(&format!("{place}: a dead letter ({})", reason.as_str())),
            Verdict::GivenUp(outcome) => self.name(&format!("{place}: not settled ({})", outcome.reason())),
            Verdict::Settled(_) | Verdict::LeftOut(_) => {}
        }
    }

    fn name(&mut self, text: &str) {
        if self.tally.may_name() {
            self.progress.say(&printable(text));
        }
    }

    fn save(&mut self) -> Result<(), Failure> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let settled: Vec<(&Source, Offset)> = self.feed.sources.iter().zip(self.marks.iter().map(Watermark::settled)).collect();
        checkpoint.save(settled.into_iter()).map_err(Failure::Save)
    }

    /// Deletes the dead letters that became rows.
    async fn delete(&mut self) -> Option<Deleted> {
        let letters = self.letters.as_ref().filter(|_| self.args.delete)?;
        let mut count = Deleted::default();
        if let Err(error) = letters.delete(&self.mended, &mut count).await {
            let what = format!("the dead letters that became rows: {error}");
            self.progress.say(&format!("cannot delete {}", printable(&what)));
            self.broken.push(what);
        }
        Some(count)
    }

    fn conclude(&self, ending: &Ending) -> ExitCode {
        if self.tally.unnamed() > 0 {
            eprintln!("and {} more", self.tally.unnamed());
        }
        let is_done = self.tally.all_settled() && ending.broken.is_empty() && !ending.interrupted;
        if !is_done && let Some(checkpoint) = &self.checkpoint {
            eprintln!("to go on from here, run it again with --checkpoint {}", checkpoint.path().display());
        } else if ending.interrupted {
            eprintln!("without --checkpoint, another run begins anew");
        }
        match self.args.format {
            Format::Text => print!("{}", self.tally.text(ending)),
            Format::Json => print!("{}", self.tally.json(ending)),
        }
        if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
