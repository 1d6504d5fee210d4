//! Which generated table a row belongs to: the `templateSuffix` of its `insertAll`.
//!
//! TABLE_SUFFIX is a template such as `_{user_id}_{date}`. Parameter values come from a public URL
//! and BigQuery takes nothing but `[A-Za-z0-9_]`, so they are encoded, and so that **two different
//! combinations of values never share a table**:
//!
//! 1. ASCII letters and digits stay. Every other byte of the UTF-8 becomes `__` and two
//!    hexadecimal digits: `a-b` is `a__2db`, and `a__2db` is `a__5f__5f2db`.
//! 2. What is longer than 64 characters by then becomes `__h` and 40 hexadecimal digits of the
//!    value's SHA-256. (`h` is no hexadecimal digit, so no shorter value looks like it.)
//! 3. In a template that does not part its fields (one is followed neither by the end nor by a
//!    single `_`, as in `{a}{b}`), each field is preceded by its length and a `_`.
//!
//! Read from the left, such a name can be taken apart in only one way. In a template that parts
//! its fields, a single `_` ends a value, since a value has them in pairs only; three in a row
//! are a `_` that parts and the `__` that begins the next value. Otherwise the lengths say it.
//! The row's column keeps the true value.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use sha2::{Digest, Sha256};

use super::attributes::ValidAttributes;
use super::event_id::hex;

/// Longest encoded value that stays readable.
const LONGEST_FIELD: usize = 64;
/// Length and `_` before a field of a template that does not part its fields.
const LENGTH_PREFIX: usize = 3;

/// What follows the template table's name. Only letters, digits and `_`; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableSuffix(String);

impl TableSuffix {
    /// The template table itself.
    pub fn none() -> Self {
        Self(String::new())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A parsed TABLE_SUFFIX.
#[derive(Debug, Clone, PartialEq)]
pub struct SuffixTemplate {
    pieces: Vec<Piece>,
    parts_its_fields: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    /// Position in VALID_ATTRIBUTES.
    Attribute(usize),
    /// `%Y%m%d`, written by hand because it is the default and in every event's way.
    Day,
    Date(String),
}

/// Whether a suffix is that of certain values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resemblance {
    None,
    /// Other values may have it, too: `_{user_id}_{date:%Y}` says of `_a_2026` no more than that.
    Possible,
    /// No other value has it.
    Certain,
}

/// What is known of a piece of a suffix.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// One of these.
    Text(Vec<String>),
    /// Eight digits, after this.
    Day(&'static str),
    Nothing,
}

fn matches(text: &str, pieces: &[Known]) -> bool {
    match pieces {
        [] => text.is_empty(),
        [Known::Text(pieces), rest @ ..] => {
            pieces.iter().any(|piece| text.strip_prefix(piece.as_str()).is_some_and(|text| matches(text, rest)))
        }
        [Known::Day(before), rest @ ..] => text
            .strip_prefix(before)
            .and_then(|text| text.split_at_checked(8))
            .is_some_and(|(day, text)| day.bytes().all(|byte| byte.is_ascii_digit()) && matches(text, rest)),
        // What it cannot be is empty. Templates are short, and so are names.
        [Known::Nothing, rest @ ..] => (1..=text.len()).any(|end| text.is_char_boundary(end) && matches(&text[end..], rest)),
    }
}

/// Why a text is no template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadTemplate {
    #[error("{{ at character {0} is never closed")]
    Unclosed(usize),
    #[error("}} at character {0} closes nothing")]
    Unopened(usize),
    #[error("{0:?} is not allowed between the fields: BigQuery takes letters, digits and _ in a table's suffix")]
    BadLiteral(String),
    #[error("{{{0}}} is neither an attribute of VALID_ATTRIBUTES nor date nor date:FORMAT")]
    UnknownField(String),
    #[error("{{date:{format}}} is not a strftime format: {problem}")]
    BadDate { format: String, problem: String },
    #[error("it can grow to {0} characters, and BigQuery takes 1024 for TABLE_NAME and suffix together")]
    TooLong(usize),
}

