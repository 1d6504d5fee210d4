//! The [`Catalog`] trait: the tables that a query can read.
//!
//! The engine has no storage. The embedding program implements [`Catalog`] over SQLite, files or memory. The
//! documentation of [`Engine`](crate::Engine) has an example. `resolve` looks up table names in the catalog.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::datatypes::Field;
use datafusion::catalog::{Session, TableProvider};

use crate::error::QueryError;

/// The pseudocolumn of a wildcard table. Its value is the part of the table's name that the `*` matches.
/// <https://cloud.google.com/bigquery/docs/querying-wildcard-tables#filtering_selected_tables_using_table_suffix>
pub const TABLE_SUFFIX: &str = "_TABLE_SUFFIX";

/// One consistent state of the tables.
///
/// Each query has its own catalog. It resolves all names with the catalog on a thread that may block, and then drops
/// the catalog. It reads the returned [`TableProvider`]s later.
pub trait Catalog: Send {
    /// Finds a table or view. Returns `None` if the dataset has no table or view of this name.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn table(&self, name: &TableName) -> Result<Option<CatalogEntry>, QueryError>;

    /// Combines all tables of a dataset whose names begin with `prefix`.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn wildcard(&self, dataset: &DatasetName, prefix: &str) -> Result<WildcardMatch, QueryError>;

    /// Finds a dataset.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn dataset(&self, name: &DatasetName) -> Result<Option<DatasetInfo>, QueryError>;

    /// Lists the datasets of a project, sorted by name.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn datasets(&self, project: &str) -> Result<Vec<DatasetInfo>, QueryError>;

    /// Calls `visit` for each table and view of a dataset, sorted by name. INFORMATION_SCHEMA uses it. `details` says
    /// whether `visit` needs [`TableInfo::columns`], because columns may be expensive to read.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn visit_tables(&self, dataset: &DatasetName, details: Details, visit: &mut dyn FnMut(TableInfo<'_>)) -> Result<(), QueryError>;
}

/// `project:dataset`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatasetName {
    /// The project's id.
    pub project: String,
    /// The dataset's id.
    pub dataset: String,
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.project, self.dataset)
    }
}

/// `project:dataset.table`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The table's dataset.
    pub dataset: DatasetName,
    /// The table's id.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// A table or a view.
pub enum CatalogEntry {
    /// A table. A table without columns has no schema, and a query of it is an error.
    Table {
        /// Scans the rows. Its field types are those of [`types`](crate::types).
        provider: Arc<dyn TableProvider>,
        /// Bytes of the stored rows.
        bytes: u64,
    },
    /// A view.
    View {
        /// The text of the view's query.
        query: String,
    },
}

/// The result of [`Catalog::wildcard`].
pub enum WildcardMatch {
    /// The dataset does not exist.
    NoDataset,
    /// No table's name begins with the prefix.
    NoTable,
    /// The prefix matches this view, which is an error.
    View(TableName),
    /// The matching tables.
    Tables {
        /// Scans the rows of all tables. It has the columns of the table that was created last, and then
        /// [`TABLE_SUFFIX`]. A column that a table does not have is NULL in that table's rows.
        provider: Arc<dyn TableProvider>,
        /// The columns of each different schema among the other tables.
        other_schemas: Vec<Vec<Field>>,
    },
}

/// A dataset. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct DatasetInfo {
    /// The name.
    pub name: DatasetName,
    /// The location, such as `US`.
    pub location: String,
    /// When it was created.
    pub created: i64,
    /// When it was last changed.
    pub modified: i64,
}

/// The parts of [`TableInfo`] that [`Catalog::visit_tables`] must fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details {
    /// Everything but the columns.
    WithoutColumns,
    /// Everything.
    WithColumns,
}

/// A table or view. Times are milliseconds since 1970.
pub struct TableInfo<'a> {
    /// The table's id.
    pub table: &'a str,
    /// The query text of a view; `None` for a table.
    pub view: Option<&'a str>,
    /// When it was created.
    pub created: i64,
    /// When it was last changed.
    pub modified: i64,
    /// Number of rows.
    pub rows: i64,
    /// Bytes of the stored rows.
    pub bytes: i64,
    /// The columns; empty with [`Details::WithoutColumns`]. Tables with the same schema may share them.
    pub columns: Arc<[ColumnInfo]>,
}

/// A column. Arrays and required columns are not nullable.
pub struct ColumnInfo {
    /// Name and type.
    pub field: Field,
    /// Whether it may be NULL.
    pub is_nullable: bool,
}

/// Counts the bytes of the tables that a query reads, for `totalBytesProcessed`.
///
/// The engine adds a counter to the session of each query. A [`TableProvider`] increases it in `scan`, when it knows
/// which rows the query reads. The engine runs a query that reads few bytes on one core.
#[derive(Debug, Default)]
pub struct BytesProcessed(AtomicU64);

impl BytesProcessed {
    /// Increases the counter of the session's query. Does nothing in a session without a counter.
    pub fn add(session: &dyn Session, bytes: u64) {
        if let Some(counter) = session.config().get_extension::<BytesProcessed>() {
            counter.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}
