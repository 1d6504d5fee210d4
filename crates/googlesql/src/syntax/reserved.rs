//! GoogleSQL's reserved words. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords>.

use datafusion::sql::sqlparser::tokenizer::{Token, Word};

/// In alphabetical order.
#[rustfmt::skip]
const RESERVED: [&str; 96] = [
    "ALL", "AND", "ANY", "ARRAY", "AS", "ASC", "ASSERT_ROWS_MODIFIED", "AT", "BETWEEN", "BY", "CASE", "CAST", "COLLATE", "CONTAINS",
    "CREATE", "CROSS", "CUBE", "CURRENT", "DEFAULT", "DEFINE", "DESC", "DISTINCT", "ELSE", "END", "ENUM", "ESCAPE", "EXCEPT", "EXCLUDE",
    "EXISTS", "EXTRACT", "FALSE", "FETCH", "FOLLOWING", "FOR", "FROM", "FULL", "GROUP", "GROUPING", "GROUPS", "HASH", "HAVING", "IF",
    "IGNORE", "IN", "INNER", "INTERSECT", "INTERVAL", "INTO", "IS", "JOIN", "LATERAL", "LEFT", "LIKE", "LIMIT", "LOOKUP", "MERGE",
    "NATURAL", "NEW", "NO", "NOT", "NULL", "NULLS", "OF", "ON", "OR", "ORDER", "OUTER", "OVER", "PARTITION", "PRECEDING", "PROTO",
    "QUALIFY", "RANGE", "RECURSIVE", "RESPECT", "RIGHT", "ROLLUP", "ROWS", "SELECT", "SET", "SOME", "STRUCT", "TABLESAMPLE", "THEN", "TO",
    "TREAT", "TRUE", "UNBOUNDED", "UNION", "UNNEST", "USING", "WHEN", "WHERE", "WINDOW", "WITH", "WITHIN",
];

/// The reserved words that can start an expression, or follow an operator or keyword in the place of one.
const EXPRESSION_STARTS: [&str; 26] = [
    "ALL",
    "ANY",
    "ARRAY",
    "CASE",
    "CAST",
    "COLLATE",
    "CUBE",
    "CURRENT",
    "DEFAULT",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "GROUPING",
    "IF",
    "INTERVAL",
    "LEFT",
    "NEW",
    "NOT",
    "NULL",
    "RANGE",
    "RIGHT",
    "ROLLUP",
    "SOME",
    "STRUCT",
    "TRUE",
    "UNBOUNDED",
];

/// The reserved word of a token in upper case.
pub(super) fn reserved_word(token: &Token) -> Option<&'static str> {
    let Token::Word(Word { value, quote_style: None, .. }) = token else { return None };
    let position = RESERVED.binary_search_by(|reserved| reserved.chars().cmp(value.chars().map(|c| c.to_ascii_uppercase())));
    position.ok().map(|index| RESERVED[index])
}

/// Whether the word can start an expression.
pub(super) fn starts_expression(word: &str) -> bool {
    EXPRESSION_STARTS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(RESERVED.is_sorted());
        assert!(EXPRESSION_STARTS.is_sorted());
        assert!(EXPRESSION_STARTS.iter().all(|word| RESERVED.contains(word)));
    }

    #[test]
    fn reserved_words_are_found_in_any_case_and_without_quotes_only() {
        let word = |value: &str, quote_style| Token::make_word(value, quote_style);
        assert_eq!(reserved_word(&word("Select", None)), Some("SELECT"));
        assert_eq!(reserved_word(&word("select", Some('`'))), None);
        assert_eq!(reserved_word(&word("selected", None)), None);
        assert_eq!(reserved_word(&Token::Comma), None);
    }
}