impl SuffixTemplate {
    /// Parses a template over `attributes`; `table_name` is what its results will follow.
    pub fn parse(template: &str, attributes: &ValidAttributes, table_name: &str) -> Result<Self, BadTemplate> {
        let mut pieces = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            let at = template.len() - rest.len();
            if let Some(after_brace) = rest.strip_prefix('{') {
                let (field, after) = after_brace.split_once('}').ok_or(BadTemplate::Unclosed(at + 1))?;
                pieces.push(parse_field(field, attributes)?);
                rest = after;
            } else {
                let end = rest.find(['{', '}']).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                if after.starts_with('}') {
                    return Err(BadTemplate::Unopened(at + end + 1));
                }
                if !literal.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                    return Err(BadTemplate::BadLiteral(literal.to_owned()));
                }
                pieces.push(Piece::Literal(literal.to_owned()));
                rest = after;
            }
        }
        let longest = table_name.len() + pieces.iter().map(Piece::longest).sum::<usize>();
        if longest > 1024 {
            return Err(BadTemplate::TooLong(longest));
        }
        let parts_its_fields = (0..pieces.len()).all(|at| is_parted(&pieces[at..]));
        Ok(Self { pieces, parts_its_fields })
    }

    /// The positions of the attributes that it names.
    pub fn attributes(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Attribute(position) => Some(*position),
            Piece::Literal(_) | Piece::Day | Piece::Date(_) => None,
        })
    }

    /// The suffix of an event, or the position of the first attribute that it lacks. An empty
    /// value counts as lacking, as it did in the original function.
    pub fn render<'v>(&self, value: impl Fn(usize) -> Option<&'v str>, time: Timestamp) -> Result<TableSuffix, usize> {
        let mut suffix = String::with_capacity(48);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => suffix.push_str(literal),
                Piece::Attribute(index) => {
                    let value = value(*index).filter(|value| !value.is_empty()).ok_or(*index)?;
                    self.push_field(&mut suffix, |field| encode(value, false, field));
                }
                Piece::Day => self.push_field(&mut suffix, |field| push_day(time, field)),
                Piece::Date(format) => {
                    let text = strftime(format, time).unwrap_or_default();
                    self.push_field(&mut suffix, |field| encode(&text, true, field));
                }
            }
        }
        Ok(TableSuffix(suffix))
    }

    /// Reads a suffix as one of an event with one of these values, by position; where there are none, it may be any.
    pub fn resembles(&self, suffix: &str, values: impl Fn(usize) -> Vec<String>) -> Resemblance {
        let mut known = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            known.push(match piece {
                Piece::Literal(literal) => Known::Text(vec![literal.clone()]),
                Piece::Attribute(index) => {
                    let field = |value: String| {
                        let mut text = String::new();
                        self.push_field(&mut text, |field| encode(&value, false, field));
                        text
                    };
                    let fields: Vec<String> = values(*index).into_iter().map(field).collect();
                    if fields.is_empty() { Known::Nothing } else { Known::Text(fields) }
                }
                Piece::Day => Known::Day(if self.parts_its_fields { "" } else { "8_" }),
                Piece::Date(_) => Known::Nothing,
            });
        }
        if !matches(suffix, &known) {
            return Resemblance::None;
        }
        let names_a_value = self.attributes().any(|index| !values(index).is_empty());
        if names_a_value && !known.contains(&Known::Nothing) { Resemblance::Certain } else { Resemblance::Possible }
    }

    fn push_field(&self, suffix: &mut String, write: impl FnOnce(&mut String)) {
        let start = suffix.len();
        write(suffix);
        if !self.parts_its_fields {
            let length = suffix.len() - start;
            suffix.insert_str(start, &format!("{length}_"));
        }
    }
}

