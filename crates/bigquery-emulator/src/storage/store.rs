//! The SQLite file: opening it, its layout, and who may touch it.
//!
//! One file for all datasets, and one `rows` table for all tables: a BigQuery table is a key
//! range, so a hundred thousand generated tables cost a hundred thousand catalog entries and
//! nothing else. Reads run on a few read-only connections, everything that writes on the one
//! [`Writer`]. What is asked of the database is in `catalog` and `rows`.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags, Savepoint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;
use crate::storage::writer::Writer;

const FILE: &str = "bigquery.sqlite";
const LOCK: &str = "bigquery.lock";

/// "lbq1": marks the file as ours.
const APPLICATION_ID: i32 = 0x6c62_7131;
const LAYOUT: i32 = 1;

/// Reads that may run at once; a laptop's disk gains nothing from more.
const READERS: usize = 4;

/// `rows.seq` counts from 0 without gaps (rows leave only with their table), so a row's seq is
/// its index in tabledata.list. `insert_ids` holds the last minute only.
const SCHEMA: &str = "
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

/// Why a directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory does not exist and could not be made.
    #[error("cannot create the directory {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the directory open.
    #[error("{} is in use by another process", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The lock file could not be made or locked.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is something else: not SQLite, or another program's database.
    #[error("{} is not a file of the local BigQuery", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is ours, of a layout this program does not know.
    #[error("{} has layout {found}; this program reads layout {LAYOUT}", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i32,
    },
    /// SQLite cannot open or read the file (damaged, disk full, no permission).
    #[error("cannot use {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The system gave no thread.
    #[error("cannot start the writer thread")]
    Thread(#[source] io::Error),
}

/// The open file. Fields are dropped in this order: the readers close, so that the writer, which
/// finishes its queue, is the last connection and folds the write-ahead log into the file; only
/// then may the next process open the directory.
pub(crate) struct Store {
    readers: Arc<Readers>,
    writer: Writer,
    _lock: File,
}

impl Store {
    pub(crate) fn open(dir: &Path) -> Result<Store, OpenError> {
        std::fs::create_dir_all(dir).map_err(|source| OpenError::Directory { dir: dir.to_owned(), source })?;
        let lock = lock(dir)?;
        let path = dir.join(FILE);
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

    /// One state of the file, on a connection of its own.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, ApiError> {
        let permit = self.readers.permit().await?;
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || Snapshot::take(readers, permit)).await.map_err(ApiError::of_task)?
    }

    /// A handle that reads; it may outlive a query's request.
    pub(crate) fn reader(&self) -> Reader {
        Reader { readers: Arc::clone(&self.readers) }
    }

    /// Runs `write` on the writer thread and returns when what it did is on disk; if it fails,
    /// nothing of it is.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Savepoint<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.writer.run(write).await
    }
}

/// Reads the file, by one connection at a time.
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
        // The permit goes along: a request that is dropped leaves its read running.
        tokio::task::spawn_blocking(move || read(&*Snapshot::take(readers, permit)?)).await.map_err(ApiError::of_task)?
    }
}

/// A connection that sees one state of the file. It goes back to the others when it is dropped.
pub(crate) struct Snapshot {
    /// None while it is dropped.
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Snapshot {
    fn take(readers: Arc<Readers>, permit: OwnedSemaphorePermit) -> Result<Snapshot, ApiError> {
        let kept = readers.idle().pop();
        let connection = match kept {
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

/// Takes the directory for this process. The lock is on a file of its own, because SQLite's
/// locks on the database file are lost when any other handle on it is closed.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let file = File::create(&path).map_err(|source| OpenError::Lock { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Lock { path, source }),
    }
}

/// The writer's connection. A file that is not ours is left as it was.
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
        (APPLICATION_ID, LAYOUT) => {}
        (APPLICATION_ID, found) => {
            let path = path.to_owned();
            return Err(OpenError::Layout { path, found });
        }
        _ => {
            let path = path.to_owned();
            return Err(OpenError::Foreign { path });
        }
    }
    // FULL: in WAL mode a commit has reached the disk when it returns.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").map_err(failed)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// The tables and the mark of ownership, both or neither.
fn create(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT}; \
         COMMIT;"
    ))
}

/// Read-only connections, opened when first needed and kept.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    fn new(path: PathBuf) -> Readers {
        Readers { path, idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(READERS)) }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| ApiError::Closing)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
