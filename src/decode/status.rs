//! STATUS: the answers of the load balancer that make a request an event.
//!
//! The list has codes (`304`), classes (`2xx`) and `none`, or is `any`. `none` is a request without an answer: the load
//! balancer omits the status if the client disconnects before the answer, and 0, the default of the field in Google's
//! types, is the same. A status that is not a code (`"junk"`, an object) is not absent: only `any` accepts it.

use std::str::FromStr;

use super::json::Scalar;

/// The accepted statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Accepted);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Accepted {
    Any,
    Of { codes: Vec<u16>, hundreds: Vec<u16>, none: bool },
}

/// A word of the list is not a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not any, or a list of codes (304), classes (2xx) and none (no answer), such as 2xx,304,none")]
pub struct BadStatuses(String);

/// The status of an entry.
enum Status {
    None,
    Code(u16),
    Unreadable,
}

impl Default for Statuses {
    fn default() -> Self {
        Self(Accepted::Of { codes: vec![304], hundreds: vec![2], none: true })
    }
}

impl FromStr for Statuses {
    type Err = BadStatuses;

    fn from_str(list: &str) -> Result<Self, BadStatuses> {
        let list = list.trim().to_ascii_lowercase();
        if list == "any" {
            return Ok(Self(Accepted::Any));
        }
        let (mut codes, mut hundreds, mut none) = (Vec::new(), Vec::new(), false);
        for word in list.split(',').map(str::trim) {
            let number = |text: &str| text.parse::<u16>().ok();
            match (word, word.strip_suffix("xx").and_then(number), number(word)) {
                ("none", _, _) => none = true,
                (_, Some(class @ 1..=5), _) => hundreds.push(class),
                (_, _, Some(code @ 100..=599)) => codes.push(code),
                _ => return Err(BadStatuses(word.to_owned())),
            }
        }
        Ok(Self(Accepted::Of { codes, hundreds, none }))
    }
}

impl Statuses {
    /// Whether a request with this `httpRequest.status` is an event.
    pub(crate) fn contains(&self, status: &Scalar<'_>) -> bool {
        match &self.0 {
            Accepted::Any => true,
            Accepted::Of { codes, hundreds, none } => match Status::of(status) {
                Status::None => *none,
                Status::Code(code) => codes.contains(&code) || hundreds.contains(&(code / 100)),
                Status::Unreadable => false,
            },
        }
    }
}

impl Status {
    fn of(status: &Scalar<'_>) -> Self {
        let text = match status {
            Scalar::Absent => return Self::None,
            Scalar::NotScalar => return Self::Unreadable,
            Scalar::Text(text) => text.trim(),
        };
        // 200.0 is a whole number, too.
        let whole = || text.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && (0.0..1000.0).contains(number));
        match (text, text.parse::<u16>().ok().or_else(|| whole().map(|number| number as u16))) {
            ("", _) | (_, Some(0)) => Self::None,
            (_, Some(code)) => Self::Code(code),
            (_, None) => Self::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(list: &str, status: &str) -> bool {
        let status = serde_json::from_str(status).unwrap();
        list.parse::<Statuses>().unwrap().contains(&status)
    }

    #[test]
    fn the_default_accepts_success_unchanged_and_no_answer() {
        let default = "2xx,304,none";
        assert_eq!(default.parse(), Ok(Statuses::default()));
        for status in ["200", "204", "206", "299", "304", "\"200\"", "200.0", "\"304\"", "\" 200 \"", "null", "0", "\"0\"", "\"\""] {
            assert!(accepts(default, status), "{status}");
        }
        for status in [
            "403",
            "\"403\"",
            "403.0",
            "404",
            "499",
            "500",
            "301",
            "307",
            "100",
            "20",
            "2000",
            "-200",
            "200.5",
            "\"OK\"",
            "\"200 OK\"",
            "true",
            "{}",
            "[200]",
            "{\"code\":200}",
        ] {
            assert!(!accepts(default, status), "{status}");
        }
    }

    #[test]
    fn the_list_decides_and_any_accepts_everything() {
        assert!(accepts("403", "403") && !accepts("403", "200") && !accepts("403", "null"));
        assert!(accepts(" 2XX , 405 ", "405") && accepts("2XX", "201") && !accepts("2xx", "0"));
        for status in ["200", "503", "null", "\"junk\"", "{}"] {
            assert!(accepts("Any", status), "{status}");
        }
    }

    #[test]
    fn a_list_that_matches_nothing_is_refused() {
        for list in ["", ",", "2x", "xx", "0xx", "6xx", "99", "600", "200-299", "ok", "2xx;304", "2xx,", "+200x", "any,2xx"] {
            assert!(list.parse::<Statuses>().is_err(), "{list}");
        }
    }
}