impl Piece {
    fn longest(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Day => 8 + LENGTH_PREFIX,
            Self::Attribute(_) | Self::Date(_) => LONGEST_FIELD + LENGTH_PREFIX,
        }
    }
}

fn parse_field(field: &str, attributes: &ValidAttributes) -> Result<Piece, BadTemplate> {
    match field.split_once(':') {
        None if field == "date" => Ok(Piece::Day),
        Some(("date", format)) => match strftime(format, Timestamp::UNIX_EPOCH) {
            Ok(text) if text.is_empty() => Err(BadTemplate::BadDate { format: format.to_owned(), problem: "it is empty".to_owned() }),
            Ok(_) => Ok(Piece::Date(format.to_owned())),
            Err(error) => Err(BadTemplate::BadDate { format: format.to_owned(), problem: error.to_string() }),
        },
        _ => attributes.position(field).map(Piece::Attribute).ok_or_else(|| BadTemplate::UnknownField(field.to_owned())),
    }
}

/// Whether the end of the first piece can be told from what follows it.
fn is_parted(pieces: &[Piece]) -> bool {
    let begins_with_underscore = |piece: &Piece| match piece {
        Piece::Literal(literal) => literal.starts_with('_'),
        Piece::Date(format) => strftime(format, Timestamp::UNIX_EPOCH).is_ok_and(|text| text.starts_with('_')),
        Piece::Attribute(_) | Piece::Day => false,
    };
    match pieces {
        [Piece::Literal(_), ..] | [_] | [] => true,
        [_, Piece::Literal(literal), after @ ..] => match literal.as_bytes() {
            [b'_'] => !after.first().is_some_and(begins_with_underscore),
            [b'_', second, ..] => *second != b'_',
            _ => false,
        },
        _ => false,
    }
}

fn strftime(format: &str, time: Timestamp) -> Result<String, jiff::Error> {
    strtime::format(format, &time.to_zoned(TimeZone::UTC))
}

fn push_day(time: Timestamp, out: &mut String) {
    let date = Offset::UTC.to_datetime(time);
    // No event has a year before 1; but a `-` would be no suffix.
    let [year, month, day] = [date.year(), date.month().into(), date.day().into()].map(|part| u32::from(part.unsigned_abs()));
    out.push_str(&format!("{:08}", year * 10_000 + month * 100 + day));
}

