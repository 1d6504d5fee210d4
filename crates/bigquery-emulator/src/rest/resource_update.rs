//! Updates of a dataset or table: `PATCH`, `PUT` and `If-Match`.

use axum::extract::{FromRequest, Request};
use axum::http::Method;
use axum::http::header::IF_MATCH;
use serde_json::Value;

use super::wire::JsonBody;
use crate::error::ApiError;
use crate::resource::Members;

/// An update of a resource. `PATCH` merges members, and `PUT` replaces the resource. `If-Match` has the etag that the
/// client knows.
pub(crate) struct ResourceUpdate {
    replace: bool,
    if_match: Option<Vec<u8>>,
    sent: Members,
}

impl<S: Send + Sync> FromRequest<S> for ResourceUpdate {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let replace = request.method() == Method::PUT;
        let if_match = request.headers().get(IF_MATCH);
        let if_match = if_match.map(|etag| etag.as_bytes().to_owned());
        let JsonBody(sent) = JsonBody::from_request(request, state).await?;
        Ok(ResourceUpdate { replace, if_match, sent })
    }
}

impl ResourceUpdate {
    /// A member of the request.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.sent.get(name)
    }

    /// Returns the updated resource. Fails if `If-Match` is not `etag`.
    pub(crate) fn apply(self, etag: &str, mut old: Members) -> Result<Members, ApiError> {
        match self.if_match.as_deref() {
            None | Some(b"*") => {}
            Some(seen) if seen == etag.as_bytes() => {}
            Some(_) => return Err(ApiError::ConditionNotMet),
        }
        if self.replace {
            return Ok(self.sent);
        }
        merge(&mut old, self.sent);
        Ok(old)
    }
}

/// Merges by RFC 7396: objects are merged, null removes a member, and other values replace it.
fn merge(target: &mut Members, patch: Members) {
    for (name, value) in patch {
        match (value, target.get_mut(&name)) {
            (Value::Null, _) => {
                target.remove(&name);
            }
            (Value::Object(patch), Some(Value::Object(target))) => merge(target, patch),
            (value, _) => {
                target.insert(name, value);
            }
        }
    }
}
