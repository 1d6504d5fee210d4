//! Parsing of the format of dates and times: `YYYY-MM-DD HH24:MI:SS`.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;

/// The parsed elements and separators.
#[derive(Debug)]
pub(crate) struct DateTimeFormat(pub(crate) Vec<FormatItem>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FormatItem {
    Literal(String),
    /// An element and its letter case, which also applies to names in the output.
    Element(FormatElement, LetterCase),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatElement {
    /// The last digits of the year, in this number.
    Year(usize),
    /// As `Year`. In parsing, two digits mean the year nearest to the present.
    RoundYear(usize),
    Month,
    MonthName {
        full: bool,
    },
    Day,
    DayOfYear,
    /// Sunday is 1.
    DayOfWeek,
    DayName {
        full: bool,
    },
    Hour12,
    Hour24,
    Minute,
    Second,
    SecondOfDay,
    /// This number of decimals of a second.
    Fraction(usize),
    Meridian {
        dots: bool,
    },
    OffsetHour,
    OffsetMinute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementType {
    Date,
    Time,
    Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetterCase {
    Upper,
    Title,
    Lower,
}

impl FormatElement {
    pub(crate) fn element_type(self) -> ElementType {
        match self {
            FormatElement::Year(_)
            | FormatElement::RoundYear(_)
            | FormatElement::Month
            | FormatElement::MonthName { .. }
            | FormatElement::Day
            | FormatElement::DayOfYear
            | FormatElement::DayOfWeek
            | FormatElement::DayName { .. } => ElementType::Date,
            FormatElement::Hour12
            | FormatElement::Hour24
            | FormatElement::Minute
            | FormatElement::Second
            | FormatElement::SecondOfDay
            | FormatElement::Fraction(_)
            | FormatElement::Meridian { .. } => ElementType::Time,
            FormatElement::OffsetHour | FormatElement::OffsetMinute => ElementType::Zone,
        }
    }

    /// Returns the longest element at the start of the text, and its length.
    fn at(text: &str) -> Option<(FormatElement, usize)> {
        const ELEMENTS: [(&str, FormatElement); 35] = [
            ("SSSSS", FormatElement::SecondOfDay),
            ("MONTH", FormatElement::MonthName { full: true }),
            ("YYYY", FormatElement::Year(4)),
            ("RRRR", FormatElement::RoundYear(4)),
            ("HH12", FormatElement::Hour12),
            ("HH24", FormatElement::Hour24),
            ("A.M.", FormatElement::Meridian { dots: true }),
            ("P.M.", FormatElement::Meridian { dots: true }),
            ("YYY", FormatElement::Year(3)),
            ("MON", FormatElement::MonthName { full: false }),
            ("DDD", FormatElement::DayOfYear),
            ("DAY", FormatElement::DayName { full: true }),
            ("FF1", FormatElement::Fraction(1)),
            ("FF2", FormatElement::Fraction(2)),
            ("FF3", FormatElement::Fraction(3)),
            ("FF4", FormatElement::Fraction(4)),
            ("FF5", FormatElement::Fraction(5)),
            ("FF6", FormatElement::Fraction(6)),
            ("FF7", FormatElement::Fraction(7)),
            ("FF8", FormatElement::Fraction(8)),
            ("FF9", FormatElement::Fraction(9)),
            ("TZH", FormatElement::OffsetHour),
            ("TZM", FormatElement::OffsetMinute),
            ("YY", FormatElement::Year(2)),
            ("RR", FormatElement::RoundYear(2)),
            ("MM", FormatElement::Month),
            ("MI", FormatElement::Minute),
            ("DD", FormatElement::Day),
            ("DY", FormatElement::DayName { full: false }),
            ("HH", FormatElement::Hour12),
            ("SS", FormatElement::Second),
            ("AM", FormatElement::Meridian { dots: false }),
            ("PM", FormatElement::Meridian { dots: false }),
            ("Y", FormatElement::Year(1)),
            ("D", FormatElement::DayOfWeek),
        ];
        let starts = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        ELEMENTS.iter().find(|(name, _)| starts(name)).map(|(name, element)| (*element, name.len()))
    }
}

impl FromStr for DateTimeFormat {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<DateTimeFormat, FunctionError> {
        let mut items = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((element, length)) = FormatElement::at(rest) {
                items.push(FormatItem::Element(element, letter_case(&rest[..length])));
                rest = &rest[length..];
                continue;
            }
            let (literal, after) = match first {
                '"' => {
                    parse_quoted(&rest[1..]).ok_or_else(|| FunctionError::new(format!("Cannot find matching \" in the format '{text}'")))?
                }
                '-' | '.' | '/' | ',' | '\'' | ';' | ':' => (first.to_string(), &rest[1..]),
                white if white.is_whitespace() => (white.to_string(), &rest[white.len_utf8()..]),
                _ => return Err(FunctionError::new(format!("Cannot find matched format element at '{rest}' in the format '{text}'"))),
            };
            items.push(FormatItem::Literal(literal));
            rest = after;
        }
        Ok(DateTimeFormat(items))
    }
}

/// Parses up to the closing quote, with backslash escapes. Returns the literal and the remaining text.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut characters = text.char_indices();
    while let Some((at, letter)) = characters.next() {
        match letter {
            '"' => return Some((literal, &text[at + 1..])),
            '\\' => literal.push(characters.next()?.1),
            letter => literal.push(letter),
        }
    }
    None
}

fn letter_case(text: &str) -> LetterCase {
    let mut small = text.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.is_ascii_lowercase());
    match (small.next(), small.next()) {
        (Some(true), _) => LetterCase::Lower,
        (_, Some(true)) => LetterCase::Title,
        _ => LetterCase::Upper,
    }
}
