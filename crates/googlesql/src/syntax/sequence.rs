//! Finds the first token that cannot follow the token before it.
//!
//! The parser accepts reserved words as names, and after some errors it returns to an earlier token and reports that.
//! This check finds such an error at its place. It does not find all errors.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::reserved::{reserved_word, starts_expression};
use super::syntax_error::describe;

/// A clause at the current level of brackets. It decides what a comma can separate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    Select,
    From,
    Other,
}

/// The last keyword of a CASE expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CasePart {
    Case,
    When,
    Then,
    Else,
}

/// An open bracket or CASE expression.
enum Open {
    Bracket { closing: &'static str },
    Case(CasePart),
}

/// A level of the text: an open bracket or CASE, or the statement.
struct Level {
    open: Option<Open>,
    clause: Clause,
}

/// The index of the first invalid token, and the message. The last token is the end of the text.
pub(super) fn find_error(tokens: &[TokenWithSpan]) -> Option<(usize, String)> {
    let mut levels = vec![Level { open: None, clause: Clause::Other }];
    let is_view = tokens.first().is_some_and(|first| reserved_word(&first.token) == Some("CREATE"));
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        // A reserved word after a point is a name.
        let after_point = before.is_some_and(|before| before.token == Token::Period);
        let word = reserved_word(&token.token).filter(|_| !after_point);
        let clause = levels.last().map_or(Clause::Other, |level| level.clause);
        let misplaced = before.and_then(|before| check_pair(&tokens[..index - 1], before, token, word, clause, is_view));
        if let Some(message) = misplaced.or_else(|| advance(&mut levels, before, token, word)) {
            return Some((index, message));
        }
    }
    None
}

/// The error if a token cannot follow the token before it. `earlier` are the tokens before both.
fn check_pair(
    earlier: &[TokenWithSpan],
    before: &TokenWithSpan,
    token: &TokenWithSpan,
    word: Option<&'static str>,
    clause: Clause,
    is_view: bool,
) -> Option<String> {
    let is_missing = is_end(&token.token) || is_infix(&token.token) || word.is_some_and(|word| !starts_expression(word));
    let unexpected = || Some(format!("Unexpected {}", describe(&token.token)));
    let second = earlier.last().map(|second| &second.token);
    let second_word = second.and_then(reserved_word);
    let after_point = second == Some(&Token::Period);
    let is_from_clause = clause == Clause::From;
    if is_date_part(earlier, before) && word != Some("FROM") && token.token != Token::LParen {
        return Some(format!("Expected keyword FROM but got {}", describe(&token.token)));
    }
    match (&before.token, reserved_word(&before.token).filter(|_| !after_point)) {
        (Token::Number(..), _) if matches!(token.token, Token::Word(_)) && before.span.end == token.span.start => {
            Some("Missing whitespace between literal and alias".to_owned())
        }
        (Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_), _)
            if second_word == Some("INTERVAL") && is_end(&token.token) =>
        {
            unexpected()
        }
        (_, Some("EXCEPT")) => unexpected().filter(|_| token.token != Token::LParen && !matches!(word, Some("ALL" | "DISTINCT"))),
        (_, Some("GROUP" | "ORDER" | "PARTITION")) if word != Some("BY") => {
            Some(format!("Expected keyword BY but got {}", describe(&token.token)))
        }
        (_, Some("SELECT")) => match word {
            Some("FROM") => Some("SELECT list must not be empty".to_owned()),
            Some("DISTINCT" | "AS" | "WITH") => None,
            _ => unexpected().filter(|_| is_missing),
        },
        (_, Some("AS")) => match word {
            Some("SELECT" | "WITH" | "FROM") if is_view => None,
            Some("ARRAY" | "STRUCT" | "INTERVAL" | "RANGE" | "OF" | "WITH") => None,
            Some(_) => unexpected(),
            None => unexpected().filter(|_| is_end(&token.token) || is_infix(&token.token)),
        },
        (_, Some("FROM")) if is_from_clause && second_word != Some("DISTINCT") => unexpected().filter(|_| !is_from_item(token, word)),
        (_, Some("JOIN")) => unexpected().filter(|_| !is_from_item(token, word)),
        (_, Some("CASE")) => unexpected().filter(|_| is_missing && word != Some("WHEN")),
        (_, Some("NOT")) => unexpected().filter(|_| is_missing && !matches!(word, Some("IN" | "LIKE" | "BETWEEN" | "DISTINCT"))),
        (_, Some("IN")) => unexpected().filter(|_| is_missing && word != Some("UNNEST")),
        (
            _,
            Some(
                "ON" | "WHERE" | "HAVING" | "QUALIFY" | "AND" | "OR" | "WHEN" | "THEN" | "ELSE" | "BETWEEN" | "LIKE" | "BY" | "LIMIT"
                | "FROM",
            ),
        ) => unexpected().filter(|_| is_missing),
        (Token::LParen, _) => {
            let is_allowed = matches!(word, Some("SELECT" | "WITH" | "DISTINCT" | "ORDER" | "PARTITION" | "ROWS" | "GROUPS" | "UNNEST"));
            unexpected().filter(|_| is_missing && !is_allowed && token.token != Token::RParen)
        }
        (Token::LBracket, _) => unexpected().filter(|_| is_missing && token.token != Token::RBracket),
        (Token::Comma, _) if clause == Clause::Select && (is_clause_end(word) || is_end(&token.token) && token.token != Token::Comma) => {
            None
        }
        (Token::Comma, _) if is_from_clause => unexpected().filter(|_| !is_from_item(token, word)),
        (Token::Comma, _) => unexpected().filter(|_| is_missing && word != Some("SELECT")),
        (operator, _) if is_infix(operator) && *operator != Token::Gt => {
            // `ARRAY<` and `STRUCT<` open a type.
            unexpected().filter(|_| is_missing && !(*operator == Token::Lt && matches!(second_word, Some("ARRAY" | "STRUCT" | "RANGE"))))
        }
        _ => None,
    }
}

