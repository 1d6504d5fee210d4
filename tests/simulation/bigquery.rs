//! The simulated BigQuery: tables, rows and access tokens. No time passes here and nothing fails at random, except for what
//! BigQuery does to each new table.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::checker::Checker;

/// The template table and the dead-letter table.
pub const TEMPLATE: &str = "pixel";
pub const DEAD_LETTERS: &str = "dead_letters";
/// BigQuery stores a row with the insertId of another one only after this time.
pub const DEDUPLICATION: Duration = Duration::from_secs(60);
const COLUMNS: [(&str, &str, &str); 6] = [
    ("event_id", "STRING", "REQUIRED"),
    ("event_timestamp", "TIMESTAMP", "REQUIRED"),
    ("user_id", "STRING", "NULLABLE"),
    ("order_id", "STRING", "NULLABLE"),
    ("type", "STRING", "NULLABLE"),
    ("invalid_attributes", "STRING", "REPEATED"),
];
/// Columns that a table may have or lack.
const OPTIONAL: [Column; 3] = [("referer", "STRING"), ("user_agent", "STRING"), ("path", "STRING")];

/// Name and type of an optional column.
type Column = (&'static str, &'static str);

/// The state.
#[derive(Debug)]
pub struct BigQuery {
    tables: BTreeMap<String, Table>,
    /// When an insert into a table that did not exist was answered 404.
    missed: HashMap<String, Duration>,
    newest_token: u64,
    oldest_valid_token: u64,
    is_calm: bool,
    rng: Rng,
}

#[derive(Debug)]
struct Table {
    created: Duration,
    is_view: bool,
    /// For the rows of insertAll, and for tables.get. Each change is in effect from its time on.
    streamed: Versions,
    read: Versions,
    /// insertAll answers 404 before.
    available_from: Duration,
    insert_ids: HashMap<String, Duration>,
}

#[derive(Debug)]
struct Versions(Vec<(Duration, Vec<Column>)>);

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub body: String,
}

/// An insertAll request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Insert<'a> {
    pub skip_invalid_rows: bool,
    pub template_suffix: Option<String>,
    #[serde(borrow)]
    pub rows: Vec<InsertRow<'a>>,
}

/// A row of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsertRow<'a> {
    pub insert_id: &'a str,
    #[serde(borrow)]
    pub json: BTreeMap<&'a str, &'a RawValue>,
}

impl InsertRow<'_> {
    /// The text of a column without quotes and escapes.
    pub fn text(&self, column: &str) -> &str {
        self.json.get(column).map_or("", |value| value.get().trim_matches('"'))
    }
}

impl Answer {
    pub fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, retry_after: None, body: body.into() }
    }

    /// Google's error.
    pub fn error(status: u16, reason: &str, message: &str) -> Self {
        let canonical = if status == 404 { "NOT_FOUND" } else { "OTHER" };
        let error = json!({"code": status, "message": message, "errors": [{"message": message, "domain": "global", "reason": reason}], "status": canonical});
        Self { status, retry_after: None, body: json!({ "error": error }).to_string() }
    }

    fn results(errors: &BTreeMap<usize, Value>) -> Self {
        let errors: Vec<Value> = errors.iter().map(|(index, error)| json!({"index": index, "errors": [error]})).collect();
        let mut answer = json!({"kind": "bigquery#tableDataInsertAllResponse"});
        if !errors.is_empty() {
            answer["insertErrors"] = errors.into();
        }
        Self::ok(answer.to_string())
    }
}

impl BigQuery {
    /// With a template table and a dead-letter table.
    pub fn new(is_calm: bool, mut rng: Rng) -> Self {
        let mut bigquery =
            Self { tables: BTreeMap::new(), missed: HashMap::new(), newest_token: 0, oldest_valid_token: 0, is_calm, rng: rng.fork() };
        if is_calm || rng.u8(..4) > 0 {
            bigquery.create(TEMPLATE, Duration::ZERO);
        }
        if is_calm || rng.u8(..4) > 0 {
            bigquery.create(DEAD_LETTERS, Duration::ZERO);
        }
        bigquery
    }

