//! Tests against BigQuery's reference, and against RE2 where `regex` differs.

use super::super::test_eval::{eval, eval_over};

fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

#[test]
fn contains_matches_by_re2_rules() {
    check(&[
        (r"regexp_contains('foo@example.com', '@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+')", "true"),
        (r"regexp_contains('www.example.net', '@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+')", "false"),
        (r"regexp_contains('b@bar.org', '^([\w.+-]+@foo\.com|[\w.+-]+@bar\.org)$')", "true"),
        (r"regexp_contains('a', NULL)", "NULL"),
        (r"regexp_contains('a', '(')", "Err: Cannot parse regular expression: unclosed group: ("),
    ]);
    assert_eq!(eval_over("'abc'", "regexp_contains(x, 'b')"), "true");
}

#[test]
fn extract_and_instr_follow_the_reference() {
    check(&[
        ("regexp_extract('foo@example.com', '^[a-zA-Z0-9_.+-]+')", "foo"),
        (r"regexp_extract('foo@example.com', '^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.([a-zA-Z0-9-.]+$)')", "com"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 1, 1)", "Hello"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 1, 2)", "Helloo"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 1, 3)", "Hellooo"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 1, 4)", "NULL"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 2, 1)", "ello"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 3, 1)", "Helloo"),
        ("regexp_extract('Hello Helloo and Hellooo', 'H?ello+', 20, 1)", "NULL"),
        ("regexp_extract('a', 'a', 0)", "Err: position must be positive"),
        (
            "regexp_extract('ab', '(a)(b)')",
            "Err: Regular expressions passed into extraction functions must not have more than 1 capturing group",
        ),
        ("regexp_substr('Hello World Hello', 'H[a-z]+', 2)", "Hello"),
        (r"regexp_extract_all('Try `func(x)` or `func(y)`', '`(.+?)`')", "[func(x), func(y)]"),
        ("regexp_extract_all('a', 'b')", "[]"),
        ("regexp_instr('ab@cd-ef', '@[^-]*')", "3"),
        ("regexp_instr('a@cd-ef b@cd-ef', '@[^-]*', 3)", "10"),
        ("regexp_instr('a@cd-ef b@cd-ef c@cd-ef', '@[^-]*', 1, 2)", "10"),
        ("regexp_instr('a@cd-ef', '@[^-]*', 1, 1, 1)", "5"),
        ("regexp_instr('a', 'b')", "0"),
    ]);
}

#[test]
fn replace_expands_group_references() {
    check(&[
        (r"regexp_replace('# Heading', '^# ([a-zA-Z0-9\s]+$)', '<h1>\1</h1>')", "<h1>Heading</h1>"),
        (r"regexp_replace('abc', 'b(.)', 'X\\1')", r"aX\1"),
        (r"regexp_replace('abc', 'b', '\1')", r"Err: Invalid REGEXP_REPLACE pattern: there is no group \1 in a regular expression with 0"),
        (r"regexp_replace('abc', 'b', '$0')", "a$0c"),
        (r"regexp_replace('abc', '', '-')", "-a-b-c-"),
    ]);
}

#[test]
fn classes_follow_re2() {
    check(&[
        (r"regexp_contains('٣', '\d')", "false"),
        (r"regexp_contains('é', '\w')", "false"),
        (r"regexp_contains('é', '\W')", "true"),
        (r"regexp_extract('aé b', '\b[^\s]\b')", "a"),
        (r"regexp_contains('a<b', 'a\<b')", "true"),
        ("regexp_contains('&', '[a&&b]')", "true"),
        ("regexp_contains('[', '[[]')", "true"),
        ("regexp_contains(']', '[]a]')", "true"),
        ("regexp_contains('x', '[[:alpha:]]')", "true"),
        ("regexp_contains('-', '[a-]')", "true"),
        (r"regexp_contains('5', '[^\D]')", "true"),
        (r"regexp_contains('a.b', '\Qa.b\E')", "true"),
        ("regexp_contains('a{', 'a{')", "true"),
        ("regexp_contains('aaa', '^a{2,}$')", "true"),
        ("regexp_contains('a', 'a**')", "Err: Cannot parse regular expression: bad repetition operator: *"),
        ("regexp_contains('a', '(?x)a')", "Err: Cannot parse regular expression: invalid perl operator: (?x"),
        ("regexp_contains('ab', 'a(?=b)')", "Err: Cannot parse regular expression: invalid perl operator: (?="),
        ("regexp_contains('ABC', '(?i)abc')", "true"),
        (r"regexp_extract('k=v', '(?P<key>\w)=')", "k"),
    ]);
}
