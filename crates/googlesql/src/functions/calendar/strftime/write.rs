//! A moment in the form of a pattern.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::super::extract::week;
use super::super::truncate::day_of;
use super::super::zone::Zone;
use super::pattern::{Element, Part, Pattern, Piece};
use crate::civil_time::{self, MICROS_OF_DAY};

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

    pub(crate) fn write(&self, pattern: &Pattern) -> String {
        let mut text = String::new();
        self.append(&mut text, pattern, civil_time::date(day_of(self.civil())));
        text
    }

    fn append(&self, text: &mut String, pattern: &Pattern, date: Date) {
        for piece in &pattern.0 {
            match piece {
                Piece::Literal(literal) => text.push(*literal),
                Piece::Element(element, _) if self.has(*element) => self.element(text, *element, date),
                Piece::Element(_, itself) => text.push_str(itself),
            }
        }
    }

    fn has(&self, element: Element) -> bool {
        match self {
            Shown::Timestamp { .. } => true,
            Shown::Datetime(_) => element.part() != Part::Zone,
            Shown::Date(_) => matches!(element.part(), Part::Date | Part::Neither) && element != Element::EpochSeconds,
            Shown::Time(_) => matches!(element.part(), Part::Time | Part::Neither),
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

    fn element(&self, text: &mut String, element: Element, date: Date) {
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
            Element::WeekdayName { full } => write!(text, "{}", name(&WEEKDAYS, date.weekday().to_sunday_zero_offset(), full)),
            Element::MonthName { full } => write!(text, "{}", name(&MONTHS, date.month() - 1, full)),
            Element::Century => write!(text, "{:02}", date.year() / 100),
            Element::Day => write!(text, "{:02}", date.day()),
            Element::DayBlank => write!(text, "{:2}", date.day()),
            Element::IsoYear => write!(text, "{}", iso().year()),
            Element::IsoYearOfCentury => write!(text, "{:02}", iso().year() % 100),
            Element::Hour => write!(text, "{hour:02}"),
            Element::Hour12 => write!(text, "{hour_12:02}"),
            Element::HourBlank => write!(text, "{hour:2}"),
            Element::Hour12Blank => write!(text, "{hour_12:2}"),
            Element::IsoDayOfYear => {
                write!(text, "{:03}", (iso().week() as i16 - 1) * 7 + i16::from(iso().weekday().to_monday_one_offset()))
            }
            Element::DayOfYear => write!(text, "{:03}", date.day_of_year()),
            Element::Minute => write!(text, "{minute:02}"),
            Element::Month => write!(text, "{:02}", date.month()),
            Element::Noon { capital } => {
                let word = if hour < 12 { "AM" } else { "PM" };
                write!(text, "{}", if capital { word.to_owned() } else { word.to_lowercase() })
            }
            Element::Quarter => write!(text, "{}", (date.month() + 2) / 3),
            Element::Second => write!(text, "{second:02}"),
            Element::Fraction(decimals) => write!(text, "{second:02}{}", fraction(micros % 1_000_000, decimals)),
            Element::EpochSeconds => write!(text, "{}", (self.civil() - self.offset() * 1_000_000).div_euclid(1_000_000)),
            Element::WeekSunday => write!(text, "{:02}", week(date, Weekday::Sunday)),
            Element::WeekMonday => write!(text, "{:02}", week(date, Weekday::Monday)),
            Element::IsoWeek => write!(text, "{:02}", iso().week()),
            Element::Weekday1 => write!(text, "{}", date.weekday().to_monday_one_offset()),
            Element::Weekday0 => write!(text, "{}", date.weekday().to_sunday_zero_offset()),
            Element::Year => write!(text, "{}", date.year()),
            Element::YearFour => write!(text, "{:04}", date.year()),
            Element::YearOfCentury => write!(text, "{:02}", year_of_century(date)),
            Element::ZoneName => write!(text, "{}", zone_name(self.offset())),
            Element::Offset { colon } => {
                let (sign, offset) = (if self.offset() < 0 { '-' } else { '+' }, self.offset().abs());
                write!(text, "{sign}{:02}{}{:02}", offset / 3_600, if colon { ":" } else { "" }, offset / 60 % 60)
            }
            Element::White(white) => write!(text, "{white}"),
            Element::Composite(of) => {
                self.append(text, &Pattern::of(of), date);
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
