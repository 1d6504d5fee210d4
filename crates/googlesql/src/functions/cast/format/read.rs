//! A text in the form of a format, as a date or a time.
//!
//! BigQuery takes what the format does not ask for (the year, the month) and the digits of a short
//! year from today; this takes neither and refuses such formats, but for the century of `YY`.

use jiff::civil::Date;

use super::super::super::calendar::strftime::MONTHS;
use super::super::super::function_error::FunctionError;
use super::moment::{MomentElement, MomentFormat, MomentPart, MomentPiece};
use crate::civil_time::{self, MICROS_OF_DAY};

/// The type to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Date,
    Time,
    Datetime,
    Timestamp,
}

/// Civil microseconds since 1970, and the minutes east of UTC that the text names.
pub(crate) struct Found {
    pub(crate) civil: i64,
    pub(crate) offset_minutes: Option<i64>,
}

pub(crate) fn read(text: &str, form: &MomentFormat, needs: Needs) -> Result<Found, FunctionError> {
    let invalid = || FunctionError::new(format!("Failed to parse input string \"{text}\""));
    let mut parts = Parts::default();
    let mut rest = text.trim();
    for piece in &form.0 {
        rest = match piece {
            MomentPiece::Literal(white) if white.chars().all(char::is_whitespace) => {
                rest.strip_prefix(char::is_whitespace).ok_or_else(invalid)?.trim_start()
            }
            MomentPiece::Literal(literal) => rest.strip_prefix(literal.as_str()).ok_or_else(invalid)?,
            MomentPiece::Element(element, _) => {
                needs.allows(*element)?;
                parts.take(*element, rest).ok_or_else(invalid)?
            }
        };
    }
    if !rest.is_empty() {
        return Err(invalid());
    }
    let days = match needs {
        Needs::Time => 0,
        Needs::Date | Needs::Datetime | Needs::Timestamp => i64::from(civil_time::days(parts.date()?.ok_or_else(invalid)?)),
    };
    let time = parts.time()?;
    Ok(Found { civil: days * MICROS_OF_DAY + time, offset_minutes: parts.offset() })
}

