//! The engine: parses, resolves, plans and executes queries on its own threads.
//!
//! A query can occupy a CPU for a long time. The engine has its own runtime, so that a query does not delay the
//! caller's other tasks. Dropping the future of a query cancels it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::execution::session_state::SessionState;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::catalog::{BytesProcessed, Catalog};
use crate::delete_plan::DeletePlan;
use crate::error::QueryError;
use crate::physical::{execution, session};
use crate::prepared::{NewView, OnExisting, Prepared, QueryResult};
use crate::query::Query;
use crate::query_limits::QueryLimits;
use crate::resolve::scope::Relation;
use crate::resolve::{Resolver, TablePath};
use crate::result::{self, Rows};
use crate::syntax::statement::{self, Command, ParsedStatement};

/// Stack size of a thread. Plans are trees, and DataFusion's functions visit them recursively.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs queries. One engine runs any number of queries at the same time.
///
/// ```
/// use std::sync::Arc;
///
/// use googlesql::datafusion::arrow::array::{Int64Array, RecordBatch};
/// use googlesql::datafusion::arrow::datatypes::{DataType, Field, Schema};
/// use googlesql::datafusion::catalog::TableProvider;
/// use googlesql::datafusion::datasource::MemTable;
/// use googlesql::{Catalog, CatalogEntry, DatasetInfo, DatasetName, Details, Engine, Prepared, Query, QueryError};
/// use googlesql::{TableInfo, TableName, WildcardMatch};
///
/// /// One table, `shop.sales`, in memory.
/// struct Memory(Arc<dyn TableProvider>);
///
/// impl Catalog for Memory {
///     fn table(&self, name: &TableName) -> Result<Option<CatalogEntry>, QueryError> {
///         let is_known = name.dataset.dataset == "shop" && name.table == "sales";
///         Ok(is_known.then(|| CatalogEntry::Table { provider: Arc::clone(&self.0), bytes: 0 }))
///     }
///
///     fn wildcard(&self, _: &DatasetName, _: &str) -> Result<WildcardMatch, QueryError> {
///         Ok(WildcardMatch::NoTable)
///     }
///
///     fn dataset(&self, _: &DatasetName) -> Result<Option<DatasetInfo>, QueryError> {
///         Ok(None)
///     }
///
///     fn datasets(&self, _: &str) -> Result<Vec<DatasetInfo>, QueryError> {
///         Ok(Vec::new())
///     }
///
///     fn visit_tables(&self, _: &DatasetName, _: Details, _: &mut dyn FnMut(TableInfo<'_>)) -> Result<(), QueryError> {
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let schema = Arc::new(Schema::new(vec![Field::new("quantity", DataType::Int64, true)]));
/// let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(vec![2, 3]))])?;
/// let sales = Memory(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?));
///
/// let engine = Engine::start()?;
/// let query = Query { project: "p".to_owned(), sql: "SELECT SUM(quantity) AS sold FROM shop.sales".to_owned(), ..Query::default() };
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let Prepared::Done(result) = engine.prepare(sales, query).await? else { panic!("a SELECT changes nothing") };
/// assert_eq!(result.rows.page(0, 10, usize::MAX, false)[0]["f"][0]["v"], "5");
/// # Ok::<(), QueryError>(())
/// # })?;
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    session: Arc<SessionState>,
    /// `None` after the shutdown.
    runtime: Option<Runtime>,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The operating system cannot create a thread.
    pub fn start() -> io::Result<Engine> {
        let session = session::build_state().map_err(io::Error::other)?;
        let runtime = Builder::new_multi_thread()
            .thread_name("bigquery-query")
            .worker_threads(session::thread_count())
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        Ok(Engine { session: Arc::new(session), runtime: Some(runtime) })
    }

    /// Number of running tasks of all queries.
    #[cfg(test)]
    pub(crate) fn task_count(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }

    /// Runs a SELECT, or prepares a DELETE or CREATE VIEW for the owner of the tables. Dropping the future cancels the
    /// query.
    ///
    /// # Errors
    ///
    /// [`QueryError`] if the text is invalid, a table does not exist, or the catalog cannot be read.
    pub async fn prepare(&self, catalog: impl Catalog + 'static, query: Query) -> Result<Prepared, QueryError> {
        let runtime = self.runtime.as_ref().ok_or(QueryError::Closing)?;
        let mut session = session::query_state(&self.session)?;
        session.mark_start_execution();
        let bytes = Arc::new(BytesProcessed::default());
        session.config_mut().set_extension(Arc::clone(&bytes));
        let limits = Arc::new(QueryLimits::new(Arc::clone(&session.runtime_env().memory_pool)));
        limits.add_to(session.config_mut().options_mut());
        let context = Arc::new(QueryContext { session, query, bytes, limits: Arc::clone(&limits) });
        CancelOnDrop { task: runtime.spawn(prepare(context, Box::new(catalog))), limits }.await?
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits for its threads, which an async thread must not do. An aborted query leaves
            // nothing to clean up.
            runtime.shutdown_background();
        }
    }
}

