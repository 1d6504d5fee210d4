//! What the text between the quotes of a literal stands for.
//!
//! The parser's own reading of `\…` is that of another SQL, so it is told to leave them alone.
//! The escapes: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>, "Escape
//! sequences".

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::QueryError;
use crate::error_location::error_at_span;

/// Puts the text that they stand for into the string literals, and makes bytes of `rb'…'`, which
/// the parser does not know.
pub(crate) fn read(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut known: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for mut token in tokens {
        let is_raw_bytes = known.last().is_some_and(|before| before.span.end == token.span.start && is_raw_bytes(&before.token));
        if is_raw_bytes && let Some(raw) = raw_bytes(&token.token) {
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
        *text = unescaped(text, quote).map_err(|message| error_at_span(format!("Syntax error: {message}"), span))?;
        known.push(token);
    }
    Ok(known)
}

fn is_raw_bytes(prefix: &Token) -> bool {
    matches!(prefix, Token::Word(word) if word.quote_style.is_none() && ["rb", "br"].contains(&word.value.to_lowercase().as_str()))
}

/// The literal as one of bytes in which every backslash is meant.
fn raw_bytes(token: &Token) -> Option<Token> {
    let doubled = |text: &str| text.replace('\\', r"\\");
    Some(match token {
        Token::SingleQuotedString(text) => Token::SingleQuotedByteStringLiteral(doubled(text)),
        Token::DoubleQuotedString(text) => Token::DoubleQuotedByteStringLiteral(doubled(text)),
        Token::TripleSingleQuotedString(text) => Token::TripleSingleQuotedByteStringLiteral(doubled(text)),
        Token::TripleDoubleQuotedString(text) => Token::TripleDoubleQuotedByteStringLiteral(doubled(text)),
        _ => return None,
    })
}

/// The text; `quote` is what must not be in it without a backslash.
fn unescaped(written: &str, quote: Option<char>) -> Result<String, String> {
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
        let (meant, length) = escape(rest).ok_or_else(|| {
            let shown: String = rest.chars().take(2).collect();
            format!("Illegal escape sequence: {shown}")
        })?;
        text.push(meant);
        rest = &rest[length..];
    }
    Ok(text)
}

/// What the escape at the start of `text` stands for, and how many bytes of it that is.
fn escape(text: &str) -> Option<(char, usize)> {
    let coded = |from: usize, to: usize, radix: u32| {
        let digits = text.get(from..to).filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)))?;
        Some((char::from_u32(u32::from_str_radix(digits, radix).ok()?)?, to))
    };
    match text.as_bytes().get(1)? {
        b'x' | b'X' => coded(2, 4, 16),
        b'u' => coded(2, 6, 16),
        b'U' => coded(2, 10, 16),
        b'0'..=b'3' => coded(1, 4, 8),
        letter => Some((char::from(simple(*letter)?), 2)),
    }
}

/// An escape of one letter, in text as in bytes.
pub(crate) fn simple(letter: u8) -> Option<u8> {
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
