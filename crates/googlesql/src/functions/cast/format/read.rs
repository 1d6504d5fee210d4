//! Parsing of dates and times by a format.
//!
//! BigQuery takes a missing year or month, and the missing digits of a short year, from the current
//! date. This implementation returns an error instead, and assumes the 2000s for `YY`.

use jiff::civil::Date;

use super::super::super::calendar::strftime::MONTHS;
use super::super::super::function_error::FunctionError;
use super::date_time_format::{DateTimeFormat, ElementType, FormatElement, FormatItem};
use crate::civil_time::{self, MICROS_OF_DAY};

/// The target type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetType {
    Date,
    Time,
    Datetime,
    Timestamp,
}

/// Civil microseconds since 1970, and the offset from UTC in minutes if the text has one.
pub(crate) struct ParsedDateTime {
    pub(crate) civil: i64,
    pub(crate) offset_minutes: Option<i64>,
}

pub(crate) fn read(text: &str, format: &DateTimeFormat, target: TargetType) -> Result<ParsedDateTime, FunctionError> {
    let invalid = || FunctionError::new(format!("Failed to parse input string \"{text}\""));
    let mut elements = ParsedElements::default();
    let mut rest = text.trim();
    for item in &format.0 {
        rest = match item {
            FormatItem::Literal(white) if white.chars().all(char::is_whitespace) => {
                rest.strip_prefix(char::is_whitespace).ok_or_else(invalid)?.trim_start()
            }
            FormatItem::Literal(literal) => rest.strip_prefix(literal.as_str()).ok_or_else(invalid)?,
            FormatItem::Element(element, _) => {
                target.check_supported(*element)?;
                elements.parse_element(*element, rest).ok_or_else(invalid)?
            }
        };
    }
    if !rest.is_empty() {
        return Err(invalid());
    }
    let days = match target {
        TargetType::Time => 0,
        TargetType::Date | TargetType::Datetime | TargetType::Timestamp => {
            i64::from(civil_time::days(elements.date()?.ok_or_else(invalid)?))
        }
    };
    let time = elements.time()?;
    Ok(ParsedDateTime { civil: days * MICROS_OF_DAY + time, offset_minutes: elements.offset() })
}

