//! Parsing of dates and times by a pattern.
//!
//! Fields without an element default to 1970-01-01 00:00:00. If a field has several elements, the last
//! one applies. White space in the pattern matches any amount of white space, including none.

use jiff::civil::{Date, ISOWeekDate, Weekday};

use super::super::zone::Zone;
use super::pattern::{StrftimeElement, StrftimeItem, StrftimePattern};
use super::rest::RemainingText;
use super::write::{MONTHS, WEEKDAYS};
use crate::civil_time::{self, MICROS_OF_DAY, checked_micros};

/// Parses the text and returns microseconds since 1970 in UTC. `zone` is the default time zone.
pub(crate) fn parse(pattern: &StrftimePattern, text: &str, zone: &Zone) -> Option<i64> {
    let mut fields = ParsedFields::default();
    let mut rest = RemainingText(text.trim_start());
    fields.parse_pattern(pattern, &mut rest)?;
    if !rest.0.trim_start().is_empty() {
        return None;
    }
    if let Some(seconds) = fields.epoch {
        return checked_micros(seconds.checked_mul(1_000_000)?);
    }
    let days = civil_time::checked_days(i64::from(civil_time::days(fields.date()?)))?;
    let civil = i64::from(days) * MICROS_OF_DAY + fields.time();
    checked_micros(fields.zone.as_ref().unwrap_or(zone).timestamp(civil))
}

/// The field that determines the day of the year.
#[derive(Clone, Copy)]
enum DayField {
    Month,
    Year(i64),
    Weeks { week_start: Weekday, week: i64 },
}

struct ParsedFields {
    year: i64,
    century: Option<i64>,
    year_of_century: Option<i64>,
    /// Whether an element of the civil calendar occurs. ISO elements are then ignored.
    has_civil_date: bool,
    month: i64,
    day: i64,
    days: DayField,
    weekday: Option<Weekday>,
    iso_year: Option<i64>,
    iso_week: i64,
    hour: i64,
    /// Whether `hour` is on the 12-hour clock.
    is_twelve_hour: bool,
    is_pm: bool,
    minute: i64,
    second: i64,
    micros: i64,
    epoch: Option<i64>,
    zone: Option<Zone>,
}

impl Default for ParsedFields {
    fn default() -> ParsedFields {
        ParsedFields {
            year: 1970,
            century: None,
            year_of_century: None,
            has_civil_date: false,
            month: 1,
            day: 1,
            days: DayField::Month,
            weekday: None,
            iso_year: None,
            iso_week: 1,
            hour: 0,
            is_twelve_hour: false,
            is_pm: false,
            minute: 0,
            second: 0,
            micros: 0,
            epoch: None,
            zone: None,
        }
    }
}

impl ParsedFields {
    fn parse_pattern(&mut self, pattern: &StrftimePattern, rest: &mut RemainingText) -> Option<()> {
        for item in &pattern.0 {
            match item {
                StrftimeItem::Literal(white) if white.is_whitespace() => rest.skip_white_space(),
                StrftimeItem::Literal(literal) => rest.0 = rest.0.strip_prefix(*literal)?,
                StrftimeItem::Element(element, _) => self.parse_element(*element, rest)?,
            }
        }
        Some(())
    }

