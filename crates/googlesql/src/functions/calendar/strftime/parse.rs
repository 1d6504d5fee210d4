//! A text in the form of a pattern, as a moment.
//!
//! What the pattern does not ask for is that of 1970-01-01 00:00:00; what it asks for twice is
//! the later of the two. White space in the pattern is any amount of it, or none.

use jiff::civil::{Date, ISOWeekDate, Weekday};

use super::super::zone::Zone;
use super::pattern::{StrftimeElement, StrftimePattern, StrftimePiece};
use super::rest::Rest;
use super::write::{MONTHS, WEEKDAYS};
use crate::civil_time::{self, MICROS_OF_DAY, checked_micros};

/// Microseconds since 1970 in UTC, if the text is of that form. `zone` is that of a text that names
/// none.
pub(crate) fn parse(pattern: &StrftimePattern, text: &str, zone: &Zone) -> Option<i64> {
    let mut found = Found::default();
    let mut rest = Rest(text.trim_start());
    found.read(pattern, &mut rest)?;
    if !rest.0.trim_start().is_empty() {
        return None;
    }
    if let Some(seconds) = found.epoch {
        return checked_micros(seconds.checked_mul(1_000_000)?);
    }
    let days = civil_time::checked_days(i64::from(civil_time::days(found.date()?)))?;
    let civil = i64::from(days) * MICROS_OF_DAY + found.time();
    checked_micros(found.zone.as_ref().unwrap_or(zone).timestamp(civil))
}

/// What the day is counted in.
#[derive(Clone, Copy)]
enum Days {
    Month,
    Year(i64),
    Weeks { begins: Weekday, week: i64 },
}

/// What has been read.
struct Found {
    year: i64,
    century: Option<i64>,
    year_of_century: Option<i64>,
    /// There are elements of the civil calendar: those of the ISO calendar then mean nothing.
    civil: bool,
    month: i64,
    day: i64,
    days: Days,
    weekday: Option<Weekday>,
    iso_year: Option<i64>,
    iso_week: i64,
    hour: i64,
    /// The hour is one of twelve.
    twelve: bool,
    afternoon: bool,
    minute: i64,
    second: i64,
    micros: i64,
    epoch: Option<i64>,
    zone: Option<Zone>,
}

impl Default for Found {
    fn default() -> Found {
        Found {
            year: 1970,
            century: None,
            year_of_century: None,
            civil: false,
            month: 1,
            day: 1,
            days: Days::Month,
            weekday: None,
            iso_year: None,
            iso_week: 1,
            hour: 0,
            twelve: false,
            afternoon: false,
            minute: 0,
            second: 0,
            micros: 0,
            epoch: None,
            zone: None,
        }
    }
}

impl Found {
    fn read(&mut self, pattern: &StrftimePattern, rest: &mut Rest) -> Option<()> {
        for piece in &pattern.0 {
            match piece {
                StrftimePiece::Literal(white) if white.is_whitespace() => rest.skip_white(),
                StrftimePiece::Literal(literal) => rest.0 = rest.0.strip_prefix(*literal)?,
                StrftimePiece::Element(element, _) => self.element(*element, rest)?,
            }
        }
        Some(())
    }

