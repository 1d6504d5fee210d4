//! Tests of templates and suffixes.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::decode::attributes::ValidAttributes;

const TIME: &str = "2026-01-02T23:59:59.999Z";

fn template(text: &str) -> Result<SuffixTemplate, BadTemplate> {
    SuffixTemplate::parse(text, &ValidAttributes::parse("user_id,a,b,date_of").unwrap(), "pixel")
}

fn render(text: &str, values: [&str; 2]) -> String {
    let template = SuffixTemplate::parse(text, &ValidAttributes::parse("a,b").unwrap(), "pixel").unwrap();
    template.render(|index| Some(values[index]), TIME.parse().unwrap()).unwrap().to_string()
}

#[test]
fn an_object_id_is_not_encoded() {
    assert_eq!(render("_{a}_{date}", ["507f1f77bcf86cd799439011", ""]), "_507f1f77bcf86cd799439011_20260102");
}

#[test]
fn a_template_can_have_the_original_shape_or_no_field() {
    assert_eq!(render("_{a}_{date:%-m_%-d_%Y}", ["507f", ""]), "_507f_1_2_2026");
    assert_eq!(render("", ["507f", ""]), "");
    assert_eq!(render("_{date:%Y-W%V}", ["", ""]), "_2026__2dW01");
}

#[test]
fn a_day_has_eight_digits_at_any_time() {
    let day = |time: &str| template("_{date}").unwrap().render(|_| None, time.parse().unwrap()).unwrap().to_string();
    assert_eq!(day("-000009-03-04T00:00:00Z"), "_00090304");
    assert_eq!((day("0001-01-01T00:00:00Z"), day("9999-12-30T00:00:00Z")), ("_00010101".to_owned(), "_99991230".to_owned()));
}

#[test]
fn other_bytes_are_escaped_and_long_values_are_hashed() {
    assert_eq!(render("_{a}", ["bob@example.com", ""]), "_bob__40example__2ecom");
    assert_eq!(render("_{a}", ["é/../\0", ""]), "___c3__a9__2f__2e__2e__2f__00");
    let long = render("_{a}", [&"u".repeat(3000), ""]);
    assert_eq!(long.len(), 1 + 3 + 40);
    assert!(long.starts_with("___h"));
    assert_eq!(render("_{a}", [&"u".repeat(64), ""]), format!("_{}", "u".repeat(64)));
}

#[test]
fn a_value_that_looks_encoded_has_its_own_table() {
    assert_ne!(render("_{a}", ["a-b", ""]), render("_{a}", ["a__2db", ""]));
    let hashed = render("_{a}", [&"u".repeat(65), ""]);
    assert_ne!(hashed, render("_{a}", [&hashed[1..], ""]));
}

#[test]
fn fields_without_delimiters_carry_their_length() {
    assert_eq!(render("_{a}{b}", ["x", "yz"]), "_1_x2_yz");
    assert_eq!(render("_{a}{b}", ["xy", "z"]), "_2_xy1_z");
    assert_eq!(render("_{a}_{date}", ["x", ""]), "_x_20260102");
    assert_eq!(render("{a}{date}", ["x", ""]), "1_x8_20260102");
}

#[test]
fn a_suffix_matches_certainly_possibly_or_not() {
    let matches = |text: &str, suffix: &str| {
        let template = SuffixTemplate::parse(text, &ValidAttributes::parse("a,b").unwrap(), "pixel").unwrap();
        template.matches(suffix, |index| if index == 0 { vec!["507f".to_owned(), "a-hash".to_owned()] } else { Vec::new() })
    };
    for (template, suffix, expected) in [
        ("_{a}_{date}", "_507f_20260102", Match::Certain),
        ("_{a}_{date}", "_a__2dhash_20260102", Match::Certain),
        ("_{a}_{date}", "_507f__2d2_20260102", Match::None),
        ("_{a}_{date}", "_507f_2026010", Match::None),
        ("_{a}_{date:%Y}", "_507f_2026", Match::Possible),
        ("_{a}_{b}_{date}", "_507f_x_20260102", Match::Possible),
        ("_{a}_{b}_{date}", "_507f_x_2026010", Match::None),
        ("{a}{date}", "4_507f8_20260102", Match::Certain),
        ("_{date}", "_20260102", Match::Possible),
        ("", "", Match::Possible),
        ("", "_x", Match::None),
    ] {
        assert_eq!(matches(template, suffix), expected, "{template} {suffix}");
    }
}

