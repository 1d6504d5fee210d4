//! The allow-list of URL parameters, and their values in a query.
//!
//! The query is read by the rules of `application/x-www-form-urlencoded`
//! (<https://url.spec.whatwg.org/#urlencoded-parsing>): `+` is a space, bad UTF-8 becomes U+FFFD,
//! `;` does not separate. Parameters that are not on the list are dropped here, and their names are noted.
//!
//! A URL that was escaped for HTML once too often has `&amp;` for `&`, so that its parameters are called `amp;NAME`. No
//! program means such a name. It is read as NAME if NAME is on the list and is not in the query itself.

use std::borrow::Cow;

use url::form_urlencoded;

use super::column_name::{is_column_name, is_same_name};
use super::list::{self, EmptyItem};
use super::notes::Notes;

/// The names of VALID_ATTRIBUTES: the parameters that can become columns of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidAttributes(Vec<String>);

/// Names that cannot be on the list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadAttributes {
    #[error(transparent)]
    EmptyItem(#[from] EmptyItem),
    #[error("{} cannot be a column's name: https://cloud.google.com/bigquery/docs/schemas#flexible-column-names", .0.join(", "))]
    NotAName(Vec<String>),
    #[error("{} is listed twice (BigQuery compares names without regard to case)", .0.join(", "))]
    Twice(Vec<String>),
}

impl ValidAttributes {
    /// Reads names separated by commas.
    pub fn parse(list: &str) -> Result<Self, BadAttributes> {
        let mut names: Vec<String> = Vec::new();
        let (mut bad, mut twice) = (Vec::new(), Vec::new());
        for name in list::items(list)? {
            if !is_column_name(name) {
                bad.push(name.to_owned());
            } else if names.iter().any(|other| is_same_name(other, name)) {
                twice.push(name.to_owned());
            } else {
                names.push(name.to_owned());
            }
        }
        match (bad.is_empty(), twice.is_empty()) {
            (false, _) => Err(BadAttributes::NotAName(bad)),
            (_, false) => Err(BadAttributes::Twice(twice)),
            _ => Ok(Self(names)),
        }
    }

    /// The names in the order in which they were given.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The position of a name on the list. The comparison is case-sensitive.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|valid| valid == name)
    }

    /// The attribute that a parameter of this name is a value of, and whether its name is escaped (`amp;NAME`).
    pub fn resolve(&self, name: &str) -> Option<(usize, bool)> {
        if let Some(index) = self.position(name) {
            return Some((index, false));
        }
        let unescaped = without_amp(name);
        // Most names are not escaped and need no second search.
        if unescaped.len() == name.len() { None } else { self.position(unescaped).map(|index| (index, true)) }
    }

    /// Reads a query. `repeated` tells whether all values of an attribute are kept, or only the first.
    pub fn read<'q>(&self, query: &'q str, repeated: impl Fn(usize) -> bool) -> Attributes<'q> {
        self.read_with_notes(query, repeated, &mut Notes::default())
    }

    /// Reads a query, and notes the names that are not on the list.
    pub(crate) fn read_with_notes<'q>(&self, query: &'q str, repeated: impl Fn(usize) -> bool, notes: &mut Notes) -> Attributes<'q> {
        let mut found = Attributes::new(self.0.len());
        // Rare, so it takes no memory otherwise.
        let mut escaped: Option<Attributes<'q>> = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { continue };
            match self.resolve(&name) {
                Some((index, false)) => found.push(index, value, repeated(index)),
                Some((index, true)) => {
                    notes.html_escaped = true;
                    escaped.get_or_insert_with(|| Attributes::new(self.0.len())).push(index, value, repeated(index));
                }
                None => {
                    let unescaped = without_amp(&name);
                    notes.html_escaped |= unescaped.len() < name.len();
                    notes.add_not_kept(unescaped, pair.contains('='));
                }
            }
        }
        if let Some(escaped) = escaped {
            found.add_absent(escaped);
        }
        found
    }
}

/// A parameter's name without the rest of an `&amp;` before it.
pub(super) fn without_amp(name: &str) -> &str {
    let mut rest = name;
    while let Some((_, after)) = rest.split_at_checked(4).filter(|(amp, _)| amp.eq_ignore_ascii_case("amp;")) {
        rest = after;
    }
    rest
}

