//! Parses the text of a query into one supported statement.
//!
//! Other statements are rejected here by name. DataFusion could read and write files with some of them.

use datafusion::sql::sqlparser::ast::{self, Query, Statement};
use datafusion::sql::sqlparser::dialect::BigQueryDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::dialect::GoogleSql;
use super::{escapes, tokens};
use crate::error::QueryError;
use crate::error_location::{error_at_span, location_suffix};

/// Maximum nesting depth of parentheses and subqueries.
const MAX_DEPTH: usize = 100;

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
    let (tokens, placeholders) = tokenize(sql)?;
    let first = tokens.iter().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::SemiColon | Token::EOF)).cloned();
    let Some(first) = first else {
        return Err(QueryError::Invalid("Syntax error: Unexpected end of statement at [1:1]".to_owned()));
    };
    if let Some(name) = unsupported_statement(&first.token).or_else(|| unsupported_object(&tokens)) {
        let hint = if name.starts_with("DROP") { "; tables and views are deleted by tables.delete, as by `bq rm`" } else { "" };
        return Err(error_at_span(format!("The BigQuery emulator does not support {name} statements{hint}"), first.span));
    }
    let after_as = tokens.clone();
    let mut parser = Parser::new(&GoogleSql).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let mut statements = parser.parse_statements().map_err(syntax_error)?;
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
fn syntax_error(error: ParserError) -> QueryError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => {
            return QueryError::Invalid(
                "Resources exceeded during query execution: Not enough resources for query planning - query is too \
                                        deeply nested"
                    .to_owned(),
            );
        }
    };
    let located = text.rsplit_once(" at Line: ").and_then(|(message, location)| {
        let (line, column) = location.split_once(", Column: ")?;
        Some((message, Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
    });
    let (message, location) = located.unwrap_or((text.as_str(), Location { line: 0, column: 0 }));
    let message = message.replace("Expected: ", "Expected ").replace(", found: ", " but got ").replace("EOF", "end of statement");
    QueryError::Invalid(format!("Syntax error: {message}{}", location_suffix(location)))
}
