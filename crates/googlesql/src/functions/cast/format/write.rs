//! Formatting of dates and times by a format.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::super::super::calendar::Zone;
use super::super::super::calendar::strftime::{MONTHS, WEEKDAYS};
use super::super::super::function_error::FunctionError;
use super::date_time_format::{DateTimeFormat, ElementType, FormatElement, FormatItem, LetterCase};
use crate::civil_time::{self, MICROS_OF_DAY};

/// The value to format, in civil microseconds.
pub(crate) enum DateTimeValue {
    Date(i64),
    Time(i64),
    Datetime(i64),
    /// With the offset from UTC in seconds.
    Timestamp {
        civil: i64,
        offset: i64,
    },
}

impl DateTimeValue {
    pub(crate) fn timestamp(micros: i64, zone: &Zone) -> DateTimeValue {
        let offset = zone.offset_to_minute(micros);
        DateTimeValue::Timestamp { civil: micros + offset * 1_000_000, offset }
    }

    pub(crate) fn write(&self, format: &DateTimeFormat) -> Result<String, FunctionError> {
        let (type_name, civil, offset) = match *self {
            DateTimeValue::Date(civil) => ("DATE", civil, 0),
            DateTimeValue::Time(civil) => ("TIME", civil, 0),
            DateTimeValue::Datetime(civil) => ("DATETIME", civil, 0),
            DateTimeValue::Timestamp { civil, offset } => ("TIMESTAMP", civil, offset),
        };
        let date = civil_time::date(civil.div_euclid(MICROS_OF_DAY) as i32);
        let mut text = String::new();
        for item in &format.0 {
            match item {
                FormatItem::Literal(literal) => text.push_str(literal),
                FormatItem::Element(element, letter_case) if self.supports(element.element_type()) => {
                    append(&mut text, *element, *letter_case, date, civil.rem_euclid(MICROS_OF_DAY), offset);
                }
                FormatItem::Element(element, _) => {
                    return Err(FunctionError::new(format!("{type_name} does not support the format element {element:?}")));
                }
            }
        }
        Ok(text)
    }

    fn supports(&self, element_type: ElementType) -> bool {
        match self {
            DateTimeValue::Date(_) => element_type == ElementType::Date,
            DateTimeValue::Time(_) => element_type == ElementType::Time,
            DateTimeValue::Datetime(_) => element_type != ElementType::Zone,
            DateTimeValue::Timestamp { .. } => true,
        }
    }
}

fn append(text: &mut String, element: FormatElement, letter_case: LetterCase, date: Date, micros: i64, offset: i64) {
    let seconds = micros / 1_000_000;
    let hour = seconds / 3_600;
    let year = i32::from(date.year());
    let (month, weekday) = (date.month() as usize - 1, date.weekday().to_sunday_zero_offset() as usize);
    // Writing to a String cannot fail.
    let _ = match element {
        FormatElement::Year(4) | FormatElement::RoundYear(4) => write!(text, "{year:04}"),
        FormatElement::Year(digits) | FormatElement::RoundYear(digits) => write!(text, "{:0digits$}", year % 10_i32.pow(digits as u32)),
        FormatElement::Month => write!(text, "{:02}", date.month()),
        FormatElement::MonthName { full } => write!(text, "{}", name(MONTHS[month], full, letter_case)),
        FormatElement::Day => write!(text, "{:02}", date.day()),
        FormatElement::DayOfYear => write!(text, "{:03}", date.day_of_year()),
        FormatElement::DayOfWeek => write!(text, "{}", weekday + 1),
        FormatElement::DayName { full } => write!(text, "{}", name(WEEKDAYS[weekday], full, letter_case)),
        FormatElement::Hour12 => write!(text, "{:02}", (hour + 11) % 12 + 1),
        FormatElement::Hour24 => write!(text, "{hour:02}"),
        FormatElement::Minute => write!(text, "{:02}", seconds / 60 % 60),
        FormatElement::Second => write!(text, "{:02}", seconds % 60),
        FormatElement::SecondOfDay => write!(text, "{seconds:05}"),
        FormatElement::Fraction(digits) => write!(text, "{}", &format!("{:06}000", micros % 1_000_000)[..digits]),
        FormatElement::Meridian { dots } => {
            let word = match (hour < 12, dots) {
                (true, true) => "A.M.",
                (true, false) => "AM",
                (false, true) => "P.M.",
                (false, false) => "PM",
            };
            write!(text, "{}", if letter_case == LetterCase::Lower { word.to_lowercase() } else { word.to_owned() })
        }
        FormatElement::OffsetHour => write!(text, "{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600),
        FormatElement::OffsetMinute => write!(text, "{:02}", offset.abs() / 60 % 60),
    };
}

fn name(name: &str, full: bool, letter_case: LetterCase) -> String {
    let name = if full { name } else { name.get(..3).unwrap_or(name) };
    match letter_case {
        LetterCase::Upper => name.to_uppercase(),
        LetterCase::Title => name.to_owned(),
        LetterCase::Lower => name.to_lowercase(),
    }
}