/// A query, its session, its byte counter and its limits.
struct QueryContext {
    session: SessionState,
    query: Query,
    bytes: Arc<BytesProcessed>,
    limits: Arc<QueryLimits>,
}

/// The task of a query. It is cancelled when this handle is dropped: its execution where it yields, and its planning,
/// which does not yield, where it checks the limits.
struct CancelOnDrop<T> {
    task: JoinHandle<T>,
    limits: Arc<QueryLimits>,
}

impl<T> Future for CancelOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(context)
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        self.limits.cancel();
        self.task.abort();
    }
}

async fn prepare(context: Arc<QueryContext>, catalog: Box<dyn Catalog>) -> Result<Prepared, QueryError> {
    let text = Arc::new(statement::parse(&context.query.sql)?);
    let is_dry = context.query.dry_run;
    match &text.command {
        Command::Select(_) => run_select(context, text, catalog).await.map(Prepared::Done),
        Command::Delete(_) => {
            let deletion = resolve(&context, &text, catalog, |resolver, command| match command {
                Command::Delete(delete) => resolver.resolve_delete(delete),
                _ => Err(QueryError::Invalid("Not a DELETE".to_owned())),
            });
            let deletion = deletion.await?;
            if is_dry {
                return Ok(Prepared::Done(QueryResult { bytes_processed: deletion.bytes, ..QueryResult::without_rows("DELETE") }));
            }
            DeletePlan::new(deletion, &context.session).await.map(Prepared::Delete)
        }
        Command::CreateView { view, query } => {
            let name = TablePath::parse(&view.name)?.table_name(&context.query)?;
            let on_existing = match (view.or_replace, view.if_not_exists) {
                (true, _) => OnExisting::Replace,
                (false, true) => OnExisting::Keep,
                (false, false) => OnExisting::Fail,
            };
            let relation = resolve(&context, &text, catalog, resolve_relation).await?;
            let schema = result::schema_json(&result::name_columns(&relation)?);
            Ok(match is_dry {
                true => Prepared::Done(QueryResult::without_rows("CREATE_VIEW")),
                false => Prepared::CreateView(NewView { name, query: query.clone(), schema, on_existing }),
            })
        }
    }
}

/// Resolves the SELECT of a statement.
fn resolve_relation(resolver: &Resolver<'_>, command: &Command) -> Result<Relation, QueryError> {
    match command {
        Command::Select(query) => resolver.resolve_top_query(query),
        Command::CreateView { view, .. } => resolver.resolve_top_query(&view.query),
        Command::Delete(_) => Err(QueryError::Invalid("Only a SELECT has rows".to_owned())),
    }
}

async fn run_select(context: Arc<QueryContext>, text: Arc<ParsedStatement>, catalog: Box<dyn Catalog>) -> Result<QueryResult, QueryError> {
    let relation = resolve(&context, &text, catalog, resolve_relation).await?;
    let columns = result::name_columns(&relation)?;
    let plan = execution::plan_query(&relation.plan, &context.session, &context.bytes).await?;
    let batches = match context.query.dry_run {
        true => Vec::new(),
        false => execution::collect(plan, &context.session).await?,
    };
    Ok(QueryResult {
        statement: "SELECT",
        schema: Some(result::schema_json(&columns)),
        rows: Rows::new(columns, batches)?,
        bytes_processed: context.bytes.get(),
        affected_rows: None,
    })
}

/// Resolves a statement on a thread that may block on the catalog.
async fn resolve<T: Send + 'static>(
    context: &Arc<QueryContext>,
    text: &Arc<ParsedStatement>,
    catalog: Box<dyn Catalog>,
    resolve_command: impl FnOnce(&Resolver<'_>, &Command) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let (context, text) = (Arc::clone(context), Arc::clone(text));
    let resolve = move || {
        let resolver = Resolver::new(&context.query, &text.placeholders, catalog.as_ref(), &context.session, &context.limits);
        resolve_command(&resolver, &text.command)
    };
    tokio::task::spawn_blocking(resolve).await?
}