/// Maximum number of second and later values: more than fit into the longest URL that a load balancer accepts. A value takes
/// many times as much memory as its text.
const MAX_FURTHER_VALUES: usize = 64 << 10;

/// The values of one query, by the attribute's position on the list.
#[derive(Debug)]
pub struct Attributes<'q> {
    first: Vec<Option<Cow<'q, str>>>,
    /// Second and later values of repeated columns. They are rare, so `first` has no space for them.
    further: Vec<(usize, Cow<'q, str>)>,
    has_too_many: bool,
}

impl<'q> Attributes<'q> {
    fn new(count: usize) -> Self {
        Self { first: vec![None; count], further: Vec::new(), has_too_many: false }
    }

    /// Whether values are missing, because the query has more than there is memory for.
    pub fn has_too_many(&self) -> bool {
        self.has_too_many
    }

    /// The first value: the value of a column that is not REPEATED.
    pub fn first(&self, index: usize) -> Option<&str> {
        self.first[index].as_deref()
    }

    fn push(&mut self, index: usize, value: Cow<'q, str>, repeated: bool) {
        match &self.first[index] {
            None => self.first[index] = Some(value),
            Some(_) if !repeated => {}
            Some(_) if self.further.len() < MAX_FURTHER_VALUES => self.further.push((index, value)),
            Some(_) => self.has_too_many = true,
        }
    }

    /// Adds the values of attributes that have none.
    fn add_absent(&mut self, other: Self) {
        let is_absent: Vec<bool> = self.first.iter().map(Option::is_none).collect();
        for (first, other) in self.first.iter_mut().zip(other.first) {
            *first = first.take().or(other);
        }
        self.further.extend(other.further.into_iter().filter(|(index, _)| is_absent[*index]));
        self.has_too_many |= other.has_too_many;
    }

    /// Replaces each value for which `with` returns another. Its arguments are position and value.
    pub fn replace(&mut self, mut with: impl FnMut(usize, &str) -> Option<String>) {
        let first = self.first.iter_mut().enumerate().filter_map(|(index, value)| Some((index, value.as_mut()?)));
        let further = self.further.iter_mut().map(|(index, value)| (*index, value));
        for (index, value) in first.chain(further) {
            if let Some(other) = with(index, value) {
                *value = other.into();
            }
        }
    }