    fn element(&mut self, element: StrftimeElement, rest: &mut Rest) -> Option<()> {
        self.civil |= element.is_civil_date();
        match element {
            StrftimeElement::WeekdayName { .. } => self.weekday = Some(weekday(rest.name(&WEEKDAYS)?)?),
            StrftimeElement::MonthName { .. } => (self.month, self.days) = (rest.name(&MONTHS)? + 1, Days::Month),
            StrftimeElement::Century => self.century = Some(rest.number(2, 0..=99)?),
            StrftimeElement::Day | StrftimeElement::DayBlank => (self.day, self.days) = (rest.number(2, 1..=31)?, Days::Month),
            StrftimeElement::IsoYear => self.iso_year = Some(rest.number(4, 0..=9999)?),
            StrftimeElement::IsoYearOfCentury => self.iso_year = Some(in_century(rest.number(2, 0..=99)?)),
            StrftimeElement::Hour | StrftimeElement::HourBlank => (self.hour, self.twelve) = (rest.number(2, 0..=23)?, false),
            StrftimeElement::Hour12 | StrftimeElement::Hour12Blank => (self.hour, self.twelve) = (rest.number(2, 1..=12)?, true),
            StrftimeElement::DayOfYear => self.days = Days::Year(rest.number(3, 1..=366)?),
            StrftimeElement::IsoDayOfYear => {
                let day = rest.number(3, 1..=371)? - 1;
                (self.iso_week, self.weekday) = (day / 7 + 1, weekday((day + 1) % 7));
            }
            StrftimeElement::Minute => self.minute = rest.number(2, 0..=59)?,
            StrftimeElement::Month => (self.month, self.days) = (rest.number(2, 1..=12)?, Days::Month),
            StrftimeElement::Noon { .. } => self.afternoon = rest.name(&["AM", "PM"])? == 1,
            StrftimeElement::Quarter => (self.month, self.days) = (rest.number(1, 1..=4)? * 3 - 2, Days::Month),
            // A leap second is the next second.
            StrftimeElement::Second => (self.second, self.micros) = (rest.number(2, 0..=60)?, 0),
            StrftimeElement::Fraction(decimals) => {
                self.second = rest.number(2, 0..=60)?;
                self.micros = rest.fraction(decimals);
            }
            StrftimeElement::EpochSeconds => self.epoch = Some(rest.signed()?),
            StrftimeElement::WeekSunday => self.days = Days::Weeks { begins: Weekday::Sunday, week: rest.number(2, 0..=53)? },
            StrftimeElement::WeekMonday => self.days = Days::Weeks { begins: Weekday::Monday, week: rest.number(2, 0..=53)? },
            StrftimeElement::IsoWeek => self.iso_week = rest.number(2, 1..=53)?,
            StrftimeElement::Weekday1 => self.weekday = weekday(rest.number(1, 1..=7)? % 7),
            StrftimeElement::Weekday0 => self.weekday = weekday(rest.number(1, 0..=6)?),
            StrftimeElement::Year | StrftimeElement::YearFour => {
                (self.year, self.century, self.year_of_century) = (rest.number(4, 0..=9999)?, None, None);
            }
            StrftimeElement::YearOfCentury => self.year_of_century = Some(rest.number(2, 0..=99)?),
            StrftimeElement::ZoneName => self.zone = Some(rest.word().parse().ok()?),
            StrftimeElement::Offset { .. } => self.zone = Some(rest.offset()?),
            StrftimeElement::White(_) => rest.skip_white(),
            StrftimeElement::Composite(of) => self.read(&StrftimePattern::of(of), rest)?,
        }
        Some(())
    }

    fn date(&self) -> Option<Date> {
        if let (false, Some(year)) = (self.civil, self.iso_year) {
            let weekday = self.weekday.unwrap_or(Weekday::Monday);
            return ISOWeekDate::new(i16::try_from(year).ok()?, self.iso_week as i8, weekday).ok().map(ISOWeekDate::date);
        }
        let year = match (self.century, self.year_of_century) {
            (None, None) => self.year,
            (None, Some(year)) => in_century(year),
            (Some(century), year) => century * 100 + year.unwrap_or(0),
        };
        let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
        match self.days {
            Days::Month => Date::new(year, self.month as i8, self.day as i8).ok(),
            Days::Year(day) => jiff::civil::date(year, 1, 1).with().day_of_year(day as i16).build().ok(),
            Days::Weeks { begins, week } => {
                let first = Date::new(year, 1, 1).ok()?;
                let into = i64::from(self.weekday.unwrap_or(begins).since(begins));
                let day = week * 7 - i64::from(first.weekday().since(begins)) + into;
                // The first week may be one that began in the year before: week 1 begins with the
                // year's first such day.
                let day = if first.weekday() == begins { day - 7 } else { day };
                Some(civil_time::date(civil_time::checked_days(i64::from(civil_time::days(first)) + day)?))
            }
        }
    }

    fn time(&self) -> i64 {
        let hour = match (self.twelve, self.afternoon) {
            (false, _) => self.hour,
            (true, false) => self.hour % 12,
            (true, true) => self.hour % 12 + 12,
        };
        ((hour * 60 + self.minute) * 60 + self.second) * 1_000_000 + self.micros
    }
}

/// 69 to 99 are of the last century.
fn in_century(year: i64) -> i64 {
    year + if year < 69 { 2000 } else { 1900 }
}

fn weekday(from_sunday: i64) -> Option<Weekday> {
    Weekday::from_sunday_zero_offset(i8::try_from(from_sunday).ok()?).ok()
}
