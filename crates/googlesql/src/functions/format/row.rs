//! Formatting of a row by its pattern.

use super::super::function_error::FunctionError;
use super::super::memory_budget::MemoryBudget;
use super::pattern::{Conversion, FormatPattern, MAX_WIDTH, PatternItem, Size, Specifier, width_error};
use super::{FormatArgument, value};

impl FormatPattern {
    /// Returns none (NULL) if a specifier cannot format a NULL argument.
    pub(crate) fn write(
        &self,
        arguments: &[FormatArgument],
        row: usize,
        budget: &mut MemoryBudget,
    ) -> Result<Option<String>, FunctionError> {
        let mut rest = ArgumentCursor { pattern: self, arguments, used: 0, row };
        let mut text = String::new();
        let mut null = false;
        for item in &self.items {
            match item {
                PatternItem::Literal(literal) => text.push_str(literal),
                PatternItem::Specifier(specifier) => match rest.format_specifier(specifier)? {
                    Some(value) => {
                        budget.reserve_bytes(value.len())?;
                        text.push_str(&value);
                    }
                    None => null = true,
                },
            }
        }
        if rest.used < arguments.len() {
            return Err(FunctionError::new(format!(
                "Too many arguments to FORMAT for pattern \"{}\"; Expected {}; Got {}",
                self.text,
                rest.used + 1,
                arguments.len() + 1
            )));
        }
        Ok((!null).then_some(text))
    }
}

/// The arguments of a row, consumed from left to right.
struct ArgumentCursor<'a> {
    pattern: &'a FormatPattern,
    arguments: &'a [FormatArgument<'a>],
    used: usize,
    row: usize,
}

impl ArgumentCursor<'_> {
    /// Returns the next argument and its number in the call.
    fn next(&mut self) -> Result<(FormatArgument<'_>, usize), FunctionError> {
        let argument = self.arguments.get(self.used).ok_or_else(|| {
            FunctionError::new(format!(
                "Too few arguments to FORMAT for pattern \"{}\"; Got {}",
                self.pattern.text,
                self.arguments.len() + 1
            ))
        })?;
        self.used += 1;
        Ok((*argument, self.used + 1))
    }

    /// Returns none if the size is a NULL argument.
    fn size(&mut self, size: Option<Size>) -> Result<Option<Option<i64>>, FunctionError> {
        match size {
            None => Ok(Some(None)),
            Some(Size::Literal(size)) => Ok(Some(Some(size as i64))),
            Some(Size::Argument) => {
                let row = self.row;
                let (argument, number) = self.next()?;
                let size = value::integer(argument, row, number)?;
                match size {
                    Some(size) if size.unsigned_abs() > MAX_WIDTH as u64 => Err(width_error()),
                    size => Ok(size.map(Some)),
                }
            }
        }
    }

    fn format_specifier(&mut self, specifier: &Specifier) -> Result<Option<String>, FunctionError> {
        let row = self.row;
        let width = self.size(specifier.width)?;
        let precision = self.size(specifier.precision)?;
        let (argument, number) = self.next()?;
        let (Some(width), Some(precision)) = (width, precision) else { return Ok(None) };
        let precision = precision.and_then(|precision| usize::try_from(precision).ok());
        let Some(text) = value::write(specifier, precision, argument, row, number)? else { return Ok(None) };
        let left = specifier.flags.left || width.is_some_and(|width| width < 0);
        let width = width.map_or(0, |width| width.unsigned_abs() as usize);
        Ok(Some(pad(text, width, left, specifier)))
    }
}

fn pad(text: String, width: usize, left: bool, specifier: &Specifier) -> String {
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
