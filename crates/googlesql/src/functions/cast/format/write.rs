//! A date or a time in the form of a format.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::super::super::calendar::Zone;
use super::super::super::calendar::strftime::{MONTHS, WEEKDAYS};
use super::super::super::function_error::FunctionError;
use super::moment::{Letters, MomentElement, MomentFormat, MomentPart, MomentPiece};
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
                MomentPiece::Literal(literal) => text.push_str(literal),
                MomentPiece::Element(element, letters) if self.has(element.part()) => {
                    append(&mut text, *element, *letters, date, civil.rem_euclid(MICROS_OF_DAY), offset);
                }
                MomentPiece::Element(element, _) => {
                    return Err(FunctionError::new(format!("{kind} does not support the format element {element:?}")));
                }
            }
        }
        Ok(text)
    }

    fn has(&self, part: MomentPart) -> bool {
        match self {
            Moment::Date(_) => part == MomentPart::Date,
            Moment::Time(_) => part == MomentPart::Time,
            Moment::Datetime(_) => part != MomentPart::Zone,
            Moment::Timestamp { .. } => true,
        }
    }
}

fn append(text: &mut String, element: MomentElement, letters: Letters, date: Date, micros: i64, offset: i64) {
    let seconds = micros / 1_000_000;
    let hour = seconds / 3_600;
    let year = i32::from(date.year());
    let (month, weekday) = (date.month() as usize - 1, date.weekday().to_sunday_zero_offset() as usize);
    // Writing to a String cannot fail.
    let _ = match element {
        MomentElement::Year(4) | MomentElement::RoundYear(4) => write!(text, "{year:04}"),
        MomentElement::Year(digits) | MomentElement::RoundYear(digits) => write!(text, "{:0digits$}", year % 10_i32.pow(digits as u32)),
        MomentElement::Month => write!(text, "{:02}", date.month()),
        MomentElement::MonthName { full } => write!(text, "{}", name(MONTHS[month], full, letters)),
        MomentElement::Day => write!(text, "{:02}", date.day()),
        MomentElement::DayOfYear => write!(text, "{:03}", date.day_of_year()),
        MomentElement::DayOfWeek => write!(text, "{}", weekday + 1),
        MomentElement::DayName { full } => write!(text, "{}", name(WEEKDAYS[weekday], full, letters)),
        MomentElement::Hour12 => write!(text, "{:02}", (hour + 11) % 12 + 1),
        MomentElement::Hour24 => write!(text, "{hour:02}"),
        MomentElement::Minute => write!(text, "{:02}", seconds / 60 % 60),
        MomentElement::Second => write!(text, "{:02}", seconds % 60),
        MomentElement::SecondOfDay => write!(text, "{seconds:05}"),
        MomentElement::Fraction(digits) => write!(text, "{}", &format!("{:06}000", micros % 1_000_000)[..digits]),
        MomentElement::Meridian { dots } => {
            let word = match (hour < 12, dots) {
                (true, true) => "A.M.",
                (true, false) => "AM",
                (false, true) => "P.M.",
                (false, false) => "PM",
            };
            write!(text, "{}", if letters == Letters::Small { word.to_lowercase() } else { word.to_owned() })
        }
        MomentElement::OffsetHour => write!(text, "{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600),
        MomentElement::OffsetMinute => write!(text, "{:02}", offset.abs() / 60 % 60),
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
