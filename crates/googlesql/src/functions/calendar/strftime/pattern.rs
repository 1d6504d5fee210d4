//! A format string in pieces.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;

/// `%Y-%m-%d` and the like. Any text is one: what is no element stands for itself.
#[derive(Debug)]
pub(crate) struct StrftimePattern(pub(crate) Vec<StrftimePiece>);

#[derive(Debug)]
pub(crate) enum StrftimePiece {
    Literal(char),
    /// With its text, for types that do not have it.
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
    /// A space instead of a leading zero.
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
    Noon {
        capital: bool,
    },
    Quarter,
    Second,
    /// With this many decimals, or as many as there are.
    Fraction(Option<u32>),
    EpochSeconds,
    WeekSunday,
    WeekMonday,
    IsoWeek,
    /// 1 is Monday.
    Weekday1,
    /// 0 is Sunday.
    Weekday0,
    Year,
    /// At least four digits.
    YearFour,
    YearOfCentury,
    ZoneName,
    /// `+0100`, or `+01:00`.
    Offset {
        colon: bool,
    },
    /// `%n` and `%t`: the character itself; when parsing, any white space.
    White(char),
    /// Elements made of others: `%F`.
    Composite(&'static str),
}

/// What an element asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StrftimePart {
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
            'n' => StrftimeElement::White('\n'),
            'P' => StrftimeElement::Noon { capital: false },
            'p' => StrftimeElement::Noon { capital: true },
            'Q' => StrftimeElement::Quarter,
            'R' => StrftimeElement::Composite("%H:%M"),
            'r' => StrftimeElement::Composite("%I:%M:%S %p"),
            'S' => StrftimeElement::Second,
            's' => StrftimeElement::EpochSeconds,
            'T' | 'X' => StrftimeElement::Composite("%H:%M:%S"),
            't' => StrftimeElement::White('\t'),
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

    /// What follows `%E`, and how many characters that is.
    fn extended(rest: &str) -> Option<(StrftimeElement, usize)> {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        match rest.as_bytes() {
            [b'z', ..] => Some((StrftimeElement::Offset { colon: true }, 1)),
            [b'4', b'Y', ..] => Some((StrftimeElement::YearFour, 2)),
            [b'*', b'S', ..] => Some((StrftimeElement::Fraction(None), 2)),
            bytes if digits > 0 && bytes.get(digits) == Some(&b'S') => {
                // Microseconds are what there is; more digits are zeros.
                let decimals = rest[..digits].parse().ok().filter(|decimals| *decimals <= 15)?;
                Some((StrftimeElement::Fraction(Some(decimals)), digits + 1))
            }
            _ => None,
        }
    }

    pub(crate) fn part(self) -> StrftimePart {
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
            | StrftimeElement::YearOfCentury => StrftimePart::Date,
            StrftimeElement::Hour
            | StrftimeElement::Hour12
            | StrftimeElement::HourBlank
            | StrftimeElement::Hour12Blank
            | StrftimeElement::Minute
            | StrftimeElement::Noon { .. }
            | StrftimeElement::Second
            | StrftimeElement::Fraction(_) => StrftimePart::Time,
            StrftimeElement::ZoneName | StrftimeElement::Offset { .. } => StrftimePart::Zone,
            StrftimeElement::White(_) => StrftimePart::Neither,
            StrftimeElement::Composite(of) => match (of.contains(['Y', 'y']), of.contains("%M")) {
                (true, true) => StrftimePart::DateAndTime,
                (true, false) => StrftimePart::Date,
                (false, _) => StrftimePart::Time,
            },
        }
    }
}

impl StrftimeElement {
    /// Asks for a day, but neither for one of the ISO calendar nor only for its name.
    pub(crate) fn is_civil_date(self) -> bool {
        let iso = matches!(
            self,
            StrftimeElement::IsoYear | StrftimeElement::IsoYearOfCentury | StrftimeElement::IsoWeek | StrftimeElement::IsoDayOfYear
        );
        let weekday = matches!(self, StrftimeElement::WeekdayName { .. } | StrftimeElement::Weekday0 | StrftimeElement::Weekday1);
        matches!(self.part(), StrftimePart::Date | StrftimePart::DateAndTime) && !iso && !weekday
    }
}

impl StrftimePattern {
    pub(crate) fn of(text: &str) -> StrftimePattern {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after = &rest[first.len_utf8()..];
            let next = after.chars().next();
            let (piece, length) = match (first, next) {
                ('%', Some('%')) => (StrftimePiece::Literal('%'), 2),
                ('%', Some('E')) => match StrftimeElement::extended(&after[1..]) {
                    Some((element, length)) => (StrftimePiece::Element(element, rest[..length + 2].to_owned()), length + 2),
                    None => (StrftimePiece::Literal('%'), 1),
                },
                ('%', Some(letter)) => match StrftimeElement::of(letter) {
                    Some(element) => (StrftimePiece::Element(element, rest[..2].to_owned()), 2),
                    None => (StrftimePiece::Literal('%'), 1),
                },
                (literal, _) => (StrftimePiece::Literal(literal), literal.len_utf8()),
            };
            pieces.push(piece);
            rest = &rest[length..];
        }
        StrftimePattern(pieces)
    }
}

impl FromStr for StrftimePattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<StrftimePattern, FunctionError> {
        Ok(StrftimePattern::of(text))
    }
}
