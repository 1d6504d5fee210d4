//! Limits of a query's text. They are checked on the tokens, before the parser builds a tree.
//!
//! The parser, the resolver and DataFusion visit trees recursively, and their stacks are limited. Brackets and CASE nest
//! a tree; operators and set operations make a long chain, which the parser stores as a deep tree. `resolve` limits the
//! size of the resolved expressions, and `physical::plan_limits` the size of the plan.
//! Reference: <https://cloud.google.com/bigquery/quotas#query_jobs>.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::QueryError;

/// Maximum nesting depth of brackets, CASE, types and prefix operators.
pub(super) const MAX_NESTING: usize = 100;

/// BigQuery's limit of a query's text.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Maximum number of operators and set operations. A tree is at most as deep as this number and the nesting.
const MAX_OPERATORS: usize = 10_000;

pub(super) fn check_text(sql: &str) -> Result<(), QueryError> {
    match sql.len() > MAX_TEXT_BYTES {
        true => Err(QueryError::Invalid(
            "The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and white space \
             characters."
                .to_owned(),
        )),
        false => Ok(()),
    }
}

pub(super) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    let mut nesting = Nesting::default();
    let mut operators = 0;
    let mut before = &Token::EOF;
    for token in tokens {
        nesting.advance(before, &token.token);
        if nesting.depth() > MAX_NESTING {
            return Err(QueryError::too_deep(token.span.start));
        }
        operators += usize::from(is_operator(&token.token));
        if operators > MAX_OPERATORS {
            return Err(QueryError::too_complex(token.span.start));
        }
        before = &token.token;
    }
    Ok(())
}

/// The open brackets, CASE expressions and types at a token.
#[derive(Default)]
struct Nesting {
    brackets: usize,
    cases: usize,
    types: usize,
}

impl Nesting {
    fn depth(&self) -> usize {
        self.brackets + self.cases + self.types
    }

    fn advance(&mut self, before: &Token, token: &Token) {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => self.brackets += 1,
            Token::RParen | Token::RBracket | Token::RBrace => self.brackets = self.brackets.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::CASE => self.cases += 1,
            Token::Word(word) if word.keyword == Keyword::END => self.cases = self.cases.saturating_sub(1),
            Token::Lt if matches!(before, Token::Word(word) if matches!(word.keyword, Keyword::ARRAY | Keyword::STRUCT)) => {
                self.types += 1;
            }
            Token::Gt => self.types = self.types.saturating_sub(1),
            Token::ShiftRight => self.types = self.types.saturating_sub(2),
            _ => {}
        }
    }
}

/// Whether the token can extend a chain. Names, literals, brackets and the keywords of clauses cannot.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => !matches!(
            word.keyword,
            Keyword::NoKeyword
                | Keyword::ALL
                | Keyword::AS
                | Keyword::ASC
                | Keyword::BY
                | Keyword::CASE
                | Keyword::CAST
                | Keyword::DATE
                | Keyword::DESC
                | Keyword::DISTINCT
                | Keyword::ELSE
                | Keyword::END
                | Keyword::EXISTS
                | Keyword::FALSE
                | Keyword::FROM
                | Keyword::GROUP
                | Keyword::INT64
                | Keyword::JOIN
                | Keyword::KEY
                | Keyword::NAME
                | Keyword::NULL
                | Keyword::ON
                | Keyword::ORDER
                | Keyword::OVER
                | Keyword::SELECT
                | Keyword::STRING
                | Keyword::STRUCT
                | Keyword::THEN
                | Keyword::TRUE
                | Keyword::TYPE
                | Keyword::VALUE
                | Keyword::WHEN
                | Keyword::WHERE
        ),
        Token::Number(..)
        | Token::Comma
        | Token::SemiColon
        | Token::EOF
        | Token::Placeholder(_)
        | Token::LParen
        | Token::RParen
        | Token::LBracket
        | Token::RBracket
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::TripleSingleQuotedString(_)
        | Token::TripleDoubleQuotedString(_)
        | Token::SingleQuotedByteStringLiteral(_)
        | Token::DoubleQuotedByteStringLiteral(_) => false,
        _ => true,
    }
}
