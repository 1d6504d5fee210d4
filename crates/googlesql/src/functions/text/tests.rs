//! Tests against BigQuery's reference.

use super::super::test_eval::{eval, eval_over};

/// Checks each case with constants and with columns.
fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

#[test]
fn length_functions_count_characters_or_bytes() {
    check(&[
        ("length('абвгд')", "5"),
        ("length('😀👍')", "2"),
        ("length(X'636166C3A9')", "5"),
        ("byte_length('абвгд')", "10"),
        ("char_length('абвгд')", "5"),
        ("octet_length('é')", "2"),
        ("length('')", "0"),
        ("length(NULL)", "NULL"),
        ("length(1)", "Err: No matching signature for function LENGTH for argument types: INT64"),
    ]);
    assert_eq!(eval_over("'абвгд'", "length(x)"), "5");
}

#[test]
fn substr_left_and_right_follow_the_reference() {
    check(&[
        ("\"substr\"('apple', 2)", "pple"),
        ("\"substr\"('apple', 2, 2)", "pp"),
        ("\"substr\"('apple', -2)", "le"),
        ("\"substr\"('apple', 1, 123)", "apple"),
        ("\"substr\"('apple', 123)", ""),
        ("\"substr\"('apple', 123, 5)", ""),
        ("\"substr\"('apple', 0)", "apple"),
        ("\"substr\"('apple', 0, 2)", "ap"),
        ("\"substr\"('apple', -9, 2)", "ap"),
        ("\"substr\"('añb😀c', 2, 3)", "ñb😀"),
        ("\"substr\"('añb😀c', -2, 1)", "😀"),
        ("\"substr\"('apple', 1, -1)", "Err: Third argument in SUBSTR() cannot be negative"),
        ("\"substr\"(X'0102FF', 2)", "02ff"),
        ("\"left\"('banana', 3)", "ban"),
        ("\"left\"('абвгд', 3)", "абв"),
        ("\"right\"('абвгд', 3)", "вгд"),
        ("\"right\"('apple', 9)", "apple"),
        ("\"left\"('apple', -1)", "Err: Length argument of LEFT cannot be negative: -1"),
    ]);
}

#[test]
fn pad_and_repeat_follow_the_reference() {
    check(&[
        ("lpad('abc', 5)", "  abc"),
        ("lpad('abc', 2)", "ab"),
        ("lpad('例子', 7, '中文')", "中文中文中例子"),
        ("rpad('abc', 8, 'def')", "abcdefde"),
        ("rpad('例子', 3)", "例子 "),
        ("rpad('a', -1)", "Err: Length argument of RPAD cannot be negative: -1"),
        ("rpad('a', 3, '')", "Err: Pattern argument of RPAD cannot be empty"),
        ("repeat('abc', 3)", "abcabcabc"),
        ("repeat('例子', NULL)", "NULL"),
        ("repeat('abc', 10000000)", "Err: Output of REPEAT exceeds max allowed output size of 1MB"),
    ]);
}

#[test]
fn trim_functions_follow_the_reference() {
    check(&[
        ("ltrim('   apple   ')", "apple   "),
        ("ltrim('***apple***', '*')", "apple***"),
        ("rtrim('***apple***', '*')", "***apple"),
        ("rtrim('applexxz', 'xyz')", "apple"),
        ("\"trim\"('xzxapplexxy', 'xyz')", "apple"),
        ("\"trim\"('\u{a0} a\t')", "a"),
        ("ltrim(X'0101020301', X'0102')", "0301"),
        ("\"trim\"(X'010201', X'0102')", ""),
    ]);
}

#[test]
fn search_functions_follow_the_reference() {
    check(&[
        ("strpos('foo@example.com', '@')", "4"),
        ("strpos('quux.example.net', '@')", "0"),
        ("strpos('жф@', '@')", "3"),
        ("strpos(X'0102', X'02')", "2"),
        ("instr('banana', 'an', 1, 1)", "2"),
        ("instr('banana', 'an', 1, 2)", "4"),
        ("instr('banana', 'an', 1, 3)", "0"),
        ("instr('banana', 'an', 3, 1)", "4"),
        ("instr('banana', 'an', -1, 1)", "4"),
        ("instr('banana', 'an', -3, 1)", "4"),
        ("instr('banana', 'ann', 1, 1)", "0"),
        ("instr('helloooo', 'oo', 1, 1)", "5"),
        ("instr('helloooo', 'oo', 1, 2)", "6"),
        ("instr('a', 'a', 0)", "Err: Invalid position argument of INSTR: it must not be 0"),
        ("instr('a', 'a', 1, 0)", "Err: Invalid occurrence argument of INSTR: it must be positive"),
        ("starts_with('bar', 'b')", "true"),
        ("ends_with('apple', 'e')", "true"),
        ("starts_with('bar', NULL)", "NULL"),
        ("contains_substr('the blue house', 'Blue house')", "true"),
        ("contains_substr('\u{2168}', 'IX')", "true"),
        ("contains_substr('abc', 'x')", "false"),
    ]);
}

