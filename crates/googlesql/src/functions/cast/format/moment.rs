//! The format of a date or a time, in pieces: `YYYY-MM-DD HH24:MI:SS`.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;

/// What [`FromStr`] has found to be elements and separators.
#[derive(Debug)]
pub(crate) struct MomentFormat(pub(crate) Vec<MomentPiece>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MomentPiece {
    /// As it is.
    Literal(String),
    /// In the letters in which it is written, which names are then written in, too.
    Element(MomentElement, Letters),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MomentElement {
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
pub(crate) enum MomentPart {
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

impl MomentElement {
    pub(crate) fn part(self) -> MomentPart {
        match self {
            MomentElement::Year(_)
            | MomentElement::RoundYear(_)
            | MomentElement::Month
            | MomentElement::MonthName { .. }
            | MomentElement::Day
            | MomentElement::DayOfYear
            | MomentElement::DayOfWeek
            | MomentElement::DayName { .. } => MomentPart::Date,
            MomentElement::Hour12
            | MomentElement::Hour24
            | MomentElement::Minute
            | MomentElement::Second
            | MomentElement::SecondOfDay
            | MomentElement::Fraction(_)
            | MomentElement::Meridian { .. } => MomentPart::Time,
            MomentElement::OffsetHour | MomentElement::OffsetMinute => MomentPart::Zone,
        }
    }

    /// The element that the text begins with, and its length: the longest of those that fit.
    fn at(text: &str) -> Option<(MomentElement, usize)> {
        const ELEMENTS: [(&str, MomentElement); 35] = [
            ("SSSSS", MomentElement::SecondOfDay),
            ("MONTH", MomentElement::MonthName { full: true }),
            ("YYYY", MomentElement::Year(4)),
            ("RRRR", MomentElement::RoundYear(4)),
            ("HH12", MomentElement::Hour12),
            ("HH24", MomentElement::Hour24),
            ("A.M.", MomentElement::Meridian { dots: true }),
            ("P.M.", MomentElement::Meridian { dots: true }),
            ("YYY", MomentElement::Year(3)),
            ("MON", MomentElement::MonthName { full: false }),
            ("DDD", MomentElement::DayOfYear),
            ("DAY", MomentElement::DayName { full: true }),
            ("FF1", MomentElement::Fraction(1)),
            ("FF2", MomentElement::Fraction(2)),
            ("FF3", MomentElement::Fraction(3)),
            ("FF4", MomentElement::Fraction(4)),
            ("FF5", MomentElement::Fraction(5)),
            ("FF6", MomentElement::Fraction(6)),
            ("FF7", MomentElement::Fraction(7)),
            ("FF8", MomentElement::Fraction(8)),
            ("FF9", MomentElement::Fraction(9)),
            ("TZH", MomentElement::OffsetHour),
            ("TZM", MomentElement::OffsetMinute),
            ("YY", MomentElement::Year(2)),
            ("RR", MomentElement::RoundYear(2)),
            ("MM", MomentElement::Month),
            ("MI", MomentElement::Minute),
            ("DD", MomentElement::Day),
            ("DY", MomentElement::DayName { full: false }),
            ("HH", MomentElement::Hour12),
            ("SS", MomentElement::Second),
            ("AM", MomentElement::Meridian { dots: false }),
            ("PM", MomentElement::Meridian { dots: false }),
            ("Y", MomentElement::Year(1)),
            ("D", MomentElement::DayOfWeek),
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
            if let Some((element, length)) = MomentElement::at(rest) {
                pieces.push(MomentPiece::Element(element, letters(&rest[..length])));
                rest = &rest[length..];
                continue;
            }
            let (literal, after) = match first {
                '"' => quoted(&rest[1..]).ok_or_else(|| FunctionError::new(format!("Cannot find matching \" in the format '{text}'")))?,
                '-' | '.' | '/' | ',' | '\'' | ';' | ':' => (first.to_string(), &rest[1..]),
                white if white.is_whitespace() => (white.to_string(), &rest[white.len_utf8()..]),
                _ => return Err(FunctionError::new(format!("Cannot find matched format element at '{rest}' in the format '{text}'"))),
            };
            pieces.push(MomentPiece::Literal(literal));
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
