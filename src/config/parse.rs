//! Parses texts into values. An error names the expected form.

use std::time::Duration;

use url::Url;

pub(crate) fn number(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a whole number from {min} to {max}"))
}

pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is not true or false")),
    }
}

/// A number without a unit is in seconds.
pub(crate) fn duration(text: &str, min_ms: u64, max_ms: u64) -> Result<Duration, String> {
    let trimmed = text.trim();
    let (number, unit) = trimmed.split_at(trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len()));
    let seconds = match (number.trim().parse::<f64>(), unit) {
        (Ok(number), "s" | "") => number,
        (Ok(number), "ms") => number / 1000.0,
        _ => f64::NAN,
    };
    if (min_ms as f64..=max_ms as f64).contains(&(seconds * 1000.0)) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        let (min, max) = (milliseconds(min_ms), milliseconds(max_ms));
        Err(format!("{text:?} is not a duration from {min} to {max}, such as 8s or 500ms"))
    }
}

/// A duration as text, such as 8s or 500ms.
pub(crate) fn milliseconds(number: u64) -> String {
    if number.is_multiple_of(1000) { format!("{}s", number / 1000) } else { format!("{number}ms") }
}

pub(crate) fn identifier(text: &str, dashes: bool) -> Result<(), String> {
    let is_legal = |c: char| c == '_' || c.is_ascii_alphanumeric() || (dashes && c == '-');
    if text.is_empty() || text.len() > 1024 || !text.chars().all(is_legal) {
        let characters = if dashes { "letters, digits, _ and -" } else { "letters, digits and _" };
        return Err(format!("{text:?} is not a name of {characters}"));
    }
    Ok(())
}

/// The address of a server: a URL without path, or host:port, as Google's clients take both.
pub(crate) fn address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&url).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        return Err(format!("{text:?} is not the address of a server, such as http://127.0.0.1:9050"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A base URL: an address that may have a path.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err(format!("{text:?} is not a base URL, such as https://pubsub.googleapis.com/"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
