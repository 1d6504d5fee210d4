//! Parsing of a format string into elements and literals.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;

/// A format string such as `%Y-%m-%d`. Text without an element is literal.
#[derive(Debug)]
pub(crate) struct StrftimePattern(pub(crate) Vec<StrftimeItem>);

#[derive(Debug)]
pub(crate) enum StrftimeItem {
    Literal(char),
    /// An element and its text. The text is the output for types without this element.
    Element(StrftimeElement, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrftimeElement {
    WeekdayName {
        full: bool,
    },
    MonthName {
        full: bool,
    },
    Century,
    Day,
    /// Padded with a space.
    DayBlank,
    IsoYear,
    IsoYearOfCentury,
    Hour,
    Hour12,
    HourBlank,
    Hour12Blank,
    IsoDayOfYear,
    DayOfYear,
    Minute,
    Month,
    AmPm {
        capital: bool,
    },
    Quarter,
    Second,
    /// Seconds with this number of decimals, or with all significant decimals.
    Fraction(Option<u32>),
    EpochSeconds,
    WeekSunday,
    WeekMonday,
    IsoWeek,
    /// Monday is 1.
    Weekday1,
    /// Sunday is 0.
    Weekday0,
    Year,
    /// At least four digits.
    YearFour,
    YearOfCentury,
    ZoneName,
    /// `+0100`, or `+01:00` with a colon.
    Offset {
        colon: bool,
    },
    /// `%n` and `%t`: a white space character. In parsing, any white space.
    WhiteSpace(char),
    /// A combination of other elements: `%F`.
    Composite(&'static str),
}

/// The fields that an element needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElementFields {
    Date,
    Time,
    DateAndTime,
    Zone,
    Neither,
}

impl StrftimeElement {
    fn of(letter: char) -> Option<StrftimeElement> {
        Some(match letter {
            'A' => StrftimeElement::WeekdayName { full: true },
            'a' => StrftimeElement::WeekdayName { full: false },
            'B' => StrftimeElement::MonthName { full: true },
            'b' | 'h' => StrftimeElement::MonthName { full: false },
            'C' => StrftimeElement::Century,
            'c' => StrftimeElement::Composite("%a %b %e %H:%M:%S %Y"),
            'D' | 'x' => StrftimeElement::Composite("%m/%d/%y"),
            'd' => StrftimeElement::Day,
            'e' => StrftimeElement::DayBlank,
            'F' => StrftimeElement::Composite("%Y-%m-%d"),
            'G' => StrftimeElement::IsoYear,
            'g' => StrftimeElement::IsoYearOfCentury,
            'H' => StrftimeElement::Hour,
            'I' => StrftimeElement::Hour12,
            'J' => StrftimeElement::IsoDayOfYear,
            'j' => StrftimeElement::DayOfYear,
            'k' => StrftimeElement::HourBlank,
            'l' => StrftimeElement::Hour12Blank,
            'M' => StrftimeElement::Minute,
            'm' => StrftimeElement::Month,
            'n' => StrftimeElement::WhiteSpace('\n'),
            'P' => StrftimeElement::AmPm { capital: false },
            'p' => StrftimeElement::AmPm { capital: true },
            'Q' => StrftimeElement::Quarter,
            'R' => StrftimeElement::Composite("%H:%M"),
            'r' => StrftimeElement::Composite("%I:%M:%S %p"),
            'S' => StrftimeElement::Second,
            's' => StrftimeElement::EpochSeconds,
            'T' | 'X' => StrftimeElement::Composite("%H:%M:%S"),
            't' => StrftimeElement::WhiteSpace('\t'),
            'U' => StrftimeElement::WeekSunday,
            'u' => StrftimeElement::Weekday1,
            'V' => StrftimeElement::IsoWeek,
            'W' => StrftimeElement::WeekMonday,
            'w' => StrftimeElement::Weekday0,
            'Y' => StrftimeElement::Year,
            'y' => StrftimeElement::YearOfCentury,
            'Z' => StrftimeElement::ZoneName,
            'z' => StrftimeElement::Offset { colon: false },
            _ => return None,
        })
    }

    /// Parses the text after `%E`. Returns the element and the text's length.
    fn parse_extended(rest: &str) -> Option<(StrftimeElement, usize)> {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        match rest.as_bytes() {
            [b'z', ..] => Some((StrftimeElement::Offset { colon: true }, 1)),
            [b'4', b'Y', ..] => Some((StrftimeElement::YearFour, 2)),
            [b'*', b'S', ..] => Some((StrftimeElement::Fraction(None), 2)),
            bytes if digits > 0 && bytes.get(digits) == Some(&b'S') => {
                // The precision is microseconds. More decimals are zeros.
                let decimals = rest[..digits].parse().ok().filter(|decimals| *decimals <= 15)?;
                Some((StrftimeElement::Fraction(Some(decimals)), digits + 1))
            }
            _ => None,
        }
    }

    pub(crate) fn fields(self) -> ElementFields {
        match self {
            StrftimeElement::WeekdayName { .. }
            | StrftimeElement::MonthName { .. }
            | StrftimeElement::Century
            | StrftimeElement::Day
            | StrftimeElement::DayBlank
            | StrftimeElement::IsoYear
            | StrftimeElement::IsoYearOfCentury
            | StrftimeElement::IsoDayOfYear
            | StrftimeElement::DayOfYear
            | StrftimeElement::Month
            | StrftimeElement::Quarter
            | StrftimeElement::EpochSeconds
            | StrftimeElement::WeekSunday
            | StrftimeElement::WeekMonday
            | StrftimeElement::IsoWeek
            | StrftimeElement::Weekday1
            | StrftimeElement::Weekday0
            | StrftimeElement::Year
            | StrftimeElement::YearFour
            | StrftimeElement::YearOfCentury => ElementFields::Date,
            StrftimeElement::Hour
            | StrftimeElement::Hour12
            | StrftimeElement::HourBlank
            | StrftimeElement::Hour12Blank
            | StrftimeElement::Minute
            | StrftimeElement::AmPm { .. }
            | StrftimeElement::Second
            | StrftimeElement::Fraction(_) => ElementFields::Time,
            StrftimeElement::ZoneName | StrftimeElement::Offset { .. } => ElementFields::Zone,
            StrftimeElement::WhiteSpace(_) => ElementFields::Neither,
            StrftimeElement::Composite(of) => match (of.contains(['Y', 'y']), of.contains("%M")) {
                (true, true) => ElementFields::DateAndTime,
                (true, false) => ElementFields::Date,
                (false, _) => ElementFields::Time,
            },
        }
    }
}

impl StrftimeElement {
    /// Whether the element needs a civil date. ISO elements and weekdays do not.
    pub(crate) fn is_civil_date(self) -> bool {
        let iso = matches!(
            self,
            StrftimeElement::IsoYear | StrftimeElement::IsoYearOfCentury | StrftimeElement::IsoWeek | StrftimeElement::IsoDayOfYear
        );
        let weekday = matches!(self, StrftimeElement::WeekdayName { .. } | StrftimeElement::Weekday0 | StrftimeElement::Weekday1);
        matches!(self.fields(), ElementFields::Date | ElementFields::DateAndTime) && !iso && !weekday
    }
}

impl StrftimePattern {
    pub(crate) fn of(text: &str) -> StrftimePattern {
        let mut items = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after = &rest[first.len_utf8()..];
            let next = after.chars().next();
            let (item, length) = match (first, next) {
                ('%', Some('%')) => (StrftimeItem::Literal('%'), 2),
                ('%', Some('E')) => match StrftimeElement::parse_extended(&after[1..]) {
                    Some((element, length)) => (StrftimeItem::Element(element, rest[..length + 2].to_owned()), length + 2),
                    None => (StrftimeItem::Literal('%'), 1),
                },
                ('%', Some(letter)) => match StrftimeElement::of(letter) {
                    Some(element) => (StrftimeItem::Element(element, rest[..2].to_owned()), 2),
                    None => (StrftimeItem::Literal('%'), 1),
                },
                (literal, _) => (StrftimeItem::Literal(literal), literal.len_utf8()),
            };
            items.push(item);
            rest = &rest[length..];
        }
        StrftimePattern(items)
    }
}

impl FromStr for StrftimePattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<StrftimePattern, FunctionError> {
        Ok(StrftimePattern::of(text))
    }
}
