//! A format string in pieces.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;

/// `%Y-%m-%d` and the like. Any text is one: what is no element stands for itself.
#[derive(Debug)]
pub(crate) struct Pattern(pub(crate) Vec<Piece>);

#[derive(Debug)]
pub(crate) enum Piece {
    Literal(char),
    /// With its text, for types that do not have it.
    Element(Element, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
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
pub(crate) enum Part {
    Date,
    Time,
    DateAndTime,
    Zone,
    Neither,
}

impl Element {
    fn of(letter: char) -> Option<Element> {
        Some(match letter {
            'A' => Element::WeekdayName { full: true },
            'a' => Element::WeekdayName { full: false },
            'B' => Element::MonthName { full: true },
            'b' | 'h' => Element::MonthName { full: false },
            'C' => Element::Century,
            'c' => Element::Composite("%a %b %e %H:%M:%S %Y"),
            'D' | 'x' => Element::Composite("%m/%d/%y"),
            'd' => Element::Day,
            'e' => Element::DayBlank,
            'F' => Element::Composite("%Y-%m-%d"),
            'G' => Element::IsoYear,
            'g' => Element::IsoYearOfCentury,
            'H' => Element::Hour,
            'I' => Element::Hour12,
            'J' => Element::IsoDayOfYear,
            'j' => Element::DayOfYear,
            'k' => Element::HourBlank,
            'l' => Element::Hour12Blank,
            'M' => Element::Minute,
            'm' => Element::Month,
            'n' => Element::White('\n'),
            'P' => Element::Noon { capital: false },
            'p' => Element::Noon { capital: true },
            'Q' => Element::Quarter,
            'R' => Element::Composite("%H:%M"),
            'r' => Element::Composite("%I:%M:%S %p"),
            'S' => Element::Second,
            's' => Element::EpochSeconds,
            'T' | 'X' => Element::Composite("%H:%M:%S"),
            't' => Element::White('\t'),
            'U' => Element::WeekSunday,
            'u' => Element::Weekday1,
            'V' => Element::IsoWeek,
            'W' => Element::WeekMonday,
            'w' => Element::Weekday0,
            'Y' => Element::Year,
            'y' => Element::YearOfCentury,
            'Z' => Element::ZoneName,
            'z' => Element::Offset { colon: false },
            _ => return None,
        })
    }

    /// What follows `%E`, and how many characters that is.
    fn extended(rest: &str) -> Option<(Element, usize)> {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        match rest.as_bytes() {
            [b'z', ..] => Some((Element::Offset { colon: true }, 1)),
            [b'4', b'Y', ..] => Some((Element::YearFour, 2)),
            [b'*', b'S', ..] => Some((Element::Fraction(None), 2)),
            bytes if digits > 0 && bytes.get(digits) == Some(&b'S') => {
                // Microseconds are what there is; more digits are zeros.
                let decimals = rest[..digits].parse().ok().filter(|decimals| *decimals <= 15)?;
                Some((Element::Fraction(Some(decimals)), digits + 1))
            }
            _ => None,
        }
    }

    pub(crate) fn part(self) -> Part {
        match self {
            Element::WeekdayName { .. }
            | Element::MonthName { .. }
            | Element::Century
            | Element::Day
            | Element::DayBlank
            | Element::IsoYear
            | Element::IsoYearOfCentury
            | Element::IsoDayOfYear
            | Element::DayOfYear
            | Element::Month
            | Element::Quarter
            | Element::EpochSeconds
            | Element::WeekSunday
            | Element::WeekMonday
            | Element::IsoWeek
            | Element::Weekday1
            | Element::Weekday0
            | Element::Year
            | Element::YearFour
            | Element::YearOfCentury => Part::Date,
            Element::Hour
            | Element::Hour12
            | Element::HourBlank
            | Element::Hour12Blank
            | Element::Minute
            | Element::Noon { .. }
            | Element::Second
            | Element::Fraction(_) => Part::Time,
            Element::ZoneName | Element::Offset { .. } => Part::Zone,
            Element::White(_) => Part::Neither,
            Element::Composite(of) => match (of.contains(['Y', 'y']), of.contains("%M")) {
                (true, true) => Part::DateAndTime,
                (true, false) => Part::Date,
                (false, _) => Part::Time,
            },
        }
    }
}

impl Element {
    /// Asks for a day, but neither for one of the ISO calendar nor only for its name.
    pub(crate) fn is_civil_date(self) -> bool {
        let iso = matches!(self, Element::IsoYear | Element::IsoYearOfCentury | Element::IsoWeek | Element::IsoDayOfYear);
        let weekday = matches!(self, Element::WeekdayName { .. } | Element::Weekday0 | Element::Weekday1);
        matches!(self.part(), Part::Date | Part::DateAndTime) && !iso && !weekday
    }
}

impl Pattern {
    pub(crate) fn of(text: &str) -> Pattern {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after = &rest[first.len_utf8()..];
            let next = after.chars().next();
            let (piece, length) = match (first, next) {
                ('%', Some('%')) => (Piece::Literal('%'), 2),
                ('%', Some('E')) => match Element::extended(&after[1..]) {
                    Some((element, length)) => (Piece::Element(element, rest[..length + 2].to_owned()), length + 2),
                    None => (Piece::Literal('%'), 1),
                },
                ('%', Some(letter)) => match Element::of(letter) {
                    Some(element) => (Piece::Element(element, rest[..2].to_owned()), 2),
                    None => (Piece::Literal('%'), 1),
                },
                (literal, _) => (Piece::Literal(literal), literal.len_utf8()),
            };
            pieces.push(piece);
            rest = &rest[length..];
        }
        Pattern(pieces)
    }
}

impl FromStr for Pattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Pattern, FunctionError> {
        Ok(Pattern::of(text))
    }
}
