//! Converts the parser's errors to BigQuery's wording: `Syntax error: Unexpected keyword FROM at [1:8]`.

use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::reserved::reserved_word;
use crate::error::QueryError;
use crate::error_location::location_suffix;

/// Maximum number of characters of a token in a message.
const MAX_TOKEN_CHARS: usize = 40;

#[derive(Debug)]
pub(super) struct SyntaxError {
    message: String,
    pub(super) location: Location,
    /// Whether the location is only known to be this or a later one.
    pub(super) is_approximate: bool,
}

impl SyntaxError {
    pub(super) fn new(message: String, location: Location) -> SyntaxError {
        SyntaxError { message, location, is_approximate: false }
    }

    /// Converts the parser's error. The last token is the end of the text. `position` is the token that the parser did not
    /// accept, for errors without a location. `end` is what ends the text, as BigQuery names it.
    pub(super) fn from_parser(error: ParserError, tokens: &[TokenWithSpan], position: Location, end: &str) -> SyntaxError {
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
            ParserError::RecursionLimitExceeded => String::new(),
        };
        let split = split_location(&text);
        let is_approximate = split.is_none();
        let (message, location) = split.unwrap_or((&text, position));
        let expectation = message.strip_prefix("Expected").map(|expectation| expectation.trim_start_matches([':', ' ']));
        let (expected, found) = match expectation.and_then(|expectation| expectation.split_once(", found: ")) {
            Some((expected, found)) => (expected, find_token(found, location, tokens)),
            None => ("", tokens.iter().rev().find(|token| token.span.start <= location).or(tokens.last())),
        };
        let (found, location) = found.map_or((&Token::EOF, location), |found| (&found.token, found.span.start));
        SyntaxError { message: format!("{}{}", expected_prefix(expected, end), describe(found)), location, is_approximate }
    }
}

impl From<SyntaxError> for QueryError {
    fn from(error: SyntaxError) -> QueryError {
        QueryError::Invalid(format!("Syntax error: {}{}", error.message, location_suffix(error.location)))
    }
}

/// The location of a parser error, if its text has one.
pub(super) fn location_of(error: &ParserError) -> Option<Location> {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => Some(split_location(text)?.1),
        ParserError::RecursionLimitExceeded => None,
    }
}

/// Splits `Expected: an expression, found: FROM at Line: 1, Column: 8`.
fn split_location(text: &str) -> Option<(&str, Location)> {
    let (message, location) = text.rsplit_once(" at Line: ")?;
    let (line, column) = location.split_once(", Column: ")?;
    let location = Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
    (location.line > 0).then_some((message, location))
}

/// The last token with this text up to a location. The parser sometimes returns the location of a token after it.
fn find_token<'t>(text: &str, location: Location, tokens: &'t [TokenWithSpan]) -> Option<&'t TokenWithSpan> {
    if text == Token::EOF.to_string() {
        return tokens.last();
    }
    let up_to = |token: &&TokenWithSpan| token.span.start <= location;
    tokens.iter().rev().filter(up_to).find(|token| token.token.to_string() == text)
}

/// BigQuery names the expected token only if there is one.
fn expected_prefix(expected: &str, end: &str) -> String {
    let is_keyword = !expected.is_empty() && expected.chars().all(|letter| letter.is_ascii_uppercase());
    match expected {
        "end of statement" => format!("Expected {end} but got "),
        "(" | ")" | "[" | "]" | "," | "<" | ">" => format!("Expected \"{expected}\" but got "),
        keyword if is_keyword => format!("Expected keyword {keyword} but got "),
        _ => "Unexpected ".to_owned(),
    }
}

/// The token as BigQuery names it.
pub(super) fn describe(token: &Token) -> String {
    let text: String = match token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text.chars().take(MAX_TOKEN_CHARS).collect(),
        other => other.to_string().chars().take(MAX_TOKEN_CHARS).collect(),
    };
    match token {
        Token::EOF => "end of script".to_owned(),
        Token::Word(word) => match (reserved_word(token), word.quote_style) {
            (Some(keyword), _) => format!("keyword {keyword}"),
            (None, Some(_)) => format!("identifier {text}"),
            (None, None) => format!("identifier \"{text}\""),
        },
        Token::Number(number, _) if number.contains(['.', 'e', 'E']) && !number.starts_with("0x") => {
            format!("floating point literal \"{text}\"")
        }
        Token::Number(..) => format!("integer literal \"{text}\""),
        Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::TripleSingleQuotedString(_)
        | Token::TripleDoubleQuotedString(_) => format!("string literal \"{text}\""),
        _ => format!("\"{text}\""),
    }
}
