//! A date or a time in the form of a format.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::super::super::calendar::Zone;
use super::super::super::calendar::strftime::{MONTHS, WEEKDAYS};
use super::super::super::function_error::FunctionError;
use super::moment::{Element, Letters, MomentFormat, Part, Piece};
use crate::civil_time::{self, MICROS_OF_DAY};

/// What is to be written: civil microseconds.
pub(crate) enum Moment {
    Date(i64),
    Time(i64),
    Datetime(i64),
    /// With its seconds east of UTC.
    Timestamp {
        civil: i64,
        offset: i64,
    },
}

impl Moment {
    pub(crate) fn timestamp(micros: i64, zone: &Zone) -> Moment {
        let offset = zone.shown_offset(micros);
        Moment::Timestamp { civil: micros + offset * 1_000_000, offset }
    }

    pub(crate) fn write(&self, form: &MomentFormat) -> Result<String, FunctionError> {
        let (kind, civil, offset) = match *self {
            Moment::Date(civil) => ("DATE", civil, 0),
            Moment::Time(civil) => ("TIME", civil, 0),
            Moment::Datetime(civil) => ("DATETIME", civil, 0),
            Moment::Timestamp { civil, offset } => ("TIMESTAMP", civil, offset),
        };
        let date = civil_time::date(civil.div_euclid(MICROS_OF_DAY) as i32);
        let mut text = String::new();
        for piece in &form.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Element(element, letters) if self.has(element.part()) => {
                    append(&mut text, *element, *letters, date, civil.rem_euclid(MICROS_OF_DAY), offset);
                }
                Piece::Element(element, _) => {
                    return Err(FunctionError::new(format!("{kind} does not support the format element {element:?}")));
                }
            }
        }
        Ok(text)
    }

    fn has(&self, part: Part) -> bool {
        match self {
            Moment::Date(_) => part == Part::Date,
            Moment::Time(_) => part == Part::Time,
            Moment::Datetime(_) => part != Part::Zone,
            Moment::Timestamp { .. } => true,
        }
    }
}

fn append(text: &mut String, element: Element, letters: Letters, date: Date, micros: i64, offset: i64) {
    let seconds = micros / 1_000_000;
    let hour = seconds / 3_600;
    let year = i32::from(date.year());
    let (month, weekday) = (date.month() as usize - 1, date.weekday().to_sunday_zero_offset() as usize);
    // Writing to a String cannot fail.
    let _ = match element {
        Element::Year(4) | Element::RoundYear(4) => write!(text, "{year:04}"),
        Element::Year(digits) | Element::RoundYear(digits) => write!(text, "{:0digits$}", year % 10_i32.pow(digits as u32)),
        Element::Month => write!(text, "{:02}", date.month()),
        Element::MonthName { full } => write!(text, "{}", name(MONTHS[month], full, letters)),
        Element::Day => write!(text, "{:02}", date.day()),
        Element::DayOfYear => write!(text, "{:03}", date.day_of_year()),
        Element::DayOfWeek => write!(text, "{}", weekday + 1),
        Element::DayName { full } => write!(text, "{}", name(WEEKDAYS[weekday], full, letters)),
        Element::Hour12 => write!(text, "{:02}", (hour + 11) % 12 + 1),
        Element::Hour24 => write!(text, "{hour:02}"),
        Element::Minute => write!(text, "{:02}", seconds / 60 % 60),
        Element::Second => write!(text, "{:02}", seconds % 60),
        Element::SecondOfDay => write!(text, "{seconds:05}"),
        Element::Fraction(digits) => write!(text, "{}", &format!("{:06}000", micros % 1_000_000)[..digits]),
        Element::Meridian { dots } => {
            let word = match (hour < 12, dots) {
                (true, true) => "A.M.",
                (true, false) => "AM",
                (false, true) => "P.M.",
                (false, false) => "PM",
            };
            write!(text, "{}", if letters == Letters::Small { word.to_lowercase() } else { word.to_owned() })
        }
        Element::OffsetHour => write!(text, "{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600),
        Element::OffsetMinute => write!(text, "{:02}", offset.abs() / 60 % 60),
    };
}

fn name(name: &str, full: bool, letters: Letters) -> String {
    let name = if full { name } else { name.get(..3).unwrap_or(name) };
    match letters {
        Letters::Capital => name.to_uppercase(),
        Letters::Title => name.to_owned(),
        Letters::Small => name.to_lowercase(),
    }
}