/// Rules 1 and 2. A date keeps single underscores: its format decides them, not a stranger.
fn encode(value: &str, keep_underscore: bool, out: &mut String) {
    let start = out.len();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || (keep_underscore && byte == b'_') {
            out.push(byte as char);
        } else {
            out.push_str("__");
            out.extend(hex(byte).map(char::from));
        }
        if out.len() - start > LONGEST_FIELD {
            out.truncate(start);
            out.push_str("__h");
            out.extend(Sha256::digest(value)[..20].iter().flat_map(|byte| hex(*byte)).map(char::from));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TIME: &str = "2026-01-02T23:59:59.999Z";

    fn template(text: &str) -> Result<SuffixTemplate, BadTemplate> {
        SuffixTemplate::parse(text, &ValidAttributes::parse("user_id,a,b,date_of").unwrap(), "pixel")
    }

    fn render(text: &str, values: [&str; 2]) -> String {
        let template = SuffixTemplate::parse(text, &ValidAttributes::parse("a,b").unwrap(), "pixel").unwrap();
        template.render(|index| Some(values[index]), TIME.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn an_object_id_stays_as_it_is() {
        assert_eq!(render("_{a}_{date}", ["507f1f77bcf86cd799439011", ""]), "_507f1f77bcf86cd799439011_20260102");
    }

    #[test]
    fn the_originals_shape_and_the_single_table_can_be_said() {
        assert_eq!(render("_{a}_{date:%-m_%-d_%Y}", ["507f", ""]), "_507f_1_2_2026");
        assert_eq!(render("", ["507f", ""]), "");
        assert_eq!(render("_{date:%Y-W%V}", ["", ""]), "_2026__2dW01");
    }

    #[test]
    fn a_suffix_has_no_sign_whatever_the_time() {
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
    fn a_value_that_imitates_an_encoded_one_gets_a_table_of_its_own() {
        assert_ne!(render("_{a}", ["a-b", ""]), render("_{a}", ["a__2db", ""]));
        let hashed = render("_{a}", [&"u".repeat(65), ""]);
        assert_ne!(hashed, render("_{a}", [&hashed[1..], ""]));
    }

    #[test]
    fn fields_that_are_not_parted_carry_their_length() {
        assert_eq!(render("_{a}{b}", ["x", "yz"]), "_1_x2_yz");
        assert_eq!(render("_{a}{b}", ["xy", "z"]), "_2_xy1_z");
        assert_eq!(render("_{a}_{date}", ["x", ""]), "_x_20260102");
        assert_eq!(render("{a}{date}", ["x", ""]), "1_x8_20260102");
    }

    #[test]
    fn a_suffix_tells_whose_it_is_as_far_as_it_can() {
        let resembles = |text: &str, suffix: &str| {
            let template = SuffixTemplate::parse(text, &ValidAttributes::parse("a,b").unwrap(), "pixel").unwrap();
            template.resembles(suffix, |index| if index == 0 { vec!["507f".to_owned(), "a-hash".to_owned()] } else { Vec::new() })
        };
        for (template, suffix, expected) in [
            ("_{a}_{date}", "_507f_20260102", Resemblance::Certain),
            ("_{a}_{date}", "_a__2dhash_20260102", Resemblance::Certain),
            ("_{a}_{date}", "_507f__2d2_20260102", Resemblance::None),
            ("_{a}_{date}", "_507f_2026010", Resemblance::None),
            ("_{a}_{date:%Y}", "_507f_2026", Resemblance::Possible),
            ("_{a}_{b}_{date}", "_507f_x_20260102", Resemblance::Possible),
            ("_{a}_{b}_{date}", "_507f_x_2026010", Resemblance::None),
            ("{a}{date}", "4_507f8_20260102", Resemblance::Certain),
            ("_{date}", "_20260102", Resemblance::Possible),
            ("", "", Resemblance::Possible),
            ("", "_x", Resemblance::None),
        ] {
            assert_eq!(resembles(template, suffix), expected, "{template} {suffix}");
        }
    }

    #[test]
    fn an_absent_or_empty_attribute_is_named() {
        let template = template("_{user_id}_{b}").unwrap();
        let time: Timestamp = TIME.parse().unwrap();
        assert_eq!(template.render(|index| [Some("u"), None, None, None][index], time), Err(2));
        assert_eq!(template.render(|index| [Some(""), None, Some("b"), None][index], time), Err(0));
    }

    #[test]
    fn a_bad_template_says_what_is_wrong_and_where() {
        for (text, expected) in [
            ("_{user_id", BadTemplate::Unclosed(2)),
            ("_user_id}", BadTemplate::Unopened(9)),
            ("-{user_id}", BadTemplate::BadLiteral("-".into())),
            ("_{session}", BadTemplate::UnknownField("session".into())),
            ("_{}", BadTemplate::UnknownField(String::new())),
            ("_{time:%Y}", BadTemplate::UnknownField("time:%Y".into())),
        ] {
            assert_eq!(template(text), Err(expected), "{text}");
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
        fn moving_the_cut_between_two_values_moves_the_table(text in "[ab_0-2-]{2,10}", i in 1usize..10, j in 1usize..10) {
            let (i, j) = (i % (text.len() - 1) + 1, j % (text.len() - 1) + 1);
            for template in ["_{a}_{b}", "{a}{b}", "{a}__{b}", "{a}x_{b}"] {
                let at = |cut: usize| render(template, [&text[..cut], &text[cut..]]);
                prop_assert_eq!(at(i) == at(j), i == j, "{} {} {}", template, at(i), at(j));
            }
        }
    }
}