#[test]
fn an_absent_or_empty_attribute_is_named() {
    let template = template("_{user_id}_{b}").unwrap();
    let time: Timestamp = TIME.parse().unwrap();
    assert_eq!(template.render(|index| [Some("u"), None, None, None][index], time), Err(2));
    assert_eq!(template.render(|index| [Some(""), None, Some("b"), None][index], time), Err(0));
}

const ALL: [&str; 5] = ["{user_id}", "{a}", "{b}", "{date_of}", "{date}"];

/// The error for a field that is not known.
fn unknown(field: &str, known: &[&str]) -> BadTemplate {
    BadTemplate::UnknownField { field: field.to_owned(), known: known.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn a_bad_template_is_an_error_with_its_position() {
    for (text, expected) in [
        ("_{user_id", BadTemplate::Unclosed(2)),
        ("_user_id}", BadTemplate::Unopened(9)),
        ("-{user_id}", BadTemplate::BadLiteral("-".into())),
        ("_{session}", unknown("session", &ALL)),
        ("_{}", unknown("", &ALL)),
        ("_{User-Id}", unknown("User-Id", &["{user_id}"])),
        ("_{ DATE }", unknown(" DATE ", &["{date}"])),
        ("_{time:%Y}", unknown("time:%Y", &ALL)),
    ] {
        assert_eq!(template(text), Err(expected), "{text}");
    }
    for (format, right) in [
        ("YYYYMMDD", "{date:%Y%m%d}"),
        ("yyyy-MM-dd", "{date:%Y-%m-%d}"),
        ("%Y-MM", "{date:%Y-%m}"),
        ("YYYY_DD", "{date:%Y_%d}"),
        ("day", "{date:%Y%m%d}"),
        ("%%", "{date:%Y%m%d}"),
    ] {
        let error = template(&format!("_{{date:{format}}}")).unwrap_err().to_string();
        assert!(error.ends_with(right), "{format}: {error}");
    }
    for format in ["%Y%m%d", "%G-W%V", "Q%q", "d%j", "%Y_%m"] {
        assert!(template(&format!("_{{date:{format}}}")).is_ok(), "{format}");
    }
    assert!(matches!(template("_{date:%!}"), Err(BadTemplate::BadDate { .. })));
    assert!(matches!(template("_{date:}"), Err(BadTemplate::BadDate { .. })));
    assert!(matches!(template(&"{a}_".repeat(20)), Err(BadTemplate::TooLong(_))));
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c_0-2]{1,4}",
        "[_]{1,4}[0-9a-f]{0,3}",
        "(__|__h|_)?[0-9a-f_]{1,6}",
        "[0-9]{1,2}_[a-b]{1,3}",
        ".{1,5}",
        "[a-z0-9]{60,70}",
        "[_-]{15,25}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Both values are drawn from a few characters, so that near collisions are common.
    #[test]
    fn different_combinations_never_share_a_table(
        (a, b, c, d) in (value(), value(), value(), value()),
        template in proptest::sample::select(vec![
            "_{a}_{b}", "{a}{b}", "_{a}__{b}", "{a}_x{b}", "{a}x{b}", "_{a}_{date}_{b}", "{a}{date}{b}", "_{b}{a}_",
            "_{a}_{date:_%Y}_{b}", "_{a}_2_{b}", "{a}_{date:%-m_%-d_%Y}_{b}", "{date}{a}_{b}", "_{a}___{b}__",
        ]),
    ) {
        let one = render(template, [&a, &b]);
        let two = render(template, [&c, &d]);
        prop_assert_eq!(one == two, (&a, &b) == (&c, &d), "{} {}", one, two);
        prop_assert!(one.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()), "{}", one);
        prop_assert!(one.len() + "pixel".len() <= 1024);
    }

    /// The same again with the halves of one text, cut at two places.
    #[test]
    fn moving_text_between_values_changes_the_table(text in "[ab_0-2-]{2,10}", i in 1usize..10, j in 1usize..10) {
        let (i, j) = (i % (text.len() - 1) + 1, j % (text.len() - 1) + 1);
        for template in ["_{a}_{b}", "{a}{b}", "{a}__{b}", "{a}x_{b}"] {
            let at = |cut: usize| render(template, [&text[..cut], &text[cut..]]);
            prop_assert_eq!(at(i) == at(j), i == j, "{} {} {}", template, at(i), at(j));
        }
    }
}
