//! Parsing of a pattern: literal text and specifiers `%[flags][width][.precision]specifier`.

use std::str::FromStr;

use super::super::function_error::FunctionError;

#[derive(Debug)]
pub(crate) struct FormatPattern {
    pub(crate) text: String,
    pub(crate) items: Vec<PatternItem>,
}

#[derive(Debug)]
pub(crate) enum PatternItem {
    Literal(String),
    Specifier(Specifier),
}

/// A format specifier.
#[derive(Debug)]
pub(crate) struct Specifier {
    pub(crate) flags: Flags,
    pub(crate) width: Option<Size>,
    pub(crate) precision: Option<Size>,
    pub(crate) conversion: Conversion,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// `-`: left-justified.
    pub(crate) left: bool,
    /// `+`: always with a sign.
    pub(crate) plus: bool,
    /// ` `: a space instead of a plus sign.
    pub(crate) space: bool,
    /// `#`: the alternate form.
    pub(crate) alternate: bool,
    /// `0`: padded with zeros.
    pub(crate) zeros: bool,
    /// `'`: digits grouped by separators.
    pub(crate) groups: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    Literal(usize),
    /// `*`: the value of an argument.
    Argument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    Decimal,
    Octal,
    Hex { uppercase: bool },
    Fixed { uppercase: bool },
    Exponent { uppercase: bool },
    General { uppercase: bool },
    Text,
    Json { multiline: bool },
    Printable,
    Literal,
}

/// Maximum width and precision. Rust's formatting supports up to 65,535.
pub(crate) const MAX_WIDTH: usize = 60_000;

pub(crate) fn width_error() -> FunctionError {
    FunctionError::new(format!("FORMAT supports widths and precisions up to {MAX_WIDTH}"))
}

impl FromStr for FormatPattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<FormatPattern, FunctionError> {
        let mut items = Vec::new();
        let mut rest = text;
        while let Some(percent) = rest.find('%') {
            items.push(PatternItem::Literal(rest[..percent].to_owned()));
            rest = &rest[percent + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                items.push(PatternItem::Literal("%".to_owned()));
                rest = after;
                continue;
            }
            let start = rest;
            let specifier = specifier(&mut rest)?.ok_or_else(|| {
                let bad: String = start.chars().take(8).collect();
                FunctionError::new(format!("Invalid FORMAT string: \"%{bad}\" does not begin with a valid specifier"))
            })?;
            items.push(PatternItem::Specifier(specifier));
        }
        items.push(PatternItem::Literal(rest.to_owned()));
        Ok(FormatPattern { text: text.to_owned(), items })
    }
}

fn specifier(rest: &mut &str) -> Result<Option<Specifier>, FunctionError> {
    let mut flags = Flags::default();
    loop {
        match rest.as_bytes().first() {
            Some(b'-') => flags.left = true,
            Some(b'+') => flags.plus = true,
            Some(b' ') => flags.space = true,
            Some(b'#') => flags.alternate = true,
            Some(b'0') => flags.zeros = true,
            Some(b'\'') => flags.groups = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    let width = size(rest)?;
    let precision = match rest.strip_prefix('.') {
        Some(after) => {
            *rest = after;
            // A point without digits is the precision 0.
            Some(size(rest)?.unwrap_or(Size::Literal(0)))
        }
        None => None,
    };
    let conversion = match rest.as_bytes().first() {
        Some(b'd' | b'i') => Conversion::Decimal,
        Some(b'o') => Conversion::Octal,
        Some(b'x') => Conversion::Hex { uppercase: false },
        Some(b'X') => Conversion::Hex { uppercase: true },
        Some(b'f') => Conversion::Fixed { uppercase: false },
        Some(b'F') => Conversion::Fixed { uppercase: true },
        Some(b'e') => Conversion::Exponent { uppercase: false },
        Some(b'E') => Conversion::Exponent { uppercase: true },
        Some(b'g') => Conversion::General { uppercase: false },
        Some(b'G') => Conversion::General { uppercase: true },
        Some(b's') => Conversion::Text,
        Some(b'p') => Conversion::Json { multiline: false },
        Some(b'P') => Conversion::Json { multiline: true },
        Some(b't') => Conversion::Printable,
        Some(b'T') => Conversion::Literal,
        _ => return Ok(None),
    };
    *rest = &rest[1..];
    Ok(Some(Specifier { flags, width, precision, conversion }))
}

fn size(rest: &mut &str) -> Result<Option<Size>, FunctionError> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        return Ok(Some(Size::Argument));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = rest.split_at(digits);
    *rest = after;
    match number {
        "" => Ok(None),
        number => number.parse().ok().filter(|size| *size <= MAX_WIDTH).map(|size| Some(Size::Literal(size))).ok_or_else(width_error),
    }
}
