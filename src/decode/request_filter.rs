//! Which requests are events of the pixel: PIXEL_PATH, PIXEL_METHODS and STATUS, and requests that no visitor made.

use std::str::FromStr;

use super::decoded::FilterReason;
use super::event::Event;
use super::pixel_paths::PixelPaths;
use super::status::Statuses;

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// PIXEL_PATH.
    pub paths: PixelPaths,
    /// PIXEL_METHODS.
    pub methods: Methods,
    /// STATUS.
    pub statuses: Statuses,
}

/// PIXEL_METHODS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(Vec<&'static str>);

/// A word of the list is not a method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of {list}", list = METHODS.join(", "))]
pub struct BadMethods(String);

/// The methods of HTTP that a browser or mail program can send.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The user agents of requests that no visitor made, in lower case, by Google's documentation.
///
/// <https://cloud.google.com/cdn/docs/caching>: "In the Cloud Logging `httpRequest.userAgent` field, `Cloud-CDN-Google`
/// means that Cloud CDN initiated the request."
/// <https://cloud.google.com/load-balancing/docs/health-check-concepts> and
/// <https://cloud.google.com/monitoring/uptime-checks> name the other two. A visitor who sends one of them is only not
/// counted. `GoogleImageProxy` is not one of them: it fetches the image when a recipient opens a mail.
const AUTOMATED: [(&str, FilterReason); 3] = [
    ("cloud-cdn-google", FilterReason::CdnRequest),
    ("googlehc/", FilterReason::HealthCheck),
    ("googlestackdrivermonitoring-uptimechecks", FilterReason::HealthCheck),
];

/// A part of each of these names.
const IN_ALL_AUTOMATED: &str = "google";

impl Default for Methods {
    fn default() -> Self {
        Self(vec!["GET"])
    }
}

impl FromStr for Methods {
    type Err = BadMethods;

    fn from_str(list: &str) -> Result<Self, BadMethods> {
        let known = |word: &str| METHODS.iter().copied().find(|method| method.eq_ignore_ascii_case(word));
        list.split(',')
            .map(str::trim)
            .map(|word| known(word).ok_or_else(|| BadMethods(word.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl RequestFilter {
    /// `Err` if the request is not an event. `path` is the path of its URL.
    pub(crate) fn check(&self, event: &Event<'_>, path: &str) -> Result<(), FilterReason> {
        if let Some(reason) = automated(event) {
            return Err(reason);
        }
        if !self.methods.0.contains(&event.method()) {
            return Err(FilterReason::Method);
        }
        if !self.paths.contains(path) {
            return Err(FilterReason::Path);
        }
        if !self.statuses.contains(&event.request.status) {
            return Err(FilterReason::Status);
        }
        Ok(())
    }
}

/// Who made a request that no visitor made. Cloud CDN gives each request of its own the `parentInsertId` of the visitor's
/// request (<https://cloud.google.com/cdn/docs/logging>). An entry can lack one of the two marks, so each is enough.
fn automated(event: &Event<'_>) -> Option<FilterReason> {
    if event.has_parent {
        return Some(FilterReason::CdnRequest);
    }
    let agent = event.request.user_agent.text()?.to_ascii_lowercase();
    // Most agents are compared with one short word only.
    if !agent.contains(IN_ALL_AUTOMATED) {
        return None;
    }
    AUTOMATED.iter().find(|(name, _)| agent.contains(name)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::decode::PubsubMessage;
    use crate::decode::json;

    fn check(filter: &RequestFilter, entry: &Value) -> Result<(), FilterReason> {
        let text = entry.to_string();
        let message = PubsubMessage::raw(text.as_bytes());
        let event = Event::new(&message, json::read(text.as_bytes()).unwrap(), text.as_bytes(), Timestamp::UNIX_EPOCH);
        filter.check(&event, "/pixel.png")
    }

    #[test]
    fn requests_of_cloud_cdn_and_health_checks_are_not_events() {
        let cdn = Err(FilterReason::CdnRequest);
        let health = Err(FilterReason::HealthCheck);
        for (agent, payload, expected) in [
            ("Mozilla/5.0", json!({"statusDetails": "response_from_cache"}), Ok(())),
            ("Mozilla/5.0", json!({"parentInsertId": "1oek5rg3l3fxj7"}), cdn),
            ("Mozilla/5.0", json!({"parentInsertId": 7}), cdn),
            ("Mozilla/5.0", json!({"parentInsertId": ""}), Ok(())),
            ("Mozilla/5.0", json!({"parentInsertId": null}), Ok(())),
            ("Mozilla/5.0", json!("parentInsertId"), Ok(())),
            ("Mozilla/5.0", json!(["parentInsertId"]), Ok(())),
            ("Mozilla/5.0", json!(7), Ok(())),
            ("Mozilla/5.0", json!(null), Ok(())),
            ("Cloud-CDN-Google (GFE/2.0)", json!({}), cdn),
            ("Cloud-CDN-Google", json!({"parentInsertId": "1"}), cdn),
            ("cloud-cdn-google", json!(null), cdn),
            ("GoogleHC/1.0", json!({}), health),
            ("GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)", json!({}), health),
            ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", json!({}), Ok(())),
            ("Google-Cloud-CDN", json!({}), Ok(())),
        ] {
            let entry = json!({"httpRequest": {"userAgent": agent}, "jsonPayload": payload});
            assert_eq!(check(&RequestFilter::default(), &entry), expected, "{entry}");
        }
        assert_eq!(check(&RequestFilter::default(), &json!({})), Ok(()), "an entry without user agent and payload");
    }

    #[test]
    fn all_automated_agents_have_the_common_part() {
        assert!(AUTOMATED.iter().all(|(name, _)| name.contains(IN_ALL_AUTOMATED)));
    }

    #[test]
    fn methods_decides_on_the_method() {
        let filter = |list: &str| RequestFilter { methods: list.parse().unwrap(), ..RequestFilter::default() };
        let entry = |method: &str| json!({"httpRequest": {"requestMethod": method}});
        assert_eq!(check(&filter("GET"), &entry("POST")), Err(FilterReason::Method));
        for list in ["GET,POST", " post , get "] {
            assert_eq!(check(&filter(list), &entry("POST")), Ok(()));
            assert_eq!(check(&filter(list), &json!({})), Ok(()), "GET is the default");
            assert_eq!(check(&filter(list), &entry("HEAD")), Err(FilterReason::Method));
        }
        for list in ["", "GTE", "GET;POST", "GET,", "any"] {
            assert!(list.parse::<Methods>().is_err(), "{list}");
        }
    }
}
