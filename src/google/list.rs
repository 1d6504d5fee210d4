//! Lists, page by page: which answer is a page, and which one is the last.

use std::collections::HashSet;

use serde_json::Value;

use super::endpoints::Api;
use super::error::{ApiError, ApiResult};

/// Maximum number of pages of a list. BigQuery and Cloud Storage put up to 1,000 items on a page.
const MAX_PAGES: usize = 2_000;
/// Maximum number of items of a list, which are all in memory.
const MAX_ITEMS: usize = 1_000_000;

/// A method that answers with a list in pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListMethod {
    pub(crate) api: Api,
    /// The `kind` of a page; empty for an API whose pages have none. Its answer to an empty list is `{}`.
    kind: &'static str,
    /// The member with the page's items. Google leaves it out of an empty page.
    items: &'static str,
    /// The member with the token of the next page. The last page has none.
    next_page: &'static str,
    /// The member with the number of all items, where pages have one.
    total: Option<&'static str>,
}

/// `bigquery.tables.list`.
pub(crate) const TABLES: ListMethod =
    ListMethod { api: Api::BigQuery, kind: "bigquery#tableList", items: "tables", next_page: "nextPageToken", total: Some("totalItems") };

/// `bigquery.tabledata.list`. It has no total here: BigQuery counts rows that it does not list yet.
pub(crate) const TABLE_ROWS: ListMethod =
    ListMethod { api: Api::BigQuery, kind: "bigquery#tableDataList", items: "rows", next_page: "pageToken", total: None };

/// `storage.objects.list`.
pub(crate) const OBJECTS: ListMethod =
    ListMethod { api: Api::Storage, kind: "storage#objects", items: "items", next_page: "nextPageToken", total: None };

/// `compute.sslCertificates.list`.
pub(crate) const CERTIFICATES: ListMethod =
    ListMethod { api: Api::Compute, kind: "compute#sslCertificateList", items: "items", next_page: "nextPageToken", total: None };

/// `monitoring.projects.alertPolicies.list`.
pub(crate) const ALERT_POLICIES: ListMethod = without_kind(Api::Monitoring, "alertPolicies");

/// `monitoring.projects.notificationChannels.list`.
pub(crate) const NOTIFICATION_CHANNELS: ListMethod = without_kind(Api::Monitoring, "notificationChannels");

/// `monitoring.projects.uptimeCheckConfigs.list`.
pub(crate) const UPTIME_CHECKS: ListMethod = without_kind(Api::Monitoring, "uptimeCheckConfigs");

const fn without_kind(api: Api, items: &'static str) -> ListMethod {
    ListMethod { api, kind: "", items, next_page: "nextPageToken", total: None }
}

/// The pages of a list so far.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    method: &'a ListMethod,
    items: Vec<Value>,
    /// The number of all items on the first page. Items that are created later may be missing.
    total: Option<usize>,
    /// Those of the pages after the first.
    tokens: HashSet<String>,
}

/// The items of one page, and the token of the next.
#[derive(Debug, PartialEq)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
    /// The number of the items on all pages, or 0 without it.
    total: usize,
}

impl ListMethod {
    /// Reads a page. Only a page of the right `kind` can be empty: any other answer without items is not a list.
    fn read(&self, mut page: Value) -> ApiResult<Page> {
        let Self { kind, items, next_page, .. } = self;
        let has_kind = match &page["kind"] {
            Value::Null => self.is_without_kind() && page.as_object().is_some_and(serde_json::Map::is_empty),
            found if found == kind => true,
            _ => return Err(self.unreadable(format!("a page is not of kind {kind}"))),
        };
        let next = match page[*next_page].take() {
            Value::Null => None,
            Value::String(token) => Some(token).filter(|token| !token.is_empty()),
            _ => return Err(self.unreadable(format!("{next_page} is not a string"))),
        };
        let total = match self.total.map(|total| (total, &page[total])) {
            None | Some((_, Value::Null)) => 0,
            Some((name, total)) => {
                let total = total.as_u64().and_then(|total| usize::try_from(total).ok());
                total.ok_or_else(|| self.unreadable(format!("{name} is not a number of items")))?
            }
        };
        let items = match page.get_mut(*items).map(Value::take) {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.unreadable(format!("{items} is not a list"))),
            None if has_kind => Vec::new(),
            None => return Err(self.unreadable(format!("a page has neither {items} nor a kind"))),
        };
        Ok(Page { items, next, total })
    }

    /// Whether the answer to an empty list is `{}`.
    pub(super) fn is_without_kind(&self) -> bool {
        self.kind.is_empty()
    }

    fn unreadable(&self, problem: String) -> ApiError {
        ApiError::unreadable(self.api, problem)
    }
}

