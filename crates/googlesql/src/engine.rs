//! Running a query: parse, resolve, plan, execute, each on threads of the engine's own.
//!
//! A query can keep a processor busy for long, and must not hold up those who answer requests; so
//! it runs on its own runtime. It stops when nobody waits for it any more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::execution::session_state::SessionState;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::doomed::Doomed;
use super::resolve::{Path, Resolver};
use super::scope::Relation;
use super::tables::Catalog;
use super::text::{Command, Text};
use super::view::{Existing, NewView};
use super::{Answer, Query, QueryError, Rows, delete, execution, session, text, view};
use crate::errors::ApiError;
use crate::store::{Reader, Store};
use crate::streaming_buffer::StreamingBuffer;

/// Plans are trees, and walked by functions that call themselves.
const STACK: usize = 64 * 1024 * 1024;

/// What runs queries; one for a whole server.
pub(crate) struct Engine {
    session: Arc<SessionState>,
    streaming_buffer: Arc<StreamingBuffer>,
    /// None once it was shut down.
    runtime: Option<Runtime>,
}

impl Engine {
    pub(crate) fn start() -> io::Result<Engine> {
        let session = session::state().map_err(io::Error::other)?;
        let runtime = Builder::new_multi_thread()
            .thread_name("bigquery-query")
            .worker_threads(session::threads())
            .thread_stack_size(STACK)
            .enable_all()
            .build()?;
        Ok(Engine { session: Arc::new(session), streaming_buffer: Arc::default(), runtime: Some(runtime) })
    }

    /// What no DELETE may touch.
    pub(crate) fn streaming_buffer(&self) -> &Arc<StreamingBuffer> {
        &self.streaming_buffer
    }

    /// How many tasks there are, of all queries.
    #[cfg(test)]
    pub(crate) fn tasks(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }

    /// Runs the query to its end. To stop it, drop the future.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: the text is at fault, or a table is missing, or the file cannot be read.
    pub(crate) async fn run(&self, store: &Store, query: Query) -> Result<Answer, QueryError> {
        let mut session = self.session.as_ref().clone();
        session.mark_start_execution();
        let job = Arc::new(Job { session, reader: store.reader(), query, bytes: Arc::default() });
        match self.prepare(job).await? {
            Prepared::Done(answer) => Ok(answer),
            Prepared::Delete(deletion) => {
                let buffer = Arc::clone(&self.streaming_buffer);
                let (bytes, count) = store.write(move |db| Ok(delete::delete(db, &deletion, &buffer, now()))).await??;
                Ok(Answer { bytes_processed: bytes, affected_rows: Some(count), ..without_rows("DELETE") })
            }
            Prepared::View(view) => {
                store.write(move |db| Ok(view::create(db, &view, now()))).await??;
                Ok(without_rows("CREATE_VIEW"))
            }
        }
    }

    /// Everything but writing, on the engine's threads, whose stacks are deep enough for it.
    async fn prepare(&self, job: Arc<Job>) -> Result<Prepared, QueryError> {
        let runtime = self.runtime.as_ref().ok_or(ApiError::Closing)?;
        let task = runtime.spawn(prepare(job));
        Running(task).await.map_err(ApiError::of_task)?
    }
}

/// A query with all it needs.
struct Job {
    session: SessionState,
    reader: Reader,
    query: Query,
    /// Of the tables that are read.
    bytes: Arc<AtomicU64>,
}

/// What is left to do.
enum Prepared {
    Done(Answer),
    Delete(Doomed),
    View(NewView),
}

async fn prepare(job: Arc<Job>) -> Result<Prepared, QueryError> {
    let text = Arc::new(text::parse(&job.query.sql)?);
    let is_dry = job.query.dry_run;
    Ok(match &text.command {
        Command::Select(_) => Prepared::Done(select(job, text).await?),
        Command::Delete(_) => {
            let deletion = resolve(&job, &text, |resolver, command| match command {
                Command::Delete(delete) => resolver.deletion(delete),
                _ => Err(QueryError::Invalid("Not a DELETE".to_owned())),
            });
            match deletion.await? {
                deletion if is_dry => {
                    Prepared::Done(Answer { bytes_processed: deletion.table.bytes.unsigned_abs(), ..without_rows("DELETE") })
                }
                deletion => Prepared::Delete(Doomed::of(deletion, &job.session).await?),
            }
        }
        Command::CreateView(view) => {
            let name = Path::read(&view.name)?.table(&job.query)?;
            let existing = match (view.or_replace, view.if_not_exists) {
                (true, _) => Existing::Replace,
                (false, true) => Existing::Keep,
                (false, false) => Existing::Refuse,
            };
            let relation = resolve(&job, &text, relation).await?;
            let schema = super::result::schema(&super::result::named(&relation)?);
            match is_dry {
                true => Prepared::Done(without_rows("CREATE_VIEW")),
                false => Prepared::View(NewView { name, query: text.view_query.clone().unwrap_or_default(), schema, existing }),
            }
        }
    })
}

/// What a statement selects.
fn relation(resolver: &Resolver<'_>, command: &Command) -> Result<Relation, QueryError> {
    match command {
        Command::Select(query) => resolver.top(query),
        Command::CreateView(view) => resolver.top(&view.query),
        Command::Delete(_) => Err(QueryError::Invalid("Only a SELECT has rows".to_owned())),
    }
}

/// What is answered where there is nothing to show.
fn without_rows(statement: &'static str) -> Answer {
    Answer { statement, schema: None, rows: Rows::default(), bytes_processed: 0, affected_rows: None }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // An async thread may not wait here; queries hold nothing that must be finished.
            runtime.shutdown_background();
        }
    }
}

/// A task that ends with the one who waits for it.
struct Running<T>(JoinHandle<T>);

impl<T> Future for Running<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn select(job: Arc<Job>, text: Arc<Text>) -> Result<Answer, QueryError> {
    let relation = resolve(&job, &text, relation).await?;
    let columns = super::result::named(&relation)?;
    let plan = execution::plan(&relation.plan, &job.session, &job.bytes).await?;
    let batches = match job.query.dry_run {
        true => Vec::new(),
        false => execution::collect(plan, &job.session).await?,
    };
    Ok(Answer {
        statement: "SELECT",
        schema: Some(super::result::schema(&columns)),
        rows: Rows::new(columns, batches)?,
        bytes_processed: job.bytes.load(Ordering::Relaxed),
        affected_rows: None,
    })
}

/// The meaning of the query, with the catalog at hand: on a thread that may wait for the disk.
async fn resolve<T: Send + 'static>(
    job: &Arc<Job>,
    text: &Arc<Text>,
    meaning: impl FnOnce(&Resolver<'_>, &Command) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let (job, text, reader) = (Arc::clone(job), Arc::clone(text), job.reader.clone());
    reader
        .read(move |db| {
            let catalog = Catalog { db, reader: job.reader.clone(), bytes: Arc::clone(&job.bytes) };
            let resolver = Resolver::new(&job.query, &text.placeholders, &catalog, &job.session);
            Ok(meaning(&resolver, &text.command))
        })
        .await?
}