impl TargetType {
    fn check_supported(self, element: FormatElement) -> Result<(), FunctionError> {
        let unsupported = |name: &str| {
            Err(FunctionError::new(format!("The BigQuery emulator does not support {name} in the FORMAT of a CAST from STRING")))
        };
        match (element, element.element_type(), self) {
            (FormatElement::DayOfWeek | FormatElement::DayName { .. }, ..) => unsupported("days of the week"),
            (FormatElement::Year(1 | 3), ..) => unsupported("years of one or three digits"),
            (_, ElementType::Date, TargetType::Time) => Err(FunctionError::new("The FORMAT of a TIME cannot have a date element")),
            (_, ElementType::Time, TargetType::Date) => Err(FunctionError::new("The FORMAT of a DATE cannot have a time element")),
            (_, ElementType::Zone, TargetType::Date | TargetType::Time | TargetType::Datetime) => {
                Err(FunctionError::new("The FORMAT of a type other than TIMESTAMP cannot have a time zone element"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct ParsedElements {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour_12: Option<i64>,
    hour_24: Option<i64>,
    minute: i64,
    second: i64,
    second_of_day: Option<i64>,
    micros: i64,
    is_pm: Option<bool>,
    offset_hours: Option<i64>,
    offset_minutes: i64,
    is_west: bool,
}

impl ParsedElements {
    /// Parses the element and returns the remaining text.
    fn parse_element<'t>(&mut self, element: FormatElement, text: &'t str) -> Option<&'t str> {
        let number_in = |max_digits: usize, range: std::ops::RangeInclusive<i64>| {
            let (number, _, rest) = digits(text, max_digits)?;
            range.contains(&number).then_some((number, rest))
        };
        let (number, rest) = match element {
            FormatElement::Year(2) => number_in(2, 0..=99).map(|(year, rest)| (2000 + year, rest)),
            FormatElement::Year(_) => number_in(4, 1..=9999),
            FormatElement::RoundYear(max_digits) => digits(text, max_digits).map(|(year, length, rest)| match length {
                1 | 2 => (if year < 50 { 2000 + year } else { 1900 + year }, rest),
                _ => (year, rest),
            }),
            FormatElement::Month => number_in(2, 1..=12),
            FormatElement::MonthName { full } => month(text, full),
            FormatElement::Day => number_in(2, 1..=31),
            FormatElement::DayOfYear => number_in(3, 1..=366),
            FormatElement::Hour12 => number_in(2, 1..=12),
            FormatElement::Hour24 => number_in(2, 0..=23),
            FormatElement::Minute => number_in(2, 0..=59),
            FormatElement::Second => number_in(2, 0..=59),
            FormatElement::SecondOfDay => number_in(5, 0..=86_399),
            FormatElement::Fraction(max_digits) => digits(text, max_digits).map(|(number, length, rest)| {
                let micros = if length > 6 { number / 10_i64.pow(length as u32 - 6) } else { number * 10_i64.pow(6 - length as u32) };
                (micros, rest)
            }),
            FormatElement::Meridian { dots } => meridian(text, dots),
            FormatElement::OffsetHour => {
                let sign = text.chars().next().filter(|sign| matches!(sign, '+' | '-' | ' '))?;
                self.is_west = sign == '-';
                digits(&text[1..], 2).map(|(hours, _, rest)| (hours, rest)).filter(|(hours, _)| *hours <= 14)
            }
            FormatElement::OffsetMinute => number_in(2, 0..=59),
            FormatElement::DayOfWeek | FormatElement::DayName { .. } => None,
        }?;
        match element {
            FormatElement::Year(_) | FormatElement::RoundYear(_) => self.year = Some(number),
            FormatElement::Month | FormatElement::MonthName { .. } => self.month = Some(number),
            FormatElement::Day => self.day = Some(number),
            FormatElement::DayOfYear => self.day_of_year = Some(number),
            FormatElement::Hour12 => self.hour_12 = Some(number),
            FormatElement::Hour24 => self.hour_24 = Some(number),
            FormatElement::Minute => self.minute = number,
            FormatElement::Second => self.second = number,
            FormatElement::SecondOfDay => self.second_of_day = Some(number),
            FormatElement::Fraction(_) => self.micros = number,
            FormatElement::Meridian { .. } => self.is_pm = Some(number == 1),
            FormatElement::OffsetHour => self.offset_hours = Some(number),
            FormatElement::OffsetMinute => self.offset_minutes = number,
            FormatElement::DayOfWeek | FormatElement::DayName { .. } => {}
        }
        Some(rest)
    }

    /// Returns none if the calendar does not have the day.
    fn date(&self) -> Result<Option<Date>, FunctionError> {
        let missing = |name: &str| FunctionError::new(format!("The BigQuery emulator does not support a FORMAT without {name} for a date"));
        let year = self.year.ok_or_else(|| missing("a year"))? as i16;
        if let Some(day) = self.day_of_year {
            return Ok(Date::new(year, 1, 1).ok().and_then(|first| first.with().day_of_year(day as i16).build().ok()));
        }
        let month = self.month.ok_or_else(|| missing("a month"))? as i8;
        Ok(Date::new(year, month, self.day.unwrap_or(1) as i8).ok().filter(|_| year > 0))
    }

    /// Returns microseconds since midnight.
    fn time(&self) -> Result<i64, FunctionError> {
        let hour = match (self.hour_24, self.hour_12, self.is_pm) {
            (Some(hour), ..) => hour,
            (None, Some(hour), Some(is_pm)) => hour % 12 + if is_pm { 12 } else { 0 },
            (None, Some(_), None) => return Err(FunctionError::new("The format elements HH and HH12 need AM or PM")),
            (None, None, _) => 0,
        };
        let seconds = self.second_of_day.unwrap_or((hour * 60 + self.minute) * 60 + self.second);
        Ok(seconds * 1_000_000 + self.micros)
    }

    fn offset(&self) -> Option<i64> {
        let minutes = self.offset_hours? * 60 + self.offset_minutes;
        Some(if self.is_west { -minutes } else { minutes })
    }
}

/// Parses a number of at most `max_digits` digits. Returns the number, its length and the rest.
fn digits(text: &str, max_digits: usize) -> Option<(i64, usize, &str)> {
    let length = text.bytes().take(max_digits).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    Some((digits.parse().ok()?, length, rest))
}

fn starts(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn month(text: &str, full: bool) -> Option<(i64, &str)> {
    (1..).zip(MONTHS).find_map(|(number, name)| {
        let name = if full { name } else { name.get(..3).unwrap_or(name) };
        starts(text, name).then(|| (number, &text[name.len()..]))
    })
}

/// Returns 0 for AM and 1 for PM.
fn meridian(text: &str, dots: bool) -> Option<(i64, &str)> {
    let words = if dots { ["A.M.", "P.M."] } else { ["AM", "PM"] };
    (0..).zip(words).find_map(|(number, word)| starts(text, word).then(|| (number, &text[word.len()..])))
}
