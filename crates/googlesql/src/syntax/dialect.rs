//! The parser's dialect: sqlparser's BigQuery dialect, and the operators `<<`, `>>` and LIKE ANY, SOME and ALL.
//!
//! The dialect also limits the depth and the number of the parsed expressions. The parser itself reports its recursion
//! limit as an error of another kind in some places, and it parses some texts several times.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators>.

use std::any::TypeId;
use std::cell::{Cell, RefCell};

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};
use datafusion::sql::sqlparser::dialect::{BigQueryDialect, Dialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use super::limits::MAX_NESTING;
use super::syntax_error::location_of;
use crate::error::QueryError;

/// The precedence of shifts is lower than that of `+` and higher than that of `&`.
const SHIFT_PRECEDENCE: u8 = 25;

/// The parser parses an expression again as something else after an error. These limit the repetitions.
const EXPRESSIONS_PER_TOKEN: usize = 20;
const MIN_EXPRESSIONS: usize = 1_000;

/// The dialect, and the progress of one parser.
#[derive(Debug)]
pub(crate) struct GoogleSql {
    /// The nesting depth of the current expression.
    depth: Cell<usize>,
    /// The number of expressions that the parser may still parse.
    remaining: Cell<usize>,
    /// Whether `parse_prefix` calls the parser, which calls `parse_prefix` again.
    is_reentered: Cell<bool>,
    /// The first exceeded limit.
    exceeded: RefCell<Option<QueryError>>,
    /// The error of an expression that is the furthest in the text. The parser can drop it and report another one.
    furthest: RefCell<Option<ParserError>>,
}

impl Dialect for GoogleSql {
    /// The parser compares this id to select BigQuery's syntax.
    fn dialect(&self) -> TypeId {
        TypeId::of::<BigQueryDialect>()
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        matches!(parser.peek_token_ref().token, Token::ShiftLeft | Token::ShiftRight).then_some(Ok(SHIFT_PRECEDENCE))
    }

    fn parse_infix(&self, parser: &mut Parser, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        let op = match parser.peek_token_ref().token {
            Token::ShiftLeft => BinaryOperator::PGBitwiseShiftLeft,
            Token::ShiftRight => BinaryOperator::PGBitwiseShiftRight,
            _ => return self.parse_quantified_like(parser, left),
        };
        parser.next_token();
        let right = parser.parse_subexpr(precedence);
        Some(right.map(|right| Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right) }))
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        if self.is_reentered.replace(false) {
            return None;
        }
        if let Err(error) = self.begin_expression(parser.peek_token_ref().span.start) {
            self.exceeded.borrow_mut().get_or_insert(error);
            return Some(Err(ParserError::RecursionLimitExceeded));
        }
        self.is_reentered.set(true);
        let parsed = parser.parse_prefix();
        self.depth.set(self.depth.get() - 1);
        if let Err(error) = &parsed {
            let mut furthest = self.furthest.borrow_mut();
            if furthest.as_ref().and_then(location_of) < location_of(error) {
                *furthest = Some(error.clone());
            }
        }
        Some(parsed)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        BigQueryDialect.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        BigQueryDialect.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        BigQueryDialect.is_identifier_part(ch)
    }

    /// The parser does not parse an invalid CASE, CAST or ARRAY again as a name.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        matches!(
            keyword,
            Keyword::ARRAY
                | Keyword::CASE
                | Keyword::CAST
                | Keyword::EXISTS
                | Keyword::EXTRACT
                | Keyword::INTERVAL
                | Keyword::NOT
                | Keyword::NULL
                | Keyword::STRUCT
        )
    }

    fn is_column_alias(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        BigQueryDialect.is_column_alias(keyword, parser)
    }

    fn require_interval_qualifier(&self) -> bool {
        BigQueryDialect.require_interval_qualifier()
    }

    fn supports_comma_separated_trim(&self) -> bool {
        BigQueryDialect.supports_comma_separated_trim()
    }

    fn supports_group_by_expr(&self) -> bool {
        BigQueryDialect.supports_group_by_expr()
    }

    fn supports_pipe_operator(&self) -> bool {
        BigQueryDialect.supports_pipe_operator()
    }

    fn supports_projection_trailing_commas(&self) -> bool {
        BigQueryDialect.supports_projection_trailing_commas()
    }

    fn supports_select_expr_star(&self) -> bool {
        BigQueryDialect.supports_select_expr_star()
    }

    fn supports_select_wildcard_except(&self) -> bool {
        BigQueryDialect.supports_select_wildcard_except()
    }

    fn supports_select_wildcard_replace(&self) -> bool {
        BigQueryDialect.supports_select_wildcard_replace()
    }

    fn supports_struct_literal(&self) -> bool {
        BigQueryDialect.supports_struct_literal()
    }

    fn supports_table_versioning(&self) -> bool {
        BigQueryDialect.supports_table_versioning()
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        BigQueryDialect.supports_window_clause_named_window_reference()
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        BigQueryDialect.supports_window_function_null_treatment_arg()
    }
}

impl GoogleSql {
    /// Creates the dialect for a text with this number of tokens.
    pub(crate) fn new(tokens: usize) -> GoogleSql {
        GoogleSql {
            depth: Cell::new(0),
            remaining: Cell::new(MIN_EXPRESSIONS + tokens.saturating_mul(EXPRESSIONS_PER_TOKEN)),
            is_reentered: Cell::new(false),
            exceeded: RefCell::new(None),
            furthest: RefCell::new(None),
        }
    }

    /// The limit that the parser exceeded, and the furthest error. The parser's own result is not valid if it exceeded a
    /// limit.
    pub(super) fn into_errors(self) -> (Option<QueryError>, Option<ParserError>) {
        (self.exceeded.into_inner(), self.furthest.into_inner())
    }

    fn begin_expression(&self, location: Location) -> Result<(), QueryError> {
        if self.depth.get() == MAX_NESTING {
            return Err(QueryError::too_deep(location));
        }
        let remaining = self.remaining.get().checked_sub(1).ok_or_else(|| QueryError::too_complex(location))?;
        self.remaining.set(remaining);
        self.depth.set(self.depth.get() + 1);
        Ok(())
    }

    /// Parses `[NOT] LIKE ANY (…)`. The parser itself supports ANY only with other operators.
    fn parse_quantified_like(&self, parser: &mut Parser, left: &Expr) -> Option<Result<Expr, ParserError>> {
        let is = |token: Token, keyword: Keyword| matches!(token, Token::Word(word) if word.keyword == keyword);
        let negated = is(parser.peek_token().token, Keyword::NOT);
        let like = usize::from(negated);
        if !is(parser.peek_nth_token(like).token, Keyword::LIKE) {
            return None;
        }
        let quantifier = parser.peek_nth_token(like + 1).token;
        let is_all = is(quantifier.clone(), Keyword::ALL);
        if !is_all && !is(quantifier.clone(), Keyword::ANY) && !is(quantifier.clone(), Keyword::SOME) {
            return None;
        }
        for _ in 0..like + 2 {
            parser.next_token();
        }
        let compare_op = if negated { BinaryOperator::PGNotLikeMatch } else { BinaryOperator::PGLikeMatch };
        let right = match parser.parse_subexpr(self.prec_value(Precedence::Like)) {
            Ok(right) => Box::new(right),
            Err(error) => return Some(Err(error)),
        };
        let left = Box::new(left.clone());
        Some(Ok(match is_all {
            true => Expr::AllOp { left, compare_op, right },
            false => Expr::AnyOp { left, compare_op, right, is_some: is(quantifier, Keyword::SOME) },
        }))
    }
}