impl<'a> Pages<'a> {
    pub(crate) fn new(method: &'a ListMethod) -> Self {
        Self { method, items: Vec::new(), total: None, tokens: HashSet::new() }
    }

    /// Adds a page. Returns the token of the next one; `None` after the last.
    pub(crate) fn add(&mut self, page: Value) -> ApiResult<Option<String>> {
        let Page { items, next, total } = self.method.read(page)?;
        self.total.get_or_insert(total);
        self.items.extend(items);
        if self.items.len() > MAX_ITEMS {
            return Err(self.method.unreadable(format!("the list has more than {MAX_ITEMS} items")));
        }
        let Some(token) = next else { return Ok(None) };
        if self.tokens.len() + 1 == MAX_PAGES {
            return Err(self.method.unreadable(format!("the list has more than {MAX_PAGES} pages")));
        }
        if !self.tokens.insert(token.clone()) {
            return Err(self.method.unreadable("a page names an earlier one as the next one".to_owned()));
        }
        Ok(Some(token))
    }

    /// The items of all pages.
    pub(crate) fn items(self) -> ApiResult<Vec<Value>> {
        let (count, total) = (self.items.len(), self.total.unwrap_or(0));
        if count < total { Err(self.method.unreadable(format!("{count} of {total} items are listed"))) } else { Ok(self.items) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_read_with_their_next_token() {
        let table = json!({"tableReference": {"tableId": "t"}});
        for (page, items, next, total) in [
            (json!({"kind": "bigquery#tableList", "totalItems": 0}), vec![], None, 0),
            (json!({"kind": "bigquery#tableList", "nextPageToken": "n", "totalItems": 1}), vec![], Some("n"), 1),
            (json!({"kind": "bigquery#tableList", "tables": [table], "nextPageToken": ""}), vec![table.clone()], None, 0),
            (json!({"tables": [table], "nextPageToken": "n", "totalItems": null}), vec![table.clone()], Some("n"), 0),
        ] {
            assert_eq!(TABLES.read(page.clone()).unwrap(), Page { items, next: next.map(str::to_owned), total }, "{page}");
        }
    }

    #[test]
    fn an_answer_that_is_not_a_page_is_not_an_empty_list() {
        for page in [
            json!({}),
            json!({"kind": "bigquery#job"}),
            json!({"kind": "bigquery#tableDataList", "tables": []}),
            json!({"status": "login required"}),
            json!({"kind": "bigquery#tableList", "tables": {}}),
            json!({"kind": "bigquery#tableList", "tables": null}),
            json!({"kind": "bigquery#tableList", "tables": [], "nextPageToken": 7}),
            json!({"kind": "bigquery#tableList", "totalItems": "3"}),
            json!({"kind": "bigquery#tableList", "totalItems": -1}),
        ] {
            assert!(matches!(TABLES.read(page.clone()), Err(ApiError::Unreadable { .. })), "{page}");
        }
    }

    #[test]
    fn an_endless_list_is_an_error() {
        let page = |number: usize, items: usize| {
            let tables = vec![json!({"tableReference": {"tableId": "t"}}); items];
            json!({"kind": "bigquery#tableList", "tables": tables, "nextPageToken": number.to_string()})
        };
        for (items, problem, at) in
            [(0, "more than 2000 pages", 1999), (1, "more than 2000 pages", 1999), (100_000, "more than 1000000 items", 10)]
        {
            let mut pages = Pages::new(&TABLES);
            let (last, error) = (0..).find_map(|number| pages.add(page(number, items)).err().map(|error| (number, error))).unwrap();
            assert!(error.to_string().contains(problem), "{error}");
            assert_eq!(last, at, "{problem}");
        }
    }
}
