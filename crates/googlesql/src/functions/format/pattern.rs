//! The pattern: literal text and specifiers, `%[flags][width][.precision]specifier`.

use std::str::FromStr;

use super::super::function_error::FunctionError;

#[derive(Debug)]
pub(crate) struct FormatPattern {
    pub(crate) text: String,
    pub(crate) pieces: Vec<FormatPiece>,
}

#[derive(Debug)]
pub(crate) enum FormatPiece {
    Literal(String),
    Specifier(Specifier),
}

/// What is to be written, and how wide.
#[derive(Debug)]
pub(crate) struct Specifier {
    pub(crate) flags: Flags,
    pub(crate) width: Option<Size>,
    pub(crate) precision: Option<Size>,
    pub(crate) conversion: Conversion,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// `-`: to the left.
    pub(crate) left: bool,
    /// `+`: a sign always.
    pub(crate) plus: bool,
    /// ` `: a space where there is no sign.
    pub(crate) space: bool,
    /// `#`: the other form.
    pub(crate) alternate: bool,
    /// `0`: zeros instead of spaces.
    pub(crate) zeros: bool,
    /// `'`: digits in groups.
    pub(crate) groups: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    Of(usize),
    /// `*`: an argument says it.
    Argument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    Decimal,
    Octal,
    Hex { capital: bool },
    Fixed { capital: bool },
    Exponent { capital: bool },
    General { capital: bool },
    Text,
    Json { lines: bool },
    Printable,
    Literal,
}

/// What Rust can pad to is a little more.
pub(crate) const WIDEST: usize = 60_000;

pub(crate) fn too_wide() -> FunctionError {
    FunctionError::new(format!("FORMAT takes widths and precisions up to {WIDEST}"))
}

impl FromStr for FormatPattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<FormatPattern, FunctionError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(percent) = rest.find('%') {
            pieces.push(FormatPiece::Literal(rest[..percent].to_owned()));
            rest = &rest[percent + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                pieces.push(FormatPiece::Literal("%".to_owned()));
                rest = after;
                continue;
            }
            let start = rest;
            let specifier = specifier(&mut rest)?.ok_or_else(|| {
                let bad: String = start.chars().take(8).collect();
                FunctionError::new(format!("Invalid FORMAT string: \"%{bad}\" does not begin with a valid specifier"))
            })?;
            pieces.push(FormatPiece::Specifier(specifier));
        }
        pieces.push(FormatPiece::Literal(rest.to_owned()));
        Ok(FormatPattern { text: text.to_owned(), pieces })
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
            // A bare point is a precision of none.
            Some(size(rest)?.unwrap_or(Size::Of(0)))
        }
        None => None,
    };
    let conversion = match rest.as_bytes().first() {
        Some(b'd' | b'i') => Conversion::Decimal,
        Some(b'o') => Conversion::Octal,
        Some(b'x') => Conversion::Hex { capital: false },
        Some(b'X') => Conversion::Hex { capital: true },
        Some(b'f') => Conversion::Fixed { capital: false },
        Some(b'F') => Conversion::Fixed { capital: true },
        Some(b'e') => Conversion::Exponent { capital: false },
        Some(b'E') => Conversion::Exponent { capital: true },
        Some(b'g') => Conversion::General { capital: false },
        Some(b'G') => Conversion::General { capital: true },
        Some(b's') => Conversion::Text,
        Some(b'p') => Conversion::Json { lines: false },
        Some(b'P') => Conversion::Json { lines: true },
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
        number => number.parse().ok().filter(|size| *size <= WIDEST).map(|size| Some(Size::Of(size))).ok_or_else(too_wide),
    }
}
