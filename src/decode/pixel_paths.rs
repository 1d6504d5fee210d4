//! PIXEL_PATH: the paths that count as the pixel.
//!
//! A request's path and a path of the list are compared after percent-decoding, so that it does not matter which of them
//! is encoded and how: `/open pixel.png`, `/open%20pixel.png` and `/%6Fpen%20pixel.png` are one path. Case matters, as
//! for the objects of a bucket.

use url::Url;

use super::list::{self, EmptyItem};
use super::percent;

/// The list. An empty list accepts any path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PixelPaths(Vec<PixelPath>);

/// One path, or all paths with a common beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelPath {
    /// As in the list, `*` included.
    text: String,
    /// Decoded, without the `*`.
    bytes: Vec<u8>,
    is_prefix: bool,
}

/// Why a text is not a list of paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPaths {
    #[error(transparent)]
    EmptyItem(#[from] EmptyItem),
    #[error("it is empty: set it to a path such as /pixel.png, or to * for any path")]
    Empty,
    #[error("{0}")]
    NotPaths(String),
}

impl PixelPaths {
    /// Reads paths separated by commas. `*` is any path, and `*` at the end of a path is any rest.
    pub fn parse(list: &str) -> Result<Self, BadPaths> {
        let texts = list::items(list)?;
        if texts.is_empty() {
            return Err(BadPaths::Empty);
        }
        let (mut paths, mut problems) = (Vec::new(), Vec::new());
        for text in &texts {
            if *text == "*" {
                continue;
            }
            match PixelPath::parse(text) {
                Ok(path) => paths.push(path),
                Err(problem) => problems.push(problem),
            }
        }
        match problems.is_empty() {
            false => Err(BadPaths::NotPaths(problems.join("; "))),
            true if texts.contains(&"*") => Ok(Self::default()),
            true => Ok(Self(paths)),
        }
    }

    /// Whether any path counts.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths; none if any path counts.
    pub fn iter(&self) -> impl Iterator<Item = &PixelPath> {
        self.0.iter()
    }

    /// The paths as in the setting.
    pub fn texts(&self) -> Vec<String> {
        self.iter().map(|path| path.text.clone()).collect()
    }

    /// Whether a request's path, as the client sent it, counts.
    pub fn contains(&self, path: &str) -> bool {
        self.is_any() || {
            let path = percent::decode(path);
            self.0.iter().any(|of| if of.is_prefix { path.starts_with(&of.bytes) } else { *path == *of.bytes })
        }
    }

    /// A path that counts, as a browser sends it.
    pub fn example(&self) -> String {
        self.0.first().map_or_else(|| "/pixel.png".to_owned(), PixelPath::example)
    }
}

impl PixelPath {
    fn parse(text: &str) -> Result<Self, String> {
        let (path, is_prefix) = text.strip_suffix('*').map_or((text, false), |path| (path, true));
        let star = if is_prefix { "*" } else { "" };
        if path.contains('*') {
            return Err(format!("{text:?} has a * that is not at its end: use a path such as /t/*, or write %2A for the character *"));
        }
        let corrected = corrected(path);
        if !path.starts_with('/') || path.contains(['?', '#']) || percent::decode(path) != percent::decode(&corrected) {
            return Err(format!("{text:?} is not a path that a browser sends: use {corrected}{star}"));
        }
        Ok(Self { text: text.to_owned(), bytes: percent::decode(path).into_owned(), is_prefix })
    }

    /// As in the setting.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it stands for all paths with this beginning.
    pub fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    /// The bytes of the path, or of the beginning.
    pub fn decoded(&self) -> &[u8] {
        &self.bytes
    }

    fn example(&self) -> String {
        let name = if self.is_prefix { "pixel.png" } else { "" };
        corrected(&format!("{}{name}", self.text.trim_end_matches('*')))
    }
}

/// The path that a browser requests for a text: without host, query, fragment and dots, and percent-encoded.
fn corrected(text: &str) -> String {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => text,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let slash = if path.starts_with(['/', '\\']) { "" } else { "/" };
    Url::parse(&format!("https://host{slash}{path}")).map_or_else(|_| "/pixel.png".to_owned(), |url| url.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_in_every_encoding() {
        for (list, path, expected) in [
            ("/pixel.png", "/pixel.png", true),
            ("/pixel.png", "/%70ixel%2Epng", true),
            ("/pixel.png", "/Pixel.png", false),
            ("/pixel.png", "/pixel.png/", false),
            ("/pixel.png", "/a/pixel.png", false),
            ("/open pixel.png", "/open%20pixel.png", true),
            ("/open%20pixel.png", "/open pixel.png", true),
            ("/open pixel.png", "/open+pixel.png", false),
            ("/öffnen.png", "/%C3%B6ffnen.png", true),
            ("/%c3%b6ffnen.png", "/%C3%B6ffnen.png", true),
            ("/öffnen.png", "/öffnen.png", true),
            ("/a%zz", "/a%zz", true),
            ("/a%2Cb", "/a,b", true),
            ("/t/*", "/t/abc.gif", true),
            ("/t/*", "/t/a/b", true),
            ("/t/*", "/t/", true),
            ("/t/*", "/t", false),
            ("/t/*", "/%74/x", true),
            ("/t/*", "/T/x", false),
            ("/%C3%B6*", "/öff", true),
            ("/t/%2A", "/t/*", true),
            ("/t/%2A", "/t/x", false),
            ("/a.png, /t/* ", "/t/x", true),
            ("/a.png,/b.gif", "/b.gif", true),
            ("*", "/anything", true),
            ("/a.png,*", "/anything", true),
        ] {
            assert_eq!(PixelPaths::parse(list).unwrap().contains(path), expected, "{list} {path}");
        }
    }

    #[test]
    fn what_matches_no_path_is_refused_with_the_right_spelling() {
        for (list, right) in [
            ("pixel.png", "/pixel.png"),
            ("t/*", "/t/*"),
            ("https://track.example.com/pixel.png?x=1", "/pixel.png"),
            ("/pixel.png?user_id=1", "/pixel.png"),
            ("/pixel.png#top", "/pixel.png"),
            ("/a/../b.png", "/b.png"),
            ("/a/%2e%2e/b.png", "/b.png"),
            ("/./b.png", "/b.png"),
            ("/a\\b.png", "/a/b.png"),
            ("/a\tb.png", "/ab.png"),
            ("/t/*.gif", "/t/*"),
            ("/*/pixel.png", "%2A"),
            ("/ok.png,ko ko.png", "/ko%20ko.png"),
        ] {
            let error = PixelPaths::parse(list).unwrap_err().to_string();
            assert!(
                error.contains(&format!("use {right}"))
                    || error.contains(&format!("write {right}"))
                    || error.contains(&format!("as {right}")),
                "{list}: {error}"
            );
        }
        assert_eq!(PixelPaths::parse(" "), Err(BadPaths::Empty));
        assert_eq!(PixelPaths::parse("/a, ,/b"), Err(BadPaths::EmptyItem(EmptyItem)));
    }

    #[test]
    fn the_example_is_one_of_the_paths() {
        for (list, example) in [("/öffnen.png", "/%C3%B6ffnen.png"), ("/t/*", "/t/pixel.png"), ("*", "/pixel.png"), ("/a b,/c", "/a%20b")]
        {
            let paths = PixelPaths::parse(list).unwrap();
            assert_eq!(paths.example(), example);
            assert!(paths.contains(&paths.example()));
        }
    }
}