    /// Creates a table, unless it exists.
    pub fn create(&mut self, name: &str, now: Duration) -> bool {
        if self.tables.contains_key(name) {
            return false;
        }
        // After a 404, BigQuery does not see a new table for a time.
        let delay = if self.missed.contains_key(name) { self.delay(8_000) } else { Duration::ZERO };
        self.tables.insert(name.to_owned(), Table::new(OPTIONAL[..2].to_vec(), now, now + delay));
        true
    }

    pub fn delete(&mut self, name: &str) {
        self.tables.remove(name);
    }

    /// Deletes a generated table at random.
    pub fn delete_generated(&mut self) -> Option<String> {
        let names: Vec<String> = self.tables.keys().filter(|name| ![TEMPLATE, DEAD_LETTERS].contains(&name.as_str())).cloned().collect();
        let name = self.rng.choice(names)?;
        self.tables.remove(&name);
        Some(name)
    }

    /// Drops the tables of events and creates the template table with other columns. No message fits into a number.
    pub fn replace_template(&mut self, now: Duration) -> String {
        self.tables.retain(|name, _| name == DEAD_LETTERS);
        let columns: Vec<Column> = OPTIONAL.into_iter().filter(|_| self.rng.bool()).collect();
        let columns: Vec<Column> = columns.into_iter().map(|(name, kind)| (name, if self.rng.bool() { "INTEGER" } else { kind })).collect();
        let available_from = now + self.delay(3_000);
        let text = format!("{columns:?}");
        self.tables.insert(TEMPLATE.to_owned(), Table::new(columns, now, available_from));
        text
    }

    pub fn set_view(&mut self, is_view: bool) {
        if let Some(table) = self.tables.get_mut(TEMPLATE) {
            table.is_view = is_view;
        }
    }

    /// Adds or drops a column of the template table. The two sides of BigQuery notice it at different times.
    pub fn change_schema(&mut self, now: Duration) -> String {
        let (column, streamed, read) = (OPTIONAL[self.rng.usize(..OPTIONAL.len())], self.delay(4_000), self.delay(4_000));
        let Some(table) = self.tables.get_mut(TEMPLATE) else { return "no template".to_owned() };
        let mut columns = table.read.last().to_vec();
        match columns.iter().position(|(known, _)| *known == column.0) {
            Some(index) => drop(columns.remove(index)),
            None => columns.push(column),
        }
        let text = format!("{columns:?}, streamed after {streamed:?}, read after {read:?}");
        table.streamed.change(now + streamed, columns.clone());
        table.read.change(now + read, columns);
        text
    }

    pub fn issue_token(&mut self) -> u64 {
        self.newest_token += 1;
        self.newest_token
    }

    /// Rejects all tokens so far.
    pub fn expire_tokens(&mut self) {
        self.oldest_valid_token = self.newest_token + 1;
    }

    pub fn accepts(&self, token: Option<u64>) -> bool {
        token.is_some_and(|token| token >= self.oldest_valid_token)
    }

    /// tables.get
    pub fn get(&self, name: &str, now: Duration) -> Answer {
        let Some(table) = self.tables.get(name) else { return not_found(name) };
        let fields: Vec<Value> = if name == DEAD_LETTERS {
            let columns = [
                "event_id",
                "received_timestamp",
                "reason",
                "detail",
                "column",
                "data",
                "message_id",
                "publish_time",
                "attributes",
                "delivery_attempt",
            ];
            columns.into_iter().map(|name| json!({"name": name, "type": "STRING"})).collect()
        } else {
            let optional = table.read.at(now).iter().map(|(name, kind)| json!({"name": name, "type": kind}));
            COLUMNS.iter().map(|(name, kind, mode)| json!({"name": name, "type": kind, "mode": mode})).chain(optional).collect()
        };
        let kind = if table.is_view { "VIEW" } else { "TABLE" };
        Answer::ok(json!({"kind": "bigquery#table", "type": kind, "schema": {"fields": fields}}).to_string())
    }

