//! A duration on the command line.

use std::str::FromStr;
use std::time::Duration;

/// A duration such as 30s, 2m or 1h30m. A number without a unit is in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DurationArg(pub(crate) Duration);

impl FromStr for DurationArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = || Duration::try_from_secs_f64(text.trim().parse().ok()?).ok();
        let spelled = || Duration::try_from(text.trim().parse::<jiff::SignedDuration>().ok()?).ok();
        let duration = seconds().or_else(spelled).filter(|duration| !duration.is_zero());
        duration.map(Self).ok_or_else(|| format!("{text:?} is not a duration such as 30s, 2m or 1h30m"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_units_or_counts_seconds() {
        for (text, millis) in [
            ("30s", 30_000),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            (" 20 ", 20_000),
        ] {
            assert_eq!(text.parse(), Ok(DurationArg(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "soon", "-5s", "0", "0s", "NaN", "5 parsecs", "1e400"] {
            assert!(text.parse::<DurationArg>().is_err(), "{text}");
        }
    }
}
