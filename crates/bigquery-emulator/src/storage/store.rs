//! Opens the SQLite database, and defines its tables and its locking.
//!
//! One file contains all datasets, and one `rows` table contains the rows of all BigQuery tables. A BigQuery table is a key
//! range of it, so 100,000 generated tables need only 100,000 catalog entries. Reads use a few read-only connections, and
//! all writes use the [`Writer`]. `catalog` and `rows` contain the SQL.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags, Savepoint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;
use crate::storage::writer::Writer;

const DATABASE_FILE: &str = "bigquery.sqlite";
const LOCK_FILE: &str = "bigquery.lock";

/// "lbq1", which identifies the emulator's files.
const APPLICATION_ID: i32 = 0x6c62_7131;
const LAYOUT_VERSION: i32 = 1;

/// Maximum number of concurrent reads. More do not increase the throughput of a laptop's disk.
const MAX_READERS: usize = 4;

/// `rows.seq` counts from 0 without gaps, because a DELETE renumbers the rows. So a row's seq is its index in
/// tabledata.list. `insert_ids` has only the insertIds of the last minute.
const CREATE_TABLES: &str = "
    CREATE TABLE datasets (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        project  TEXT NOT NULL,
        name     TEXT NOT NULL,
        resource TEXT NOT NULL,              -- JSON as it was sent
        created  INTEGER NOT NULL,           -- milliseconds
        modified INTEGER NOT NULL,
        version  INTEGER NOT NULL DEFAULT 1, -- counts changes of the resource
        UNIQUE (project, name)
    );
    CREATE TABLE tables (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        dataset  INTEGER NOT NULL REFERENCES datasets (id),
        name     TEXT NOT NULL,
        resource TEXT NOT NULL,              -- JSON as it was sent, without the schema
        schema   TEXT,                       -- JSON as it was sent
        created  INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        version  INTEGER NOT NULL DEFAULT 1,
        rows     INTEGER NOT NULL DEFAULT 0,
        bytes    INTEGER NOT NULL DEFAULT 0,
        UNIQUE (dataset, name)
    );
    CREATE TABLE rows (
        tbl  INTEGER NOT NULL,
        seq  INTEGER NOT NULL,
        json TEXT NOT NULL,
        PRIMARY KEY (tbl, seq)
    ) WITHOUT ROWID;
    CREATE TABLE insert_ids (
        tbl       INTEGER NOT NULL,
        insert_id TEXT NOT NULL,
        at        INTEGER NOT NULL,          -- milliseconds
        PRIMARY KEY (tbl, insert_id)
    ) WITHOUT ROWID;
    CREATE INDEX insert_ids_by_age ON insert_ids (at);
";

/// The error of opening a data directory.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory does not exist and cannot be created.
    #[error("cannot create the directory {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process has the directory open.
    #[error("{} is in use by another process", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The lock file cannot be created or locked.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a SQLite database, or it is the database of another program.
    #[error("{} is not a database of the BigQuery emulator", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file has a layout version that this program does not support.
    #[error("{} has layout {found}; this program reads layout {LAYOUT_VERSION}", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// The file's layout version.
        found: i32,
    },
    /// SQLite cannot open or read the file: it is corrupt, the disk is full, or permission is missing.
    #[error("cannot use {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The operating system cannot create a thread.
    #[error("cannot start the writer thread")]
    Thread(#[source] io::Error),
}

/// The open database. The fields are dropped in this order: first the readers close. Then the writer finishes its queue.
/// It is the last connection, so it merges the write-ahead log into the file. Then the lock is released, and another
/// process can open the directory.
pub(crate) struct Store {
    readers: Arc<Readers>,
    writer: Writer,
    _lock: File,
}

impl Store {
    pub(crate) fn open(dir: &Path) -> Result<Store, OpenError> {
        std::fs::create_dir_all(dir).map_err(|source| OpenError::Directory { dir: dir.to_owned(), source })?;
        let lock = lock(dir)?;
        let path = dir.join(DATABASE_FILE);
        let connection = open_for_writing(&path)?;
        Ok(Store { writer: Writer::start(connection).map_err(OpenError::Thread)?, readers: Arc::new(Readers::new(path)), _lock: lock })
    }

    /// Runs `read` on a connection that sees one state of the file throughout.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.reader().read(read).await
    }

    /// Takes a snapshot of the database on a separate connection.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, ApiError> {
        let permit = self.readers.permit().await?;
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || Snapshot::take(readers, permit)).await.map_err(ApiError::from_join_error)?
    }

    /// A handle for reads. It may outlive the request of a query.
    pub(crate) fn reader(&self) -> Reader {
        Reader { readers: Arc::clone(&self.readers) }
    }

    /// Runs `write` on the writer thread and returns after the commit. If `write` fails, its changes are rolled back.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Savepoint<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.writer.run(write).await
    }
}

/// A handle for reads. Each read uses one connection.
#[derive(Clone)]
pub(crate) struct Reader {
    readers: Arc<Readers>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// Runs `read` on a connection that sees one state of the file throughout.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = self.readers.permit().await?;
        let readers = Arc::clone(&self.readers);
        // The task owns the permit, because the read continues when the request is dropped.
        tokio::task::spawn_blocking(move || read(&*Snapshot::take(readers, permit)?)).await.map_err(ApiError::from_join_error)?
    }
}

/// A connection with a snapshot of the database. Dropping it returns the connection to the pool.
pub(crate) struct Snapshot {
    /// `None` only during drop.
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Snapshot {
    fn take(readers: Arc<Readers>, permit: OwnedSemaphorePermit) -> Result<Snapshot, ApiError> {
        let idle = readers.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open_with_flags(&readers.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?,
        };
        connection.execute_batch("BEGIN")?;
        Ok(Snapshot { connection: Some(connection), readers, _permit: permit })
    }
}

impl Deref for Snapshot {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("only drop takes the connection")
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.execute_batch("ROLLBACK").is_ok()
        {
            self.readers.idle().push(connection);
        }
    }
}

/// Locks the directory for this process. The lock is on a separate file, because the process loses its locks on the
/// database file when it closes any handle of that file.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK_FILE);
    let file = File::create(&path).map_err(|source| OpenError::Lock { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Lock { path, source }),
    }
}

/// Opens the writer's connection. The file of another program is not changed.
fn open_for_writing(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path: path.to_owned() },
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    };
    let number = |db: &Connection, sql: &str| db.query_row(sql, [], |row| row.get::<_, i32>(0));

    let db = Connection::open(path).map_err(failed)?;
    let is_new = number(&db, "SELECT count(*) FROM sqlite_schema").map_err(failed)? == 0;
    let owner = number(&db, "PRAGMA application_id").map_err(failed)?;
    let layout = number(&db, "PRAGMA user_version").map_err(failed)?;
    match (owner, layout) {
        (0, 0) if is_new => create(&db).map_err(failed)?,
        (APPLICATION_ID, LAYOUT_VERSION) => {}
        (APPLICATION_ID, found) => {
            let path = path.to_owned();
            return Err(OpenError::Layout { path, found });
        }
        _ => {
            let path = path.to_owned();
            return Err(OpenError::Foreign { path });
        }
    }
    // With synchronous = FULL in WAL mode, a commit is on disk when it returns.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").map_err(failed)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Creates the tables, the application id and the layout version in one transaction.
fn create(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "BEGIN; {CREATE_TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT_VERSION}; \
         COMMIT;"
    ))
}

/// The pool of read-only connections.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    fn new(path: PathBuf) -> Readers {
        Readers { path, idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(MAX_READERS)) }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| ApiError::Closing)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
