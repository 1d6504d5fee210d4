//! The engine: parses, resolves, plans and executes queries on its own threads.
//!
//! A query can occupy a CPU for a long time. The engine has its own runtime, so that a query does not delay the
//! caller's other tasks. Dropping the future of a query cancels it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::catalog::{BytesProcessed, Catalog};
use crate::delete_plan::PlannedDelete;
use crate::error::QueryError;
use crate::physical::{execution, session};
use crate::planning_threads::PlanningThreads;
use crate::prepared::{NewView, OnExisting, Prepared, QueryResult};
use crate::query::Query;
use crate::query_limits::QueryLimits;
use crate::resolve::{Resolver, TablePath};
use crate::result::{self, ResultColumn, Rows};
use crate::syntax::statement::{self, Command};

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
    planning: Arc<PlanningThreads>,
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
        Engine::start_with(PlanningThreads::default())
    }

    pub(crate) fn start_with(planning: PlanningThreads) -> io::Result<Engine> {
        let session = session::build_state().map_err(io::Error::other)?;
        let runtime = Builder::new_multi_thread()
            .thread_name("bigquery-query")
            .worker_threads(session::thread_count())
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        Ok(Engine { session: Arc::new(session), planning: Arc::new(planning), runtime: Some(runtime) })
    }

    /// Number of running tasks of all queries.
    #[cfg(test)]
    pub(crate) fn task_count(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }

    #[cfg(test)]
    pub(crate) fn planning(&self) -> &PlanningThreads {
        &self.planning
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
        let planning = Arc::clone(&self.planning);
        let context = Arc::new(QueryContext { session, query, bytes, limits: Arc::clone(&limits), planning });
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

/// A query, its session, its byte counter and its limits, and the threads that plan it.
struct QueryContext {
    session: SessionState,
    query: Query,
    bytes: Arc<BytesProcessed>,
    limits: Arc<QueryLimits>,
    planning: Arc<PlanningThreads>,
}

impl QueryContext {
    fn select_result(&self, columns: Vec<ResultColumn>, batches: Vec<RecordBatch>) -> Result<QueryResult, QueryError> {
        Ok(QueryResult {
            statement: "SELECT",
            schema: Some(result::schema_json(&columns)),
            rows: Rows::new(columns, batches)?,
            bytes_processed: self.bytes.get(),
            affected_rows: None,
        })
    }
}

/// The task of a query. It is cancelled when this handle is dropped: its execution where it yields, and its planning,
/// which is on a thread of its own, where it checks the limits.
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

/// A statement after its planning.
enum Planned {
    Select {
        columns: Vec<ResultColumn>,
        plan: Arc<dyn ExecutionPlan>,
    },
    Delete(PlannedDelete),
    /// There is nothing to execute.
    Done(Prepared),
}

async fn prepare(context: Arc<QueryContext>, catalog: Box<dyn Catalog>) -> Result<Prepared, QueryError> {
    let planned = {
        let context = Arc::clone(&context);
        move || plan_statement(&context, catalog.as_ref())
    };
    match context.planning.run(&context.limits, planned).await? {
        Planned::Select { columns, plan } => {
            let batches = execution::collect(plan, &context.session).await?;
            context.select_result(columns, batches).map(Prepared::Done)
        }
        Planned::Delete(deletion) => {
            let values = deletion.run_subqueries(&context.session).await?;
            let finish = {
                let context = Arc::clone(&context);
                move || deletion.finish(&values, &context.session)
            };
            context.planning.run(&context.limits, finish).await.map(Prepared::Delete)
        }
        Planned::Done(prepared) => Ok(prepared),
    }
}

/// Parses, resolves and plans the statement. It can block on the catalog.
fn plan_statement(context: &QueryContext, catalog: &dyn Catalog) -> Result<Planned, QueryError> {
    let text = statement::parse(&context.query.sql)?;
    let resolver = Resolver::new(&context.query, &text.placeholders, catalog, &context.session, &context.limits);
    let is_dry = context.query.dry_run;
    match text.command {
        Command::Select(query) => {
            let relation = resolver.resolve_top_query(&query)?;
            let columns = result::name_columns(&relation)?;
            let plan = execution::plan_query(&relation.plan, &context.session, &context.bytes)?;
            match is_dry {
                true => Ok(Planned::Done(Prepared::Done(context.select_result(columns, Vec::new())?))),
                false => Ok(Planned::Select { columns, plan }),
            }
        }
        Command::Delete(delete) => {
            let deletion = resolver.resolve_delete(&delete)?;
            if is_dry {
                let result = QueryResult { bytes_processed: deletion.bytes, ..QueryResult::without_rows("DELETE") };
                return Ok(Planned::Done(Prepared::Done(result)));
            }
            PlannedDelete::new(deletion, &context.session).map(Planned::Delete)
        }
        Command::CreateView { view, query } => {
            let name = TablePath::parse(&view.name)?.table_name(&context.query)?;
            let on_existing = match (view.or_replace, view.if_not_exists) {
                (true, _) => OnExisting::Replace,
                (false, true) => OnExisting::Keep,
                (false, false) => OnExisting::Fail,
            };
            let relation = resolver.resolve_top_query(&view.query)?;
            let schema = result::schema_json(&result::name_columns(&relation)?);
            Ok(Planned::Done(match is_dry {
                true => Prepared::Done(QueryResult::without_rows("CREATE_VIEW")),
                false => Prepared::CreateView(NewView { name, query, schema, on_existing }),
            }))
        }
    }
}
