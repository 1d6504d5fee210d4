//! Parses the text of a query into one supported statement.
//!
//! Other statements are rejected here by name. DataFusion could read and write files with some of them.

use datafusion::sql::sqlparser::ast::{self, Query, Statement};
use datafusion::sql::sqlparser::dialect::BigQueryDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use super::dialect::GoogleSql;
use super::reserved::reserved_word;
use super::syntax_error::{self, SyntaxError};
use super::{escapes, limits, sequence, tokens, unclosed};
use crate::error::QueryError;
use crate::error_location::{error_at_span, location_suffix};

/// The parser's limit of its recursion. `limits` and `dialect` report a text of this depth before the parser does.
const MAX_PARSER_DEPTH: usize = 5 * limits::MAX_NESTING;

/// What ends a statement and a subquery, in errors.
const END_OF_STATEMENT: &str = "end of input";
const END_OF_SUBQUERY: &str = "\")\"";

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
    unclosed::check_closed(sql)?;
    let (mut tokens, placeholders) = tokenize(sql)?;
    limits::check_tokens(&tokens)?;
    let first = tokens.iter().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::SemiColon | Token::EOF)).cloned();
    let Some(first) = first else {
        return Err(QueryError::Invalid("Syntax error: Unexpected end of statement at [1:1]".to_owned()));
    };
    if let Some(name) = unsupported_statement(&first.token).or_else(|| unsupported_object(&tokens)) {
        let hint = if name.starts_with("DROP") { "; tables and views are deleted by tables.delete, as by `bq rm`" } else { "" };
        return Err(error_at_span(format!("The BigQuery emulator does not support {name} statements{hint}"), first.span));
    }
    let script = || error_at_span("The BigQuery emulator does not support scripts: send one statement", first.span);
    if has_second_statement(&tokens) {
        return Err(script());
    }
    // The end of the text is a token in the errors.
    tokens.push(TokenWithSpan { token: Token::EOF, span: Span::new(end_of(&tokens), end_of(&tokens)) });
    let misplaced = sequence::find_error(&tokens);
    let mut statements = match parse_tokens(&tokens, END_OF_STATEMENT) {
        Ok(statements) => match misplaced {
            Some((index, message)) => return Err(SyntaxError::new(message, tokens[index].span.start).into()),
            None => statements,
        },
        Err(ParseFailure::Limit(error)) => return Err(error),
        Err(ParseFailure::Syntax(error)) => {
            return Err(first_error(&tokens, error, misplaced).into());
        }
    };
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(script());
    };
    let command = match statement {
        Statement::Query(query) => Command::Select(query),
        Statement::Delete(delete) => Command::Delete(Box::new(delete)),
        Statement::CreateView(view) => {
            let query = view_query_text(sql, &tokens);
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

/// Why the parser rejects tokens.
enum ParseFailure {
    Syntax(SyntaxError),
    Limit(QueryError),
}

/// Parses tokens. The last of them is the end of the text, which errors name `end`.
fn parse_tokens(tokens: &[TokenWithSpan], end: &str) -> Result<Vec<Statement>, ParseFailure> {
    let dialect = GoogleSql::new(tokens.len());
    let without_end = tokens.split_last().map_or(Vec::new(), |(_, tokens)| tokens.to_vec());
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_PARSER_DEPTH).with_tokens_with_locations(without_end);
    let parsed = parser.parse_statements();
    let position = parser.peek_token_ref().span.start;
    drop(parser);
    let (exceeded, furthest) = dialect.into_errors();
    if let Some(error) = exceeded {
        return Err(ParseFailure::Limit(error));
    }
    parsed.map_err(|error| {
        let is_further = |other: &ParserError| syntax_error::location_of(other) > syntax_error::location_of(&error);
        let error = furthest.filter(is_further).unwrap_or(error);
        ParseFailure::Syntax(SyntaxError::from_parser(error, tokens, position, end))
    })
}

/// The first error in the text: the parser's, or that of the token at an index.
fn first_error(tokens: &[TokenWithSpan], error: SyntaxError, misplaced: Option<(usize, String)>) -> SyntaxError {
    let parsed = subquery_error(tokens).unwrap_or(error);
    let Some((index, message)) = misplaced else { return parsed };
    let misplaced = SyntaxError::new(message, tokens[index].span.start);
    let before = &tokens[index.saturating_sub(1)];
    // The parser reports GROUP if BY is missing.
    let is_by_missing =
        parsed.location == before.span.start && matches!(reserved_word(&before.token), Some("GROUP" | "ORDER" | "PARTITION"));
    if is_by_missing || parsed.is_approximate || misplaced.location <= parsed.location {
        return misplaced;
    }
    let is_end = tokens[index].token == Token::EOF;
    match is_end && parse_tokens(&close_brackets(tokens), END_OF_STATEMENT).is_ok() {
        true => misplaced,
        false => parsed,
    }
}

/// The tokens with a closing bracket for each open one at the end.
fn close_brackets(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut closed = tokens.to_vec();
    let Some(end) = closed.pop() else { return closed };
    let mut missing = Vec::new();
    for token in &closed {
        match token.token {
            Token::LParen => missing.push(Token::RParen),
            Token::LBracket => missing.push(Token::RBracket),
            Token::RParen | Token::RBracket => drop(missing.pop()),
            _ => {}
        }
    }
    closed.extend(missing.into_iter().rev().map(|token| TokenWithSpan { token, span: end.span }));
    closed.push(end);
    closed
}

/// The first error in a subquery in parentheses. The parser tries to parse the text of an invalid subquery as something
/// else, and reports the error of that.
fn subquery_error(tokens: &[TokenWithSpan]) -> Option<SyntaxError> {
    let mut index = 0;
    while let Some(start) = (index + 1..tokens.len()).find(|start| is_subquery_start(&tokens[start - 1..])) {
        let mut depth = 1;
        let end = (start..tokens.len() - 1).find(|end| {
            depth += match tokens[*end].token {
                Token::LParen => 1,
                Token::RParen => -1,
                _ => 0,
            };
            depth == 0
        });
        let end = end.unwrap_or(tokens.len() - 1);
        let mut subquery = tokens[start..end].to_vec();
        // The closing bracket, or the end of the text.
        subquery.push(TokenWithSpan { token: tokens[end].token.clone(), span: tokens[end].span });
        if let Err(ParseFailure::Syntax(error)) = parse_tokens(&subquery, END_OF_SUBQUERY) {
            return Some(subquery_error(&subquery).unwrap_or(error));
        }
        index = end;
    }
    None
}

fn is_subquery_start(tokens: &[TokenWithSpan]) -> bool {
    let is_query =
        |token: &TokenWithSpan| matches!(&token.token, Token::Word(word) if [Keyword::SELECT, Keyword::WITH].contains(&word.keyword));
    tokens[0].token == Token::LParen && tokens.get(1).is_some_and(is_query)
}

/// Whether another statement follows a semicolon. The parser would first parse all of them.
fn has_second_statement(tokens: &[TokenWithSpan]) -> bool {
    let mut significant = tokens.iter().map(|token| &token.token).skip_while(|token| **token == Token::SemiColon);
    significant.any(|token| *token == Token::SemiColon) && significant.any(|token| !matches!(token, Token::SemiColon | Token::EOF))
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

/// The location after the last token.
fn end_of(tokens: &[TokenWithSpan]) -> Location {
    tokens.iter().rev().map(|token| token.span.end).find(|end| end.line > 0).unwrap_or(Location { line: 1, column: 1 })
}
