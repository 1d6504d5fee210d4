//! The pattern: literal text and specifiers, `%[flags][width][.precision]specifier`.

use std::str::FromStr;

use super::super::failure::Failure;
use super::Argument;
use super::value;

#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Specifier(Specifier),
}

/// What is to be written, and how wide.
#[derive(Debug)]
pub(super) struct Specifier {
    pub(super) flags: Flags,
    width: Option<Size>,
    precision: Option<Size>,
    pub(super) conversion: Conversion,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// `-`: to the left.
    pub(super) left: bool,
    /// `+`: a sign always.
    pub(super) plus: bool,
    /// ` `: a space where there is no sign.
    pub(super) space: bool,
    /// `#`: the other form.
    pub(super) alternate: bool,
    /// `0`: zeros instead of spaces.
    pub(super) zeros: bool,
    /// `'`: digits in groups.
    pub(super) groups: bool,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Of(usize),
    /// `*`: an argument says it.
    Argument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
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
const WIDEST: usize = 60_000;

impl Pattern {
    /// The text of a row; none (NULL) if a value is NULL that its specifier cannot show.
    pub(super) fn write(&self, arguments: &[Argument], row: usize) -> Result<Option<String>, Failure> {
        let mut rest = Arguments { pattern: self, all: arguments, used: 0, row };
        let mut text = String::new();
        let mut null = false;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Specifier(specifier) => match rest.specified(specifier)? {
                    Some(value) => text.push_str(&value),
                    None => null = true,
                },
            }
        }
        if rest.used < arguments.len() {
            return Err(Failure::new(format!(
                "Too many arguments to FORMAT for pattern \"{}\"; Expected {}; Got {}",
                self.text,
                rest.used + 1,
                arguments.len() + 1
            )));
        }
        Ok((!null).then_some(text))
    }
}

/// The arguments that are still to be taken.
struct Arguments<'a> {
    pattern: &'a Pattern,
    all: &'a [Argument<'a>],
    used: usize,
    row: usize,
}

impl Arguments<'_> {
    /// The next one, and its number in the call.
    fn next(&mut self) -> Result<(Argument<'_>, usize), Failure> {
        let argument = self.all.get(self.used).ok_or_else(|| {
            Failure::new(format!("Too few arguments to FORMAT for pattern \"{}\"; Got {}", self.pattern.text, self.all.len() + 1))
        })?;
        self.used += 1;
        Ok((*argument, self.used + 1))
    }

    /// None if it is a NULL argument.
    fn size(&mut self, size: Option<Size>) -> Result<Option<Option<i64>>, Failure> {
        match size {
            None => Ok(Some(None)),
            Some(Size::Of(size)) => Ok(Some(Some(size as i64))),
            Some(Size::Argument) => {
                let row = self.row;
                let (argument, number) = self.next()?;
                let size = value::integer(argument, row, number)?;
                match size {
                    Some(size) if size.unsigned_abs() > WIDEST as u64 => Err(too_wide()),
                    size => Ok(size.map(Some)),
                }
            }
        }
    }

    fn specified(&mut self, specifier: &Specifier) -> Result<Option<String>, Failure> {
        let row = self.row;
        let width = self.size(specifier.width)?;
        let precision = self.size(specifier.precision)?;
        let (argument, number) = self.next()?;
        let (Some(width), Some(precision)) = (width, precision) else { return Ok(None) };
        let precision = precision.and_then(|precision| usize::try_from(precision).ok());
        let Some(text) = value::write(specifier, precision, argument, row, number)? else { return Ok(None) };
        let left = specifier.flags.left || width.is_some_and(|width| width < 0);
        let width = width.map_or(0, |width| width.unsigned_abs() as usize);
        Ok(Some(padded(text, width, left, specifier)))
    }
}

fn padded(text: String, width: usize, left: bool, specifier: &Specifier) -> String {
    let missing = width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    let fill = " ".repeat(missing);
    if left {
        return text + &fill;
    }
    let numeric = !matches!(specifier.conversion, Conversion::Text | Conversion::Json { .. } | Conversion::Printable | Conversion::Literal);
    let finite = text.contains(|c: char| c.is_ascii_digit());
    if !(numeric && finite && specifier.flags.zeros) {
        return fill + &text;
    }
    let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
    let prefix = match text.get(sign..sign + 2) {
        Some("0x" | "0X") => sign + 2,
        _ => sign,
    };
    format!("{}{}{}", &text[..prefix], "0".repeat(missing), &text[prefix..])
}

fn too_wide() -> Failure {
    Failure::new(format!("FORMAT takes widths and precisions up to {WIDEST}"))
}

impl FromStr for Pattern {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Pattern, Failure> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(percent) = rest.find('%') {
            pieces.push(Piece::Literal(rest[..percent].to_owned()));
            rest = &rest[percent + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                pieces.push(Piece::Literal("%".to_owned()));
                rest = after;
                continue;
            }
            let start = rest;
            let specifier = specifier(&mut rest)?.ok_or_else(|| {
                let bad: String = start.chars().take(8).collect();
                Failure::new(format!("Invalid FORMAT string: \"%{bad}\" does not begin with a valid specifier"))
            })?;
            pieces.push(Piece::Specifier(specifier));
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Ok(Pattern { text: text.to_owned(), pieces })
    }
}

fn specifier(rest: &mut &str) -> Result<Option<Specifier>, Failure> {
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

fn size(rest: &mut &str) -> Result<Option<Size>, Failure> {
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
