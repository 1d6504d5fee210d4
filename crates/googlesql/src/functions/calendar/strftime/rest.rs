//! A cursor over the text to parse.

use super::super::zone::Zone;

/// The text that remains to be parsed.
pub(crate) struct RemainingText<'a>(pub(crate) &'a str);

impl RemainingText<'_> {
    pub(crate) fn skip_white_space(&mut self) {
        self.0 = self.0.trim_start();
    }

    fn digits(&mut self, max_digits: usize) -> Option<&str> {
        let length = self.0.bytes().take(max_digits).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        (length > 0).then_some(digits)
    }

    /// Parses a number. Leading spaces are allowed, because some elements pad with spaces.
    pub(crate) fn number(&mut self, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.skip_white_space();
        self.digits(digits)?.parse().ok().filter(|number| range.contains(number))
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let negative = self.0.starts_with('-');
        self.0 = self.0.strip_prefix(['-', '+']).unwrap_or(self.0);
        let number: i64 = self.digits(18)?.parse().ok()?;
        Some(if negative { -number } else { number })
    }

    /// Parses an optional decimal point and decimals as microseconds.
    pub(crate) fn fraction(&mut self, max_digits: Option<u32>) -> i64 {
        let Some(rest) = self.0.strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) else { return 0 };
        self.0 = rest;
        let digits = self.digits(max_digits.map_or(usize::MAX, |max_digits| max_digits as usize)).unwrap_or("");
        digits.bytes().chain(std::iter::repeat(b'0')).take(6).fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'))
    }

    /// Parses a name or its first three letters, in any case. Returns its index.
    pub(crate) fn name(&mut self, names: &[&str]) -> Option<i64> {
        let starts = |text: &str, name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let (index, length) = names.iter().enumerate().find_map(|(index, name)| {
            let short = name.get(..3).unwrap_or(name);
            let length = if starts(self.0, name) { name.len() } else { short.len() };
            starts(self.0, short).then_some((index, length))
        })?;
        self.0 = &self.0[length..];
        Some(index as i64)
    }

    pub(crate) fn word(&mut self) -> &str {
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    /// Parses `Z`, `+HH`, `+HHMM` or `+HH:MM`.
    pub(crate) fn offset(&mut self) -> Option<Zone> {
        if let Some(rest) = self.0.strip_prefix(['Z', 'z']) {
            self.0 = rest;
            return Some(Zone::UTC);
        }
        let sign = self.0.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
        self.0 = &self.0[1..];
        let hours = self.digits(2)?.to_owned();
        self.0 = self.0.strip_prefix(':').unwrap_or(self.0);
        let minutes = self.digits(2).unwrap_or("00");
        format!("{sign}{hours}:{minutes}").parse().ok()
    }
}