/// Opens and closes brackets and CASE expressions. Returns the error if the token does not belong to the open one.
fn advance(levels: &mut Vec<Level>, before: Option<&TokenWithSpan>, token: &TokenWithSpan, word: Option<&'static str>) -> Option<String> {
    let found = describe(&token.token);
    let open = levels.last_mut()?;
    if let Some(Open::Case(part)) = &mut open.open {
        let ends = is_end(&token.token) || word == Some("AS") || is_clause_end(word) && !is_distinct_from(before, word);
        let expected = match (*part, word) {
            (CasePart::Case | CasePart::Then, Some("WHEN")) => return set(part, CasePart::When),
            (CasePart::When, Some("THEN")) => return set(part, CasePart::Then),
            (CasePart::Then, Some("ELSE")) => return set(part, CasePart::Else),
            (CasePart::Then | CasePart::Else, Some("END")) => {
                levels.pop();
                return None;
            }
            (_, Some("WHEN" | "THEN" | "ELSE" | "END")) => *part,
            _ if ends => *part,
            _ => return open_level(levels, before, token, word),
        };
        return Some(match expected {
            CasePart::Case => format!("Expected keyword WHEN but got {found}"),
            CasePart::When => format!("Expected keyword THEN but got {found}"),
            CasePart::Then => format!("Unexpected {found}"),
            CasePart::Else => format!("Expected keyword END but got {found}"),
        });
    }
    match (&open.open, &token.token) {
        (Some(Open::Bracket { closing }), Token::RParen | Token::RBracket | Token::EOF | Token::SemiColon) => {
            if token.token.to_string() != *closing {
                return Some(format!("Expected \"{closing}\" but got {found}"));
            }
            levels.pop();
            None
        }
        (None, Token::RParen | Token::RBracket) => Some(format!("Expected end of input but got {found}")),
        _ => open_level(levels, before, token, word),
    }
}

fn set(part: &mut CasePart, next: CasePart) -> Option<String> {
    *part = next;
    None
}

/// Opens a level, or notes the clause of the current one. It has no error.
fn open_level(
    levels: &mut Vec<Level>,
    before: Option<&TokenWithSpan>,
    token: &TokenWithSpan,
    word: Option<&'static str>,
) -> Option<String> {
    let opened = match (&token.token, word) {
        (Token::LParen, _) => Some(Open::Bracket { closing: ")" }),
        (Token::LBracket, _) => Some(Open::Bracket { closing: "]" }),
        (_, Some("CASE")) => Some(Open::Case(CasePart::Case)),
        _ => None,
    };
    if opened.is_some() {
        levels.push(Level { open: opened, clause: Clause::Other });
        return None;
    }
    let level = levels.last_mut()?;
    match word {
        Some("SELECT") => level.clause = Clause::Select,
        Some("FROM") if is_distinct_from(before, word) => {}
        Some("FROM") if level.clause == Clause::Select => level.clause = Clause::From,
        Some(_) if is_clause_end(word) => level.clause = Clause::Other,
        _ => {}
    }
    None
}

/// Whether the token ends the date part of an EXTRACT, as in `EXTRACT(YEAR` and `EXTRACT(WEEK(MONDAY)`.
fn is_date_part(earlier: &[TokenWithSpan], token: &TokenWithSpan) -> bool {
    let before_part = match (earlier, &token.token) {
        ([before @ .., _, open, _], Token::RParen) if open.token == Token::LParen => before,
        _ => earlier,
    };
    match before_part {
        [.., point, _, _] if point.token == Token::Period => false,
        [.., name, open] => reserved_word(&name.token) == Some("EXTRACT") && open.token == Token::LParen,
        _ => false,
    }
}

/// Whether the word is the FROM of `IS DISTINCT FROM`.
fn is_distinct_from(before: Option<&TokenWithSpan>, word: Option<&str>) -> bool {
    word == Some("FROM") && before.is_some_and(|before| reserved_word(&before.token) == Some("DISTINCT"))
}

/// Whether the reserved word starts the next clause of a query, or the next query.
fn is_clause_end(word: Option<&str>) -> bool {
    matches!(word, Some("FROM" | "WHERE" | "GROUP" | "HAVING" | "QUALIFY" | "WINDOW" | "ORDER" | "LIMIT" | "UNION" | "INTERSECT"))
}

/// Whether the token can start an item of a FROM clause.
fn is_from_item(token: &TokenWithSpan, word: Option<&str>) -> bool {
    match word {
        Some(word) => ["UNNEST", "LATERAL"].contains(&word),
        None => !is_end(&token.token) && !is_infix(&token.token) && !matches!(token.token, Token::Number(..)),
    }
}

fn is_end(token: &Token) -> bool {
    matches!(token, Token::RParen | Token::RBracket | Token::Comma | Token::SemiColon | Token::EOF)
}

/// Whether the token is an operator with a left operand. The others can be signs, stars or parts of names.
fn is_infix(token: &Token) -> bool {
    matches!(
        token,
        Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::LtEq
            | Token::Gt
            | Token::GtEq
            | Token::Div
            | Token::StringConcat
            | Token::Ampersand
            | Token::Pipe
            | Token::Caret
            | Token::RArrow
    )
}