    /// Every value, in the order of the query.
    pub fn all(&self, index: usize) -> impl Iterator<Item = &str> {
        let further = self.further.iter().filter(move |(of, _)| *of == index).map(|(_, value)| value.as_ref());
        self.first(index).into_iter().chain(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Vec<Option<String>> {
        let valid = ValidAttributes::parse("a,b").unwrap();
        let attributes = valid.read(query, |_| false);
        (0..2).map(|i| attributes.first(i).map(str::to_owned)).collect()
    }

    #[test]
    fn queries_are_read_as_form_urlencoded() {
        for (query, a, b) in [
            ("a=1&b=2", Some("1"), Some("2")),
            ("a=x+y%2Bz&b", Some("x y+z"), Some("")),
            ("a=%C3%A9&b=%FF%FE", Some("é"), Some("\u{fffd}\u{fffd}")),
            ("a=1;b=2", Some("1;b=2"), None),
            ("%61=1&b==&c=3", Some("1"), Some("=")),
            ("a=%&b=%2", Some("%"), Some("%2")),
            ("&&a=1&&", Some("1"), None),
            ("A=1&=2", None, None),
            ("a=1&a=2", Some("1"), None),
            ("a=%00", Some("\0"), None),
        ] {
            assert_eq!(read(query), [a.map(str::to_owned), b.map(str::to_owned)], "{query}");
        }
    }

    #[test]
    fn an_html_escaped_name_counts_if_the_plain_one_is_absent() {
        for (query, a, b) in [
            ("a=1&amp;b=2", Some("1"), Some("2")),
            ("a=1&AMP;b=2", Some("1"), Some("2")),
            ("a=1&amp;amp;b=2", Some("1"), Some("2")),
            ("a=1&amp%3Bb=2", Some("1"), Some("2")),
            ("amp;a=1&a=2", Some("2"), None),
            ("a=2&amp;a=1", Some("2"), None),
            ("a=&amp;a=1", Some(""), None),
            ("amp;a=1&amp;a=2", Some("1"), None),
            ("a=1&amp;=2&amp;c=3&amp=4&amp;", Some("1"), None),
            ("a=1&ampb=2&xamp;b=3", Some("1"), None),
        ] {
            assert_eq!(read(query), [a.map(str::to_owned), b.map(str::to_owned)], "{query}");
        }
        let valid = ValidAttributes::parse("a,b").unwrap();
        let all = |query| valid.read(query, |_| true).all(0).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all("amp;a=1&b=2&amp;a=3"), ["1", "3"]);
        assert_eq!(all("amp;a=1&a=2&amp;a=3"), ["2"]);
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let valid = ValidAttributes::parse("a,b").unwrap();
        for pair in ["a=1&", "amp;a=1&"] {
            for (count, has_too_many) in [(MAX_FURTHER_VALUES + 1, false), (MAX_FURTHER_VALUES + 2, true)] {
                let query = pair.repeat(count);
                let attributes = valid.read(&query, |index| index == 0);
                assert_eq!(attributes.has_too_many(), has_too_many, "{count} of {pair}");
                assert_eq!(attributes.all(0).count(), MAX_FURTHER_VALUES + 1);
                assert!(!valid.read(&query, |_| false).has_too_many(), "only the first value is kept");
            }
        }
    }

    #[test]
    fn dropped_and_escaped_names_are_noted() {
        let valid = ValidAttributes::parse("a,b").unwrap();
        let mut notes = Notes::default();
        valid.read_with_notes("a=1&utm_campaign=x&utm_campaign=y&A=1&b%5B%5D=3&bare&=4", |_| false, &mut notes);
        assert_eq!((notes.not_kept().collect(), notes.html_escaped), (vec!["utm_campaign", "A", "b[]"], false));
        for (query, not_kept) in [("a=1&amp;b=2", vec![]), ("a=1&amp;c=2&amp;amp;d=3&c=4", vec!["c", "d"])] {
            let mut notes = Notes::default();
            valid.read_with_notes(query, |_| false, &mut notes);
            assert_eq!((notes.not_kept().collect(), notes.html_escaped), (not_kept, true), "{query}");
        }
    }

    #[test]
    fn flexible_names_are_read_in_every_encoding() {
        let valid = ValidAttributes::parse("order-id, 1st ,a&b,order id,é,50%").unwrap();
        let query = "order%2Did=1&1st=2&a%26b=3&order+id=4&%C3%A9=5&50%25=6";
        let attributes = valid.read(query, |_| false);
        let values: Vec<Option<&str>> = (0..6).map(|index| attributes.first(index)).collect();
        assert_eq!(values, ["1", "2", "3", "4", "5", "6"].map(Some));
        assert_eq!(valid.read("order-id=1&a&b=3&order%20id=4", |_| false).first(0), Some("1"));
        assert_eq!(valid.read("a&b=3&order%20id=4", |_| false).first(2), None, "`&` separates");
    }

    #[test]
    fn a_repeated_column_gets_every_value() {
        let valid = ValidAttributes::parse("a,b").unwrap();
        let attributes = valid.read("a=1&b=x&a=2&b=y&a=3", |index| index == 0);
        assert_eq!(attributes.all(0).collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(attributes.all(1).collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn the_error_lists_every_bad_name() {
        assert_eq!(ValidAttributes::parse("a, b.c ,$x,d"), Err(BadAttributes::NotAName(vec!["b.c".into(), "$x".into()])));
        assert_eq!(ValidAttributes::parse("a,b,A,B,ü,Ü"), Err(BadAttributes::Twice(vec!["A".into(), "B".into(), "Ü".into()])));
        assert_eq!(ValidAttributes::parse(" a ,b").unwrap().names(), ["a", "b"]);
        assert_eq!(ValidAttributes::parse("a,,b"), Err(BadAttributes::EmptyItem(EmptyItem)));
    }
}
