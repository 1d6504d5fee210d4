//! Searches the tables of the dataset, whatever their names are: a former TABLE_SUFFIX, TABLE_NAME or DEAD_LETTER_TABLE
//! made other names than the present one. A table that cannot be searched is listed, and the others are searched.

use futures_util::{StreamExt as _, stream};

use super::ForgetError;
use super::breaker::CircuitBreaker;
use super::dataset::{self, Listed, ListedTable, UnknownKind};
use super::found::{Content, Found};
use super::ownership::ownership;
use super::search::{Search, SearchError};
use super::subject::Subject;
use super::table_kind::TableKind;
use super::table_label::TableLabel;
use crate::config::Config;
use crate::google::{Client, Lookup};

/// Maximum number of tables that are searched at the same time.
const MAX_CONCURRENT_SEARCHES: usize = 8;

/// Searches all tables. `with_ids` reads the similar ids as well.
pub(crate) async fn find(
    google: &Client,
    config: &Config,
    subject: &Subject,
    breaker: &CircuitBreaker,
    with_ids: bool,
) -> Result<Found, ForgetError> {
    let Listed { tables, views } = dataset::list(google, config).await?;
    let count = tables.len();
    let searches = tables.into_iter().enumerate().map(|(index, ListedTable { name, kind })| async move {
        let (ownership, names_user) = ownership(&name, config, subject);
        let table = if names_user { TableLabel::hidden(name, index + 1, count) } else { TableLabel::public(name) };
        let result = search(Search { google, config, subject, table: &table, ownership, with_ids }, kind, breaker).await;
        (table, result)
    });
    let mut searches = stream::iter(searches).buffered(MAX_CONCURRENT_SEARCHES);
    let mut found = Found { views, ..Found::default() };
    let mut absent = Vec::new();
    while let Some((table, result)) = searches.next().await {
        match result {
            Ok((_, Lookup::Absent)) => absent.push(table),
            Ok((kind, Lookup::Found(content))) => found.add(config, table, kind, content),
            Err(error) => found.keep_unread(table, &error),
        }
    }
    check_absent(google, config, absent, &mut found).await;
    Ok(found)
}

async fn search(
    search: Search<'_>,
    kind: Result<TableKind, UnknownKind>,
    breaker: &CircuitBreaker,
) -> Result<(TableKind, Lookup<Content>), SearchError> {
    let kind = kind.map_err(|UnknownKind(kind)| SearchError::UnknownType(kind))?;
    Ok((kind, breaker.run(search.run(), SearchError::api).await?))
}

/// Keeps the absent tables that a second list still has: only the others were deleted since the first one.
async fn check_absent(google: &Client, config: &Config, absent: Vec<TableLabel>, found: &mut Found) {
    if absent.is_empty() {
        return;
    }
    match dataset::list(google, config).await {
        Ok(listed) => {
            for table in absent.into_iter().filter(|table| listed.tables.iter().any(|listed| listed.name == table.name())) {
                found.keep_unread(table, &SearchError::NotFound);
            }
        }
        Err(error) => absent.into_iter().for_each(|table| found.keep_unread(table, &error)),
    }
}