impl Needs {
    fn allows(self, element: MomentElement) -> Result<(), FunctionError> {
        let unsupported =
            |what: &str| Err(FunctionError::new(format!("The local BigQuery does not support {what} in the FORMAT of a CAST from STRING")));
        match (element, element.part(), self) {
            (MomentElement::DayOfWeek | MomentElement::DayName { .. }, ..) => unsupported("days of the week"),
            (MomentElement::Year(1 | 3), ..) => unsupported("years of one or three digits"),
            (_, MomentPart::Date, Needs::Time) => Err(FunctionError::new("A TIME has no date, for which its FORMAT asks")),
            (_, MomentPart::Time, Needs::Date) => Err(FunctionError::new("A DATE has no time, for which its FORMAT asks")),
            (_, MomentPart::Zone, Needs::Date | Needs::Time | Needs::Datetime) => {
                Err(FunctionError::new("Only a TIMESTAMP has a time zone, for which the FORMAT asks"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct Parts {
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
    afternoon: Option<bool>,
    offset_hours: Option<i64>,
    offset_minutes: i64,
    west: bool,
}

impl Parts {
    /// What is left of the text after the element.
    fn take<'t>(&mut self, element: MomentElement, text: &'t str) -> Option<&'t str> {
        let within = |most: usize, range: std::ops::RangeInclusive<i64>| {
            let (number, _, rest) = digits(text, most)?;
            range.contains(&number).then_some((number, rest))
        };
        let (number, rest) = match element {
            MomentElement::Year(2) => within(2, 0..=99).map(|(year, rest)| (2000 + year, rest)),
            MomentElement::Year(_) => within(4, 1..=9999),
            MomentElement::RoundYear(most) => digits(text, most).map(|(year, length, rest)| match length {
                1 | 2 => (if year < 50 { 2000 + year } else { 1900 + year }, rest),
                _ => (year, rest),
            }),
            MomentElement::Month => within(2, 1..=12),
            MomentElement::MonthName { full } => month(text, full),
            MomentElement::Day => within(2, 1..=31),
            MomentElement::DayOfYear => within(3, 1..=366),
            MomentElement::Hour12 => within(2, 1..=12),
            MomentElement::Hour24 => within(2, 0..=23),
            MomentElement::Minute => within(2, 0..=59),
            MomentElement::Second => within(2, 0..=59),
            MomentElement::SecondOfDay => within(5, 0..=86_399),
            MomentElement::Fraction(most) => digits(text, most).map(|(number, length, rest)| {
                let micros = if length > 6 { number / 10_i64.pow(length as u32 - 6) } else { number * 10_i64.pow(6 - length as u32) };
                (micros, rest)
            }),
            MomentElement::Meridian { dots } => meridian(text, dots),
            MomentElement::OffsetHour => {
                let sign = text.chars().next().filter(|sign| matches!(sign, '+' | '-' | ' '))?;
                self.west = sign == '-';
                digits(&text[1..], 2).map(|(hours, _, rest)| (hours, rest)).filter(|(hours, _)| *hours <= 14)
            }
            MomentElement::OffsetMinute => within(2, 0..=59),
            MomentElement::DayOfWeek | MomentElement::DayName { .. } => None,
        }?;
        match element {
            MomentElement::Year(_) | MomentElement::RoundYear(_) => self.year = Some(number),
            MomentElement::Month | MomentElement::MonthName { .. } => self.month = Some(number),
            MomentElement::Day => self.day = Some(number),
            MomentElement::DayOfYear => self.day_of_year = Some(number),
            MomentElement::Hour12 => self.hour_12 = Some(number),
            MomentElement::Hour24 => self.hour_24 = Some(number),
            MomentElement::Minute => self.minute = number,
            MomentElement::Second => self.second = number,
            MomentElement::SecondOfDay => self.second_of_day = Some(number),
            MomentElement::Fraction(_) => self.micros = number,
            MomentElement::Meridian { .. } => self.afternoon = Some(number == 1),
            MomentElement::OffsetHour => self.offset_hours = Some(number),
            MomentElement::OffsetMinute => self.offset_minutes = number,
            MomentElement::DayOfWeek | MomentElement::DayName { .. } => {}
        }
        Some(rest)
    }

    /// None if the calendar has no such day.
    fn date(&self) -> Result<Option<Date>, FunctionError> {
        let today = |what: &str| FunctionError::new(format!("The local BigQuery does not support a FORMAT without {what} for a date"));
        let year = self.year.ok_or_else(|| today("a year"))? as i16;
        if let Some(day) = self.day_of_year {
            return Ok(Date::new(year, 1, 1).ok().and_then(|first| first.with().day_of_year(day as i16).build().ok()));
        }
        let month = self.month.ok_or_else(|| today("a month"))? as i8;
        Ok(Date::new(year, month, self.day.unwrap_or(1) as i8).ok().filter(|_| year > 0))
    }

    /// Microseconds since midnight.
    fn time(&self) -> Result<i64, FunctionError> {
        let hour = match (self.hour_24, self.hour_12, self.afternoon) {
            (Some(hour), ..) => hour,
            (None, Some(hour), Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
            (None, Some(_), None) => return Err(FunctionError::new("The format elements HH and HH12 need AM or PM")),
            (None, None, _) => 0,
        };
        let seconds = self.second_of_day.unwrap_or((hour * 60 + self.minute) * 60 + self.second);
        Ok(seconds * 1_000_000 + self.micros)
    }

    fn offset(&self) -> Option<i64> {
        let minutes = self.offset_hours? * 60 + self.offset_minutes;
        Some(if self.west { -minutes } else { minutes })
    }
}

/// A number of at most so many digits, how many it has, and what follows.
fn digits(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
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

/// 1 of the afternoon.
fn meridian(text: &str, dots: bool) -> Option<(i64, &str)> {
    let words = if dots { ["A.M.", "P.M."] } else { ["AM", "PM"] };
    (0..).zip(words).find_map(|(number, word)| starts(text, word).then(|| (number, &text[word.len()..])))
}
