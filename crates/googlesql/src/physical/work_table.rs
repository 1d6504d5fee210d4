//! The table that a recursive CTE reads: the rows of the previous iteration, for a limited number of iterations.
//!
//! DataFusion iterates until an iteration returns no rows. BigQuery stops after 500 iterations.
//! Reference: <https://cloud.google.com/bigquery/docs/recursive-ctes#iteration_limit>.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};

const MAX_ITERATIONS: usize = 500;

#[derive(Debug)]
pub(crate) struct WorkTable(CteWorkTable);

impl WorkTable {
    pub(crate) fn new(name: &str, schema: SchemaRef) -> WorkTable {
        WorkTable(CteWorkTable::new(name, schema))
    }
}

#[async_trait]
impl TableProvider for WorkTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.0.scan(session, projection, filters, limit).await?;
        Ok(Arc::new(BoundedIterationExec { rows, iterations: Arc::default() }))
    }
}

/// Returns the rows, and fails after [`MAX_ITERATIONS`] executions.
#[derive(Debug)]
struct BoundedIterationExec {
    rows: Arc<dyn ExecutionPlan>,
    iterations: Arc<AtomicUsize>,
}

impl ExecutionPlan for BoundedIterationExec {
    fn name(&self) -> &'static str {
        "BoundedIterationExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.rows.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.rows]
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = children.pop().unwrap_or_else(|| Arc::clone(&self.rows));
        Ok(Arc::new(BoundedIterationExec { rows, iterations: Arc::clone(&self.iterations) }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if self.iterations.fetch_add(1, Ordering::Relaxed) >= MAX_ITERATIONS {
            return exec_err!("A recursive CTE has reached the maximum number of iterations: {MAX_ITERATIONS}");
        }
        self.rows.execute(partition, context)
    }
}

impl DisplayAs for BoundedIterationExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoundedIterationExec: {MAX_ITERATIONS}")
    }
}
