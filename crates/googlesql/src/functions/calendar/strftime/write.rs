//! A moment in the form of a pattern.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::super::extract::week;
use super::super::zone::Zone;
use super::pattern::{StrftimeElement, StrftimePart, StrftimePattern, StrftimePiece};
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

/// What is to be written. The types differ in the elements they have.
pub(crate) enum Shown {
    /// Civil microseconds, and seconds east of UTC.
    Timestamp {
        civil: i64,
        offset: i64,
    },
    Datetime(i64),
    /// Civil microseconds of its midnight.
    Date(i64),
    Time(i64),
}

pub(crate) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(crate) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Shown {
    pub(crate) fn timestamp(micros: i64, zone: &Zone) -> Shown {
        let offset = zone.shown_offset(micros);
        Shown::Timestamp { civil: micros + offset * 1_000_000, offset }
    }

    pub(crate) fn write(&self, pattern: &StrftimePattern) -> String {
        let mut text = String::new();
        self.append(&mut text, pattern, civil_time::date(day_of(self.civil())));
        text
    }

    fn append(&self, text: &mut String, pattern: &StrftimePattern, date: Date) {
        for piece in &pattern.0 {
            match piece {
                StrftimePiece::Literal(literal) => text.push(*literal),
                StrftimePiece::Element(element, _) if self.has(*element) => self.element(text, *element, date),
                StrftimePiece::Element(_, itself) => text.push_str(itself),
            }
        }
    }

    fn has(&self, element: StrftimeElement) -> bool {
        match self {
            Shown::Timestamp { .. } => true,
            Shown::Datetime(_) => element.part() != StrftimePart::Zone,
            Shown::Date(_) => {
                matches!(element.part(), StrftimePart::Date | StrftimePart::Neither) && element != StrftimeElement::EpochSeconds
            }
            Shown::Time(_) => matches!(element.part(), StrftimePart::Time | StrftimePart::Neither),
        }
    }

    fn civil(&self) -> i64 {
        match self {
            Shown::Timestamp { civil, .. } | Shown::Datetime(civil) | Shown::Date(civil) | Shown::Time(civil) => *civil,
        }
    }

    fn offset(&self) -> i64 {
        match self {
            Shown::Timestamp { offset, .. } => *offset,
            Shown::Datetime(_) | Shown::Date(_) | Shown::Time(_) => 0,
        }
    }

    fn element(&self, text: &mut String, element: StrftimeElement, date: Date) {
        let micros = self.civil().rem_euclid(MICROS_OF_DAY);
        let (hour, minute, second) = (micros / 3_600_000_000, micros / 60_000_000 % 60, micros / 1_000_000 % 60);
        let hour_12 = (hour + 11) % 12 + 1;
        let iso = || date.iso_week_date();
        let name = |names: &[&'static str], index: i8, full: bool| {
            let name = names.get(index as usize).copied().unwrap_or_default();
            if full { name } else { name.get(..3).unwrap_or(name) }
        };
        // Writing to a String cannot fail.
        let _ = match element {
            StrftimeElement::WeekdayName { full } => write!(text, "{}", name(&WEEKDAYS, date.weekday().to_sunday_zero_offset(), full)),
            StrftimeElement::MonthName { full } => write!(text, "{}", name(&MONTHS, date.month() - 1, full)),
            StrftimeElement::Century => write!(text, "{:02}", date.year() / 100),
            StrftimeElement::Day => write!(text, "{:02}", date.day()),
            StrftimeElement::DayBlank => write!(text, "{:2}", date.day()),
            StrftimeElement::IsoYear => write!(text, "{}", iso().year()),
            StrftimeElement::IsoYearOfCentury => write!(text, "{:02}", iso().year() % 100),
            StrftimeElement::Hour => write!(text, "{hour:02}"),
            StrftimeElement::Hour12 => write!(text, "{hour_12:02}"),
            StrftimeElement::HourBlank => write!(text, "{hour:2}"),
            StrftimeElement::Hour12Blank => write!(text, "{hour_12:2}"),
            StrftimeElement::IsoDayOfYear => {
                write!(text, "{:03}", (iso().week() as i16 - 1) * 7 + i16::from(iso().weekday().to_monday_one_offset()))
            }
            StrftimeElement::DayOfYear => write!(text, "{:03}", date.day_of_year()),
            StrftimeElement::Minute => write!(text, "{minute:02}"),
            StrftimeElement::Month => write!(text, "{:02}", date.month()),
            StrftimeElement::Noon { capital } => {
                let word = if hour < 12 { "AM" } else { "PM" };
                write!(text, "{}", if capital { word.to_owned() } else { word.to_lowercase() })
            }
            StrftimeElement::Quarter => write!(text, "{}", (date.month() + 2) / 3),
            StrftimeElement::Second => write!(text, "{second:02}"),
            StrftimeElement::Fraction(decimals) => write!(text, "{second:02}{}", fraction(micros % 1_000_000, decimals)),
            StrftimeElement::EpochSeconds => write!(text, "{}", (self.civil() - self.offset() * 1_000_000).div_euclid(1_000_000)),
            StrftimeElement::WeekSunday => write!(text, "{:02}", week(date, Weekday::Sunday)),
            StrftimeElement::WeekMonday => write!(text, "{:02}", week(date, Weekday::Monday)),
            StrftimeElement::IsoWeek => write!(text, "{:02}", iso().week()),
            StrftimeElement::Weekday1 => write!(text, "{}", date.weekday().to_monday_one_offset()),
            StrftimeElement::Weekday0 => write!(text, "{}", date.weekday().to_sunday_zero_offset()),
            StrftimeElement::Year => write!(text, "{}", date.year()),
            StrftimeElement::YearFour => write!(text, "{:04}", date.year()),
            StrftimeElement::YearOfCentury => write!(text, "{:02}", year_of_century(date)),
            StrftimeElement::ZoneName => write!(text, "{}", zone_name(self.offset())),
            StrftimeElement::Offset { colon } => {
                let (sign, offset) = (if self.offset() < 0 { '-' } else { '+' }, self.offset().abs());
                write!(text, "{sign}{:02}{}{:02}", offset / 3_600, if colon { ":" } else { "" }, offset / 60 % 60)
            }
            StrftimeElement::White(white) => write!(text, "{white}"),
            StrftimeElement::Composite(of) => {
                self.append(text, &StrftimePattern::of(of), date);
                Ok(())
            }
        };
    }
}

fn year_of_century(date: Date) -> i16 {
    date.year() % 100
}

/// The point and the decimals; without a number of them no zeros at the end, and no bare point.
fn fraction(micros: i64, decimals: Option<u32>) -> String {
    let digits = format!(".{micros:06}000000000");
    match decimals {
        Some(0) => String::new(),
        Some(decimals) => digits[..=decimals as usize].to_owned(),
        None => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

/// `UTC`, `UTC-5`, `UTC+0530`.
fn zone_name(offset: i64) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    match (offset.abs() / 3_600, offset.abs() / 60 % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours:02}{minutes:02}"),
    }
}
