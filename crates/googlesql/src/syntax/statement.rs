//! Parses the text of a query into one supported statement.
//!
//! Other statements are rejected here by name. DataFusion could read and write files with some of them.

use datafusion::sql::sqlparser::ast::{self, Query, Statement};
use datafusion::sql::sqlparser::dialect::BigQueryDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::dialect::GoogleSql;
use super::{escapes, limits, tokens};
use crate::error::QueryError;
use crate::error_location::{error_at_span, location_suffix};

/// The parser's limit of its recursion. `limits` and `dialect` report a text of this depth before the parser does.
const MAX_PARSER_DEPTH: usize = 5 * limits::MAX_NESTING;

/// A supported statement.
pub(crate) enum Command {
    Select(Box<Query>),
    Delete(Box<ast::Delete>),
    CreateView {
        view: Box<ast::CreateView>,
        /// The text after AS.
        query: String,
    },
}

/// A statement and the locations of its positional parameters.
pub(crate) struct ParsedStatement {
    pub command: Command,
    pub placeholders: Vec<Location>,
}

pub(crate) fn parse(sql: &str) -> Result<ParsedStatement, QueryError> {
    limits::check_text(sql)?;
    let (tokens, placeholders) = tokenize(sql)?;
    limits::check_tokens(&tokens)?;
    let first = tokens.iter().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::SemiColon | Token::EOF)).cloned();
    let Some(first) = first else {
        return Err(QueryError::Invalid("Syntax error: Unexpected end of statement at [1:1]".to_owned()));
    };
    if let Some(name) = unsupported_statement(&first.token).or_else(|| unsupported_object(&tokens)) {
        let hint = if name.starts_with("DROP") { "; tables and views are deleted by tables.delete, as by `bq rm`" } else { "" };
        return Err(error_at_span(format!("The BigQuery emulator does not support {name} statements{hint}"), first.span));
    }
    let after_as = tokens.clone();
    let dialect = GoogleSql::new(tokens.len());
    let parsed = Parser::new(&dialect).with_recursion_limit(MAX_PARSER_DEPTH).with_tokens_with_locations(tokens).parse_statements();
    if let Some(error) = dialect.into_exceeded_limit() {
        return Err(error);
    }
    let mut statements = parsed.map_err(|error| syntax_error(error, &after_as))?;
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(error_at_span("The BigQuery emulator does not support scripts: send one statement", first.span));
    };
    let command = match statement {
        Statement::Query(query) => Command::Select(query),
        Statement::Delete(delete) => Command::Delete(Box::new(delete)),
        Statement::CreateView(view) => {
            let query = view_query_text(sql, &after_as);
            let query = query.ok_or_else(|| error_at_span("Syntax error: CREATE VIEW needs AS and a query", first.span))?;
            Command::CreateView { view: Box::new(view), query }
        }
        other => {
            let words: Vec<String> = other.to_string().split_whitespace().take(2).map(str::to_uppercase).collect();
            return Err(error_at_span(format!("The BigQuery emulator does not support {} statements", words.join(" ")), first.span));
        }
    };
    Ok(ParsedStatement { command, placeholders })
}

/// The text after the first AS outside of parentheses.
fn view_query_text(sql: &str, tokens: &[TokenWithSpan]) -> Option<String> {
    let mut depth = 0;
    let mut start = None;
    for token in tokens {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Word(word) if depth == 0 && word.keyword == Keyword::AS => {
                start = Some(token.span.end);
                break;
            }
            _ => {}
        }
    }
    let start = start?;
    let line = usize::try_from(start.line).ok()?.checked_sub(1)?;
    let before: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(start.column).ok()?.checked_sub(1)?;
    let within: usize = sql.get(before..)?.chars().take(column).map(char::len_utf8).sum();
    Some(sql.get(before + within..)?.trim().trim_end_matches(';').trim().to_owned())
}

/// Parses the query of a view.
pub(crate) fn parse_view(sql: &str) -> Result<Box<Query>, QueryError> {
    match parse(sql)?.command {
        Command::Select(query) => Ok(query),
        _ => Err(QueryError::Invalid("The query of a view must be a SELECT".to_owned())),
    }
}

