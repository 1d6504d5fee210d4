//! What a query can read: the tables, behind one trait.
//!
//! The engine knows no storage. Whoever embeds it implements [`Catalog`] over theirs: SQLite, files, or memory as in
//! the example of [`Engine`](crate::Engine).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::datatypes::Field;
use datafusion::catalog::{Session, TableProvider};

use crate::error::QueryError;

/// The hidden column of a wildcard table: what the `*` stands for in the table's name.
pub const TABLE_SUFFIX: &str = "_TABLE_SUFFIX";

/// One consistent state of the tables.
///
/// A query is given a catalog of its own, resolves all its names with it on a thread that may block, and then drops
/// it. The [`TableProvider`]s that it gave are read afterwards.
pub trait Catalog: Send {
    /// The table or view of this name, `None` if its dataset has none.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn table(&self, name: &TableName) -> Result<Option<CatalogEntry>, QueryError>;

    /// All tables of a dataset whose names begin with `prefix`, as one.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn wildcard(&self, dataset: &DatasetName, prefix: &str) -> Result<WildcardMatch, QueryError>;

    /// The dataset of this name, if there is one.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn dataset(&self, name: &DatasetName) -> Result<Option<DatasetInfo>, QueryError>;

    /// The datasets of a project, by name.
    ///
    /// # Errors
    ///
    /// [`QueryError::Catalog`] if the catalog cannot be read.
    fn datasets(&self, project: &str) -> Result<Vec<DatasetInfo>, QueryError>;

    /// Calls `visit` with each table and view of a dataset, by name: what INFORMATION_SCHEMA shows of them. `details`
    /// says whether [`TableInfo::columns`] are needed, which may be expensive to read.
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
    /// The dataset that the table is in.
    pub dataset: DatasetName,
    /// The table's id.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// What a name stands for.
pub enum CatalogEntry {
    /// Rows. A table without columns has no schema yet; a query of it is an error.
    Table {
        /// Scans the rows. Its fields are those of [`types`](crate::types).
        provider: Arc<dyn TableProvider>,
        /// Bytes of the rows as stored.
        bytes: u64,
    },
    /// A query.
    View {
        /// Its text.
        query: String,
    },
}

/// What a wildcard matches.
pub enum WildcardMatch {
    /// There is no such dataset.
    NoDataset,
    /// No table's name begins with the prefix.
    NoTable,
    /// A view's name does, which is an error.
    View(TableName),
    /// Tables.
    Tables {
        /// Scans the rows of all tables. Its columns are those of the table that was created last, and
        /// [`TABLE_SUFFIX`] as the last one. Rows of tables that lack a column have NULL there.
        provider: Arc<dyn TableProvider>,
        /// The columns of each other schema among the tables.
        other_schemas: Vec<Vec<Field>>,
    },
}

/// A dataset. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct DatasetInfo {
    /// Its name.
    pub name: DatasetName,
    /// Where BigQuery would keep it.
    pub location: String,
    /// When it was created.
    pub created: i64,
    /// When it was last changed.
    pub modified: i64,
}

/// What [`Catalog::visit_tables`] has to fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details {
    /// Everything but the columns.
    WithoutColumns,
    /// The columns, too.
    WithColumns,
}

/// A table or view. Times are milliseconds since 1970.
pub struct TableInfo<'a> {
    /// The table's id.
    pub table: &'a str,
    /// The text of a view.
    pub view: Option<&'a str>,
    /// When it was created.
    pub created: i64,
    /// When it was last changed.
    pub modified: i64,
    /// How many rows it has.
    pub rows: i64,
    /// Bytes of the rows as stored.
    pub bytes: i64,
    /// The columns, if they were asked for. Tables of one schema may share them.
    pub columns: Arc<[ColumnInfo]>,
}

/// A column. Its type is the field's; arrays and required columns are not nullable.
pub struct ColumnInfo {
    /// Name and type.
    pub field: Field,
    /// Whether it may be NULL.
    pub is_nullable: bool,
}

/// Counts the bytes of the tables that a query reads: `totalBytesProcessed`.
///
/// The engine puts one into the session of each query. A [`TableProvider`] adds to it in its `scan`, when it knows which
/// of its rows will be read; the engine runs a query that reads little on one core.
#[derive(Debug, Default)]
pub struct BytesProcessed(AtomicU64);

impl BytesProcessed {
    /// Adds to the counter of the query that this session belongs to. Does nothing in any other session.
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
