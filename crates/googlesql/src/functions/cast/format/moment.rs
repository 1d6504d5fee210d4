//! The format of a date or a time, in pieces: `YYYY-MM-DD HH24:MI:SS`.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;

/// What [`FromStr`] has found to be elements and separators.
#[derive(Debug)]
pub(crate) struct MomentFormat(pub(crate) Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it is.
    Literal(String),
    /// In the letters in which it is written, which names are then written in, too.
    Element(Element, Letters),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// Its last digits, so many; of four all.
    Year(usize),
    /// Of two digits the nearest such year.
    RoundYear(usize),
    Month,
    MonthName {
        full: bool,
    },
    Day,
    DayOfYear,
    /// 1 is Sunday.
    DayOfWeek,
    DayName {
        full: bool,
    },
    Hour12,
    Hour24,
    Minute,
    Second,
    SecondOfDay,
    /// So many decimals of a second.
    Fraction(usize),
    Meridian {
        dots: bool,
    },
    OffsetHour,
    OffsetMinute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Date,
    Time,
    Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    Capital,
    Title,
    Small,
}

impl Element {
    pub(crate) fn part(self) -> Part {
        match self {
            Element::Year(_)
            | Element::RoundYear(_)
            | Element::Month
            | Element::MonthName { .. }
            | Element::Day
            | Element::DayOfYear
            | Element::DayOfWeek
            | Element::DayName { .. } => Part::Date,
            Element::Hour12
            | Element::Hour24
            | Element::Minute
            | Element::Second
            | Element::SecondOfDay
            | Element::Fraction(_)
            | Element::Meridian { .. } => Part::Time,
            Element::OffsetHour | Element::OffsetMinute => Part::Zone,
        }
    }

    /// The element that the text begins with, and its length: the longest of those that fit.
    fn at(text: &str) -> Option<(Element, usize)> {
        const ELEMENTS: [(&str, Element); 35] = [
            ("SSSSS", Element::SecondOfDay),
            ("MONTH", Element::MonthName { full: true }),
            ("YYYY", Element::Year(4)),
            ("RRRR", Element::RoundYear(4)),
            ("HH12", Element::Hour12),
            ("HH24", Element::Hour24),
            ("A.M.", Element::Meridian { dots: true }),
            ("P.M.", Element::Meridian { dots: true }),
            ("YYY", Element::Year(3)),
            ("MON", Element::MonthName { full: false }),
            ("DDD", Element::DayOfYear),
            ("DAY", Element::DayName { full: true }),
            ("FF1", Element::Fraction(1)),
            ("FF2", Element::Fraction(2)),
            ("FF3", Element::Fraction(3)),
            ("FF4", Element::Fraction(4)),
            ("FF5", Element::Fraction(5)),
            ("FF6", Element::Fraction(6)),
            ("FF7", Element::Fraction(7)),
            ("FF8", Element::Fraction(8)),
            ("FF9", Element::Fraction(9)),
            ("TZH", Element::OffsetHour),
            ("TZM", Element::OffsetMinute),
            ("YY", Element::Year(2)),
            ("RR", Element::RoundYear(2)),
            ("MM", Element::Month),
            ("MI", Element::Minute),
            ("DD", Element::Day),
            ("DY", Element::DayName { full: false }),
            ("HH", Element::Hour12),
            ("SS", Element::Second),
            ("AM", Element::Meridian { dots: false }),
            ("PM", Element::Meridian { dots: false }),
            ("Y", Element::Year(1)),
            ("D", Element::DayOfWeek),
        ];
        let starts = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        ELEMENTS.iter().find(|(name, _)| starts(name)).map(|(name, element)| (*element, name.len()))
    }
}

impl FromStr for MomentFormat {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<MomentFormat, FunctionError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((element, length)) = Element::at(rest) {
                pieces.push(Piece::Element(element, letters(&rest[..length])));
                rest = &rest[length..];
                continue;
            }
            let (literal, after) = match first {
                '"' => quoted(&rest[1..]).ok_or_else(|| FunctionError::new(format!("Cannot find matching \" in the format '{text}'")))?,
                '-' | '.' | '/' | ',' | '\'' | ';' | ':' => (first.to_string(), &rest[1..]),
                white if white.is_whitespace() => (white.to_string(), &rest[white.len_utf8()..]),
                _ => return Err(FunctionError::new(format!("Cannot find matched format element at '{rest}' in the format '{text}'"))),
            };
            pieces.push(Piece::Literal(literal));
            rest = after;
        }
        Ok(MomentFormat(pieces))
    }
}

/// Up to the closing quote, which may stand inside after a backslash; and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((literal, &text[at + 1..])),
            '\\' => literal.push(letters.next()?.1),
            letter => literal.push(letter),
        }
    }
    None
}

fn letters(written: &str) -> Letters {
    let mut small = written.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.is_ascii_lowercase());
    match (small.next(), small.next()) {
        (Some(true), _) => Letters::Small,
        (_, Some(true)) => Letters::Title,
        _ => Letters::Capital,
    }
}