/// The name of an unsupported statement, by its first word.
fn unsupported_statement(token: &Token) -> Option<String> {
    const KNOWN: [&str; 5] = ["SELECT", "WITH", "DELETE", "CREATE", "FROM"];
    match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let word = word.value.to_uppercase();
            const STATEMENTS: [&str; 30] = [
                "INSERT", "UPDATE", "MERGE", "TRUNCATE", "ALTER", "EXPORT", "LOAD", "COPY", "DECLARE", "SET", "BEGIN", "COMMIT",
                "ROLLBACK", "IF", "LOOP", "WHILE", "REPEAT", "FOR", "CALL", "EXECUTE", "EXPLAIN", "DESCRIBE", "SHOW", "GRANT", "REVOKE",
                "ASSERT", "RAISE", "RETURN", "UNDROP", "USE",
            ];
            (!KNOWN.contains(&word.as_str()) && STATEMENTS.contains(&word.as_str())).then_some(word)
        }
        _ => None,
    }
}

/// The name of a DROP statement, or of a CREATE statement of anything but a view.
fn unsupported_object(tokens: &[TokenWithSpan]) -> Option<String> {
    let mut words = tokens.iter().map_while(|token| match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    });
    let mut name = words.next()?;
    match name.as_str() {
        "CREATE" => {}
        "DROP" => return Some(format!("DROP {}", words.next().unwrap_or_default()).trim_end().to_owned()),
        _ => return None,
    }
    for word in words.filter(|word| word != "OR" && word != "REPLACE") {
        if word == "VIEW" && name == "CREATE" {
            return None;
        }
        name = format!("{name} {word}");
        if !["TEMP", "TEMPORARY", "EXTERNAL", "MATERIALIZED", "SNAPSHOT", "SEARCH", "VECTOR", "AGGREGATE"].contains(&word.as_str()) {
            break;
        }
    }
    Some(name)
}

type Tokens = (Vec<TokenWithSpan>, Vec<Location>);

fn tokenize(sql: &str) -> Result<Tokens, QueryError> {
    let tokens = Tokenizer::new(&BigQueryDialect, sql)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| QueryError::Invalid(format!("Syntax error: {}{}", error.message, location_suffix(error.location))))?;
    let tokens = tokens::adapt(escapes::unescape_literals(tokens)?);
    let placeholders =
        tokens.iter().filter(|token| token.token == Token::Placeholder("?".to_owned())).map(|token| token.span.start).collect();
    Ok((tokens, placeholders))
}

/// Converts `Expected: an expression, found: FROM at Line: 1, Column: 8` to BigQuery's wording.
fn syntax_error(error: ParserError, tokens: &[TokenWithSpan]) -> QueryError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => return QueryError::too_deep(Location { line: 0, column: 0 }),
    };
    let located = text.rsplit_once(" at Line: ").and_then(|(message, location)| {
        let (line, column) = location.split_once(", Column: ")?;
        Some((message, Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
    });
    let (message, location) = located.unwrap_or((text.as_str(), Location { line: 0, column: 0 }));
    let expectation = message.strip_prefix("Expected").map(|expectation| expectation.trim_start_matches([':', ' ']));
    let expectation = expectation.and_then(|expectation| expectation.split_once(", found: "));
    let (message, location) = match expectation {
        Some((_, "EOF")) => ("Unexpected end of script".to_owned(), end_of(tokens)),
        Some((expected, found)) => {
            let expected = expected.replace("EOF", "end of statement");
            (format!("Expected {expected} but got {found}"), location_of(found, location, tokens))
        }
        None => (message.to_owned(), location),
    };
    QueryError::Invalid(format!("Syntax error: {message}{}", location_suffix(location)))
}

/// The location of the last token with this text up to a location. The parser sometimes returns the location of a token
/// after it.
fn location_of(text: &str, location: Location, tokens: &[TokenWithSpan]) -> Location {
    let up_to = |token: &&TokenWithSpan| token.span.start <= location || location.line == 0;
    let found = tokens.iter().rev().filter(up_to).find(|token| token.token.to_string() == text);
    found.map_or(location, |token| token.span.start)
}

/// The location after the last token.
fn end_of(tokens: &[TokenWithSpan]) -> Location {
    tokens.iter().rev().map(|token| token.span.end).find(|end| end.line > 0).unwrap_or(Location { line: 1, column: 1 })
}