#[test]
fn split_follows_the_reference() {
    check(&[
        ("split('b,c,d')", "[b, c, d]"),
        ("split('a b  c', ' ')", "[a, b, , c]"),
        ("split('')", "[]"),
        ("array_length(split(''))", "1"),
        ("split('añ', '')", "[a, ñ]"),
        ("split(NULL)", "NULL"),
        ("split(X'0102', X'')", "[01, 02]"),
        ("split(X'01ff02', X'ff')", "[01, 02]"),
    ]);
    assert_eq!(eval_over("'a-b'", "split(x, '-')"), "[a, b]");
}

#[test]
fn replace_and_translate_follow_the_reference() {
    check(&[
        ("replace('apple pie', 'pie', 'cobbler')", "apple cobbler"),
        ("replace('abc', '', 'x')", "abc"),
        ("replace(X'0102', X'02', X'ffff')", "01ffff"),
        ("translate('This is a cookie', 'sco', 'zku')", "Thiz iz a kuukie"),
        ("translate('abc', 'ab', 'x')", "xc"),
        ("translate('abc', 'aa', 'xy')", "Err: Duplicate character in TRANSLATE source characters"),
    ]);
}

#[test]
fn concat_follows_the_reference() {
    check(&[
        ("concat('T.P.', ' ', 'Bar')", "T.P. Bar"),
        ("concat('a', NULL)", "NULL"),
        ("concat(X'01', X'ff')", "01ff"),
        ("concat('a')", "a"),
        ("concat('Summer', ' ', 1923)", "Summer 1923"),
        ("concat(CAST('2024-01-02' AS DATE), '!')", "2024-01-02!"),
        ("concat('a', X'01')", "Err: No matching signature for function CONCAT for argument types: STRING, BYTES"),
    ]);
    assert_eq!(eval_over("'a'", "concat(x, '-', x)"), "a-a");
}

#[test]
fn case_functions_and_reverse_follow_the_reference() {
    check(&[
        ("upper('straße É')", "STRASSE É"),
        ("lower('FOO BAR')", "foo bar"),
        ("initcap('Hello World-everyone!')", "Hello World-Everyone!"),
        ("initcap('tHe dog BARKS loudly+friendly')", "The Dog Barks Loudly+Friendly"),
        ("initcap('apples1oranges2pears', '12')", "Apples1Oranges2Pears"),
        ("reverse('abc')", "cba"),
        ("reverse('例子')", "子例"),
        ("reverse(X'0102')", "0201"),
    ]);
}

#[test]
fn code_point_functions_follow_the_reference() {
    check(&[
        ("ascii('abcd')", "97"),
        ("ascii('')", "0"),
        ("unicode('âbcd')", "226"),
        ("unicode('')", "0"),
        ("chr(65)", "A"),
        ("chr(255)", "ÿ"),
        ("chr(1024)", "Ѐ"),
        ("chr(0)", "\0"),
        ("chr(55296)", "Err: Invalid codepoint 55296"),
        ("to_code_points('bar')", "[98, 97, 114]"),
        ("to_code_points(X'0001FF')", "[0, 1, 255]"),
        ("code_points_to_string(make_array(65, 255, 513, 1024))", "AÿȁЀ"),
        ("code_points_to_string(make_array(65, NULL))", "NULL"),
        ("code_points_to_bytes(make_array(65, 98))", "4162"),
    ]);
}

#[test]
fn byte_encodings_follow_the_reference() {
    check(&[
        ("to_base64(X'DEADBEEF')", "3q2+7w=="),
        ("from_base64('/+A=')", "ffe0"),
        ("from_base64('_-A=')", "Err: Failed to decode invalid base64 string"),
        ("to_base32(X'6162636465FF')", "MFRGGZDF74======"),
        ("from_base32('MFRGGZDF74======')", "6162636465ff"),
        ("from_base32('!')", "Err: Failed to decode invalid base32 string"),
        ("to_hex(X'00010203aaeeefff')", "00010203aaeeefff"),
        ("from_hex('0AF')", "00af"),
        ("from_hex('xy')", "Err: Failed to decode invalid hexadecimal string: xy"),
        ("safe_convert_bytes_to_string(X'c2')", "\u{fffd}"),
    ]);
}

#[test]
fn edit_distance_and_soundex_follow_the_reference() {
    check(&[
        ("edit_distance('abc', 'adef')", "3"),
        ("edit_distance('a', 'é')", "1"),
        ("soundex('Ashcraft')", "A261"),
        ("soundex('Raven')", "R150"),
        ("soundex('')", ""),
    ]);
}

#[test]
fn normalize_follows_the_reference() {
    check(&[
        ("normalize('\u{ea}') = normalize('e\u{302}')", "true"),
        ("normalize('Raha\u{2004}Mahan', 'NFKC')", "Raha Mahan"),
        ("normalize_and_casefold('The red barn') = normalize_and_casefold('The Red Barn')", "true"),
        ("normalize_and_casefold('\u{2168}', 'NFKC')", "ix"),
        ("normalize('a', 'XX')", "Err: XX is not a valid normalization mode: NFC, NFKC, NFD, NFKD"),
    ]);
}
