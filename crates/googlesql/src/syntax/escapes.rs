//! Replaces the escape sequences in string literals.
//!
//! The parser's escape sequences are not GoogleSQL's, so the tokenizer runs with unescaping disabled.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#escape_sequences>.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::QueryError;
use crate::error_location::error_at_span;

/// Unescapes the string literals. Converts `rb'…'`, which the parser does not support, to a bytes literal.
pub(crate) fn unescape_literals(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut known: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for mut token in tokens {
        let is_raw_bytes = known.last().is_some_and(|before| before.span.end == token.span.start && is_raw_bytes(&before.token));
        if is_raw_bytes && let Some(raw) = to_raw_bytes(&token.token) {
            let prefix = known.pop();
            token = TokenWithSpan { token: raw, span: prefix.map_or(token.span, |prefix| prefix.span.union(&token.span)) };
        }
        let span = token.span;
        let (text, quote) = match &mut token.token {
            Token::SingleQuotedString(text) => (text, Some('\'')),
            Token::DoubleQuotedString(text) => (text, Some('"')),
            Token::TripleSingleQuotedString(text) | Token::TripleDoubleQuotedString(text) => (text, None),
            _ => {
                known.push(token);
                continue;
            }
        };
        *text = unescape(text, quote).map_err(|message| error_at_span(format!("Syntax error: {message}"), span))?;
        known.push(token);
    }
    Ok(known)
}

fn is_raw_bytes(prefix: &Token) -> bool {
    matches!(prefix, Token::Word(word) if word.quote_style.is_none() && ["rb", "br"].contains(&word.value.to_lowercase().as_str()))
}

/// Converts a string literal to a bytes literal that keeps each backslash.
fn to_raw_bytes(token: &Token) -> Option<Token> {
    let doubled = |text: &str| text.replace('\\', r"\\");
    Some(match token {
        Token::SingleQuotedString(text) => Token::SingleQuotedByteStringLiteral(doubled(text)),
        Token::DoubleQuotedString(text) => Token::DoubleQuotedByteStringLiteral(doubled(text)),
        Token::TripleSingleQuotedString(text) => Token::TripleSingleQuotedByteStringLiteral(doubled(text)),
        Token::TripleDoubleQuotedString(text) => Token::TripleDoubleQuotedByteStringLiteral(doubled(text)),
        _ => return None,
    })
}

/// Unescapes a text. It must not contain `quote` without a backslash.
fn unescape(written: &str, quote: Option<char>) -> Result<String, String> {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        if Some(first) == quote {
            return Err("concatenated string literals must be separated by whitespace or comments".to_owned());
        }
        if first != '\\' {
            text.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (unescaped, length) = parse_escape(rest).ok_or_else(|| {
            let sequence: String = rest.chars().take(2).collect();
            format!("Illegal escape sequence: {sequence}")
        })?;
        text.push(unescaped);
        rest = &rest[length..];
    }
    Ok(text)
}

/// Parses the escape sequence at the start of `text`. Returns its character and its length in bytes.
fn parse_escape(text: &str) -> Option<(char, usize)> {
    let coded = |from: usize, to: usize, radix: u32| {
        let digits = text.get(from..to).filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)))?;
        Some((char::from_u32(u32::from_str_radix(digits, radix).ok()?)?, to))
    };
    match text.as_bytes().get(1)? {
        b'x' | b'X' => coded(2, 4, 16),
        b'u' => coded(2, 6, 16),
        b'U' => coded(2, 10, 16),
        b'0'..=b'3' => coded(1, 4, 8),
        letter => Some((char::from(parse_simple_escape(*letter)?), 2)),
    }
}

/// Parses an escape sequence of one letter, which strings and bytes have in common.
pub(crate) fn parse_simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' | b'\'' | b'"' | b'`' | b'?' => letter,
        _ => return None,
    })
}
