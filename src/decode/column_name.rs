//! Names of columns: which ones BigQuery accepts, and which ones it takes for the same.
//!
//! <https://cloud.google.com/bigquery/docs/schemas#column_names>, with the extension to flexible column names.

/// In characters.
const MAX_LENGTH: usize = 300;
/// Without regard to case.
const RESERVED_PREFIXES: [&str; 9] = [
    "_TABLE_",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "__ROOT__",
    "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_CHANGE_TIMESTAMP",
];
/// The ASCII characters that a name cannot contain, besides control characters.
const FORBIDDEN: &str = "!\"$()*,./;?@[\\]^`{}~";

/// Whether BigQuery accepts the text as a column's name. Of the characters outside of ASCII, it judges only control
/// characters: BigQuery refuses symbols among the others itself.
pub fn is_column_name(name: &str) -> bool {
    let is_reserved = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    !name.trim().is_empty()
        && name.chars().count() <= MAX_LENGTH
        && !name.contains(|c: char| c.is_control() || FORBIDDEN.contains(c))
        && !RESERVED_PREFIXES.iter().any(is_reserved)
}

/// Whether two names differ in case at most.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || !one.is_ascii() && one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flexible_names_are_accepted() {
        for name in [
            "order-id",
            "1st",
            "a&b",
            "order id",
            "prénom",
            "名前",
            "cafe\u{301}",
            "50%",
            "a=b",
            "a+b",
            "a:b",
            "it's",
            "<x>",
            "#1",
            "a|b",
            "_",
            "9",
        ] {
            assert!(is_column_name(name), "{name}");
        }
        assert!(is_column_name(&"é".repeat(300)));
    }

    #[test]
    fn names_that_bigquery_refuses_are_refused() {
        for name in [
            "",
            " ",
            "a.b",
            "a,b",
            "a$b",
            "a/b",
            "a`b",
            "a\\b",
            "a[0]",
            "a{b}",
            "a~",
            "a\tb",
            "a\0",
            "_PARTITIONTIME",
            "_table_x",
            "__root__",
        ] {
            assert!(!is_column_name(name), "{name:?}");
        }
        assert!(!is_column_name(&"a".repeat(301)));
    }

    #[test]
    fn names_are_compared_without_regard_to_case() {
        assert!(is_same_name("User_ID", "user_id") && is_same_name("ÉTÉ", "été"));
        assert!(!is_same_name("a-b", "a_b") && !is_same_name("é", "e"));
    }
}