    fn parse_element(&mut self, element: StrftimeElement, rest: &mut RemainingText) -> Option<()> {
        self.has_civil_date |= element.is_civil_date();
        match element {
            StrftimeElement::WeekdayName { .. } => self.weekday = Some(weekday(rest.name(&WEEKDAYS)?)?),
            StrftimeElement::MonthName { .. } => (self.month, self.days) = (rest.name(&MONTHS)? + 1, DayField::Month),
            StrftimeElement::Century => self.century = Some(rest.number(2, 0..=99)?),
            StrftimeElement::Day | StrftimeElement::DayBlank => (self.day, self.days) = (rest.number(2, 1..=31)?, DayField::Month),
            StrftimeElement::IsoYear => self.iso_year = Some(rest.number(4, 0..=9999)?),
            StrftimeElement::IsoYearOfCentury => self.iso_year = Some(expand_year(rest.number(2, 0..=99)?)),
            StrftimeElement::Hour | StrftimeElement::HourBlank => (self.hour, self.is_twelve_hour) = (rest.number(2, 0..=23)?, false),
            StrftimeElement::Hour12 | StrftimeElement::Hour12Blank => (self.hour, self.is_twelve_hour) = (rest.number(2, 1..=12)?, true),
            StrftimeElement::DayOfYear => self.days = DayField::Year(rest.number(3, 1..=366)?),
            StrftimeElement::IsoDayOfYear => {
                let day = rest.number(3, 1..=371)? - 1;
                (self.iso_week, self.weekday) = (day / 7 + 1, weekday((day + 1) % 7));
            }
            StrftimeElement::Minute => self.minute = rest.number(2, 0..=59)?,
            StrftimeElement::Month => (self.month, self.days) = (rest.number(2, 1..=12)?, DayField::Month),
            StrftimeElement::AmPm { .. } => self.is_pm = rest.name(&["AM", "PM"])? == 1,
            StrftimeElement::Quarter => (self.month, self.days) = (rest.number(1, 1..=4)? * 3 - 2, DayField::Month),
            // A leap second maps to the next second.
            StrftimeElement::Second => (self.second, self.micros) = (rest.number(2, 0..=60)?, 0),
            StrftimeElement::Fraction(decimals) => {
                self.second = rest.number(2, 0..=60)?;
                self.micros = rest.fraction(decimals);
            }
            StrftimeElement::EpochSeconds => self.epoch = Some(rest.signed()?),
            StrftimeElement::WeekSunday => self.days = DayField::Weeks { week_start: Weekday::Sunday, week: rest.number(2, 0..=53)? },
            StrftimeElement::WeekMonday => self.days = DayField::Weeks { week_start: Weekday::Monday, week: rest.number(2, 0..=53)? },
            StrftimeElement::IsoWeek => self.iso_week = rest.number(2, 1..=53)?,
            StrftimeElement::Weekday1 => self.weekday = weekday(rest.number(1, 1..=7)? % 7),
            StrftimeElement::Weekday0 => self.weekday = weekday(rest.number(1, 0..=6)?),
            StrftimeElement::Year | StrftimeElement::YearFour => {
                (self.year, self.century, self.year_of_century) = (rest.number(4, 0..=9999)?, None, None);
            }
            StrftimeElement::YearOfCentury => self.year_of_century = Some(rest.number(2, 0..=99)?),
            StrftimeElement::ZoneName => self.zone = Some(rest.word().parse().ok()?),
            StrftimeElement::Offset { .. } => self.zone = Some(rest.offset()?),
            StrftimeElement::WhiteSpace(_) => rest.skip_white_space(),
            StrftimeElement::Composite(elements) => self.parse_pattern(&StrftimePattern::of(elements), rest)?,
        }
        Some(())
    }

    fn date(&self) -> Option<Date> {
        if let (false, Some(year)) = (self.has_civil_date, self.iso_year) {
            let weekday = self.weekday.unwrap_or(Weekday::Monday);
            return ISOWeekDate::new(i16::try_from(year).ok()?, self.iso_week as i8, weekday).ok().map(ISOWeekDate::date);
        }
        let year = match (self.century, self.year_of_century) {
            (None, None) => self.year,
            (None, Some(year)) => expand_year(year),
            (Some(century), year) => century * 100 + year.unwrap_or(0),
        };
        let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
        match self.days {
            DayField::Month => Date::new(year, self.month as i8, self.day as i8).ok(),
            DayField::Year(day) => jiff::civil::date(year, 1, 1).with().day_of_year(day as i16).build().ok(),
            DayField::Weeks { week_start, week } => {
                let first = Date::new(year, 1, 1).ok()?;
                let days_into_week = i64::from(self.weekday.unwrap_or(week_start).since(week_start));
                let day = week * 7 - i64::from(first.weekday().since(week_start)) + days_into_week;
                // The first, incomplete week is week 0. If the year begins on `week_start`, it has no week 0.
                let day = if first.weekday() == week_start { day - 7 } else { day };
                Some(civil_time::date(civil_time::checked_days(i64::from(civil_time::days(first)) + day)?))
            }
        }
    }

    fn time(&self) -> i64 {
        let hour = match (self.is_twelve_hour, self.is_pm) {
            (false, _) => self.hour,
            (true, false) => self.hour % 12,
            (true, true) => self.hour % 12 + 12,
        };
        ((hour * 60 + self.minute) * 60 + self.second) * 1_000_000 + self.micros
    }
}

/// Expands a two-digit year: 69 to 99 are in the 1900s.
fn expand_year(year: i64) -> i64 {
    year + if year < 69 { 2000 } else { 1900 }
}

fn weekday(from_sunday: i64) -> Option<Weekday> {
    Weekday::from_sunday_zero_offset(i8::try_from(from_sunday).ok()?).ok()
}
