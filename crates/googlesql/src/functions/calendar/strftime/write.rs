//! Formatting of dates and times by a pattern.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::super::extract::week;
use super::super::zone::Zone;
use super::pattern::{ElementFields, StrftimeElement, StrftimeItem, StrftimePattern};
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

/// The value to format. The types support different elements.
pub(crate) enum FormattedValue {
    /// Civil microseconds and the offset from UTC in seconds.
    Timestamp {
        civil: i64,
        offset: i64,
    },
    Datetime(i64),
    /// The civil microseconds of midnight.
    Date(i64),
    Time(i64),
}

pub(crate) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(crate) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl FormattedValue {
    pub(crate) fn timestamp(micros: i64, zone: &Zone) -> FormattedValue {
        let offset = zone.offset_to_minute(micros);
        FormattedValue::Timestamp { civil: micros + offset * 1_000_000, offset }
    }

    pub(crate) fn write(&self, pattern: &StrftimePattern) -> String {
        let mut text = String::new();
        self.append(&mut text, pattern, civil_time::date(day_of(self.civil())));
        text
    }

    fn append(&self, text: &mut String, pattern: &StrftimePattern, date: Date) {
        for piece in &pattern.0 {
            match piece {
                StrftimeItem::Literal(literal) => text.push(*literal),
                StrftimeItem::Element(element, _) if self.supports(*element) => self.append_element(text, *element, date),
                StrftimeItem::Element(_, text_of_element) => text.push_str(text_of_element),
            }
        }
    }

    fn supports(&self, element: StrftimeElement) -> bool {
        match self {
            FormattedValue::Timestamp { .. } => true,
            FormattedValue::Datetime(_) => element.fields() != ElementFields::Zone,
            FormattedValue::Date(_) => {
                matches!(element.fields(), ElementFields::Date | ElementFields::Neither) && element != StrftimeElement::EpochSeconds
            }
            FormattedValue::Time(_) => matches!(element.fields(), ElementFields::Time | ElementFields::Neither),
        }
    }

    fn civil(&self) -> i64 {
        match self {
            FormattedValue::Timestamp { civil, .. }
            | FormattedValue::Datetime(civil)
            | FormattedValue::Date(civil)
            | FormattedValue::Time(civil) => *civil,
        }
    }

    fn offset(&self) -> i64 {
        match self {
            FormattedValue::Timestamp { offset, .. } => *offset,
            FormattedValue::Datetime(_) | FormattedValue::Date(_) | FormattedValue::Time(_) => 0,
        }
    }

    fn append_element(&self, text: &mut String, element: StrftimeElement, date: Date) {
        let micros = self.civil().rem_euclid(MICROS_OF_DAY);
        let (hour, minute, second) = (micros / 3_600_000_000, micros / 60_000_000 % 60, micros / 1_000_000 % 60);
        let hour_12 = (hour + 11) % 12 + 1;
        let iso = || date.iso_week_date();
        let name = |names: &[&'static str], index: i8, full: bool| {
            let name = names[index as usize];
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
            StrftimeElement::AmPm { capital } => {
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
            StrftimeElement::WhiteSpace(white) => write!(text, "{white}"),
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

/// Formats the decimal point and decimals. Without a number of decimals, trailing zeros are removed.
fn fraction(micros: i64, decimals: Option<u32>) -> String {
    let digits = format!(".{micros:06}000000000");
    match decimals {
        Some(0) => String::new(),
        Some(decimals) => digits[..=decimals as usize].to_owned(),
        None => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

/// Formats `UTC`, `UTC-5`, `UTC+0530`.
fn zone_name(offset: i64) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    match (offset.abs() / 3_600, offset.abs() / 60 % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours:02}{minutes:02}"),
    }
}