    /// insertAll into a table with this name and suffix. Rows that `fails` names get that error. Stores the others.
    pub fn insert(
        &mut self,
        (base, suffix): (&str, &str),
        rows: &[InsertRow<'_>],
        now: Duration,
        fails: &BTreeMap<usize, &str>,
        checker: &mut Checker,
    ) -> Answer {
        let name = format!("{base}{suffix}");
        let Some(template) = self.tables.get(base) else {
            self.missed.insert(name.clone(), now);
            return not_found(&name);
        };
        if template.is_view {
            return Answer::error(400, "invalid", "Cannot add rows to a table of type VIEW.");
        }
        if !self.tables.contains_key(&name) {
            let columns = template.streamed.at(now).to_vec();
            let delay = if self.rng.u8(..10) < 4 { self.delay(8_000) } else { Duration::ZERO };
            self.tables.insert(name.clone(), Table::new(columns, now, now + delay));
        }
        let is_dead_letter = base == DEAD_LETTERS;
        let stops_neighbours = self.rng.u8(..5) == 0;
        let table = self.tables.get_mut(&name).expect("it is created above");
        if now < table.available_from {
            return not_found(&name);
        }
        if rows.iter().any(|row| row.text("type") == "poison_request") {
            return Answer::error(400, "invalid", "Invalid JSON payload received.");
        }
        let mut errors: BTreeMap<usize, Value> = fails.iter().map(|(index, reason)| (*index, json!({"reason": reason}))).collect();
        let columns = table.streamed.at(now);
        let is_unknown =
            |column: &&str| !COLUMNS.iter().any(|(name, ..)| name == column) && !columns.iter().any(|(name, _)| name == column);
        let (mut hides_neighbours, mut is_invalid) = (false, false);
        for (index, row) in rows.iter().enumerate() {
            let unknown = row.json.keys().copied().find(|column| !is_dead_letter && is_unknown(column));
            let number = columns.iter().find(|(name, kind)| *kind == "INTEGER" && row.json.contains_key(name));
            let error = match (unknown, number, row.text("type")) {
                (Some(column), ..) => json!({"reason": "invalid", "location": column, "message": format!("no such field: {column}.")}),
                (None, Some((column, _)), _) => {
                    json!({"reason": "invalid", "location": column, "message": "Cannot convert value to integer (bad value)."})
                }
                (None, None, "poison_row") => json!({"reason": "invalid", "location": "type", "message": "Cannot convert the value."}),
                (None, None, "poison_neighbours") => {
                    hides_neighbours = true;
                    json!({"reason": "invalid", "location": "type", "message": "Cannot convert the value."})
                }
                _ => continue,
            };
            is_invalid = true;
            errors.insert(index, error);
        }
        let of_neighbours = match (hides_neighbours, is_invalid && stops_neighbours) {
            (true, _) => Some(json!({"reason": "invalid", "location": "", "message": ""})),
            (false, true) => Some(json!({"reason": "stopped"})),
            (false, false) => None,
        };
        for (index, row) in rows.iter().enumerate() {
            if errors.contains_key(&index) {
                continue;
            }
            if let Some(error) = &of_neighbours {
                errors.insert(index, error.clone());
                continue;
            }
            let last = table.insert_ids.get(row.insert_id).copied();
            if last.is_none_or(|last| now >= last + DEDUPLICATION) {
                table.insert_ids.insert(row.insert_id.to_owned(), now);
                if is_dead_letter { checker.dead_lettered(row, now) } else { checker.stored(&name, table.created, row, now) }
            }
        }
        Answer::results(&errors)
    }

    /// A time up to this one; none in a calm run.
    fn delay(&mut self, millis: u64) -> Duration {
        if self.is_calm { Duration::ZERO } else { Duration::from_millis(self.rng.u64(..millis)) }
    }
}

impl Table {
    fn new(columns: Vec<Column>, now: Duration, available_from: Duration) -> Self {
        let versions = || Versions(vec![(now, columns.clone())]);
        Self { created: now, is_view: false, streamed: versions(), read: versions(), available_from, insert_ids: HashMap::new() }
    }
}

impl Versions {
    fn at(&self, now: Duration) -> &[Column] {
        self.0.iter().rev().find(|(since, _)| *since <= now).map_or(&self.0[0].1, |(_, columns)| columns)
    }

    fn last(&self) -> &[Column] {
        self.0.last().map_or(&[], |(_, columns)| columns)
    }

    /// In effect from this time on, and not before an earlier change.
    fn change(&mut self, at: Duration, columns: Vec<Column>) {
        let last = self.0.last().map_or(at, |(since, _)| *since);
        self.0.push((at.max(last), columns));
    }
}

fn not_found(table: &str) -> Answer {
    Answer::error(404, "notFound", &format!("Not found: Table p:d.{table}"))
}
