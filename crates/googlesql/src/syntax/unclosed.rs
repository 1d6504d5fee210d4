//! Finds a string literal, quoted identifier or comment that is not closed, before the tokenizer runs.
//!
//! The tokenizer reports another place, and it accepts line breaks in all literals.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>.

use std::iter::Peekable;
use std::str::Chars;

use datafusion::sql::sqlparser::tokenizer::Location;

use crate::error::QueryError;
use crate::error_location::location_suffix;

/// Fails if a literal, a quoted identifier or a comment has no end.
pub(super) fn check_closed(sql: &str) -> Result<(), QueryError> {
    let mut reader = Reader { letters: sql.chars().peekable(), line: 1, column: 1 };
    while let Some(letter) = reader.letters.peek().copied() {
        let start = Location { line: reader.line, column: reader.column };
        let unclosed = match letter {
            '#' => reader.skip_line(),
            '`' => (!reader.skip_quoted('`')).then(|| "identifier literal".to_owned()),
            '\'' | '"' => reader.skip_string(letter, ""),
            letter if is_word(letter) => reader.skip_word(),
            _ => reader.skip_symbol(),
        };
        if let Some(kind) = unclosed {
            return Err(QueryError::Invalid(format!("Syntax error: Unclosed {kind}{}", location_suffix(start))));
        }
    }
    Ok(())
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The rest of the text, and its location. The functions that return a text return the kind of an unclosed token.
struct Reader<'s> {
    letters: Peekable<Chars<'s>>,
    line: u64,
    column: u64,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.letters.next()?;
        match letter {
            '\n' => (self.line, self.column) = (self.line + 1, 1),
            _ => self.column += 1,
        }
        Some(letter)
    }

    fn next_if(&mut self, expected: char) -> bool {
        self.letters.peek() == Some(&expected) && self.next().is_some()
    }

    fn skip_line(&mut self) -> Option<String> {
        while self.next().is_some_and(|letter| letter != '\n') {}
        None
    }

    /// Skips a symbol or a comment.
    fn skip_symbol(&mut self) -> Option<String> {
        match self.next()? {
            '-' if self.next_if('-') => self.skip_line(),
            '/' if self.next_if('*') => {
                let mut before = ' ';
                while let Some(letter) = self.next() {
                    if before == '*' && letter == '/' {
                        return None;
                    }
                    before = letter;
                }
                Some("comment".to_owned())
            }
            _ => None,
        }
    }

    /// Skips a word, or a string literal with the word as its prefix.
    fn skip_word(&mut self) -> Option<String> {
        let mut word = String::new();
        while let Some(letter) = self.letters.peek().copied().filter(|letter| is_word(*letter)) {
            word.push(letter.to_ascii_lowercase());
            self.next();
        }
        let quote = self.letters.peek().copied().filter(|letter| ['\'', '"'].contains(letter))?;
        match word.as_str() {
            "r" => self.skip_string(quote, "raw "),
            "b" => self.skip_string(quote, "bytes "),
            "rb" | "br" => self.skip_string(quote, "raw bytes "),
            _ => None,
        }
    }

    fn skip_string(&mut self, quote: char, prefix: &str) -> Option<String> {
        let noun = if prefix.contains("bytes") { "literal" } else { "string literal" };
        let mut ahead = self.letters.clone();
        if ahead.by_ref().take(3).filter(|letter| *letter == quote).count() < 3 {
            return (!self.skip_quoted(quote)).then(|| format!("{prefix}{noun}"));
        }
        for _ in 0..3 {
            self.next();
        }
        let mut quotes = 0;
        while let Some(letter) = self.next() {
            quotes = if letter == quote { quotes + 1 } else { 0 };
            if quotes == 3 {
                return None;
            }
            if letter == '\\' {
                self.next();
            }
        }
        Some(format!("triple-quoted {prefix}{noun}"))
    }

    /// Whether the quoted text ends on its line.
    fn skip_quoted(&mut self, quote: char) -> bool {
        self.next();
        while let Some(letter) = self.next() {
            match letter {
                '\\' => drop(self.next()),
                '\n' => return false,
                letter if letter == quote => return true,
                _ => {}
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str) -> String {
        check_closed(sql).map_or_else(|error| error.to_string(), |()| "closed".to_owned())
    }

    #[test]
    fn unclosed_tokens_are_reported_at_their_start() {
        for (sql, expected) in [
            ("SELECT 'abc", "Unclosed string literal at [1:8]"),
            ("SELECT 'ü', \"abc\nFROM t\"", "Unclosed string literal at [1:13]"),
            ("SELECT 1,\n\t'it\\'s", "Unclosed string literal at [2:2]"),
            ("SELECT '''a'\n''", "Unclosed triple-quoted string literal at [1:8]"),
            ("SELECT r'a\\'", "Unclosed raw string literal at [1:8]"),
            ("SELECT B\"a", "Unclosed bytes literal at [1:8]"),
            ("SELECT rb\"\"\"a\"", "Unclosed triple-quoted raw bytes literal at [1:8]"),
            ("SELECT 1 /* 'a' **", "Unclosed comment at [1:10]"),
            ("SELECT 1 FROM `d.t", "Unclosed identifier literal at [1:15]"),
            ("SELECT 'it's'", "Unclosed string literal at [1:13]"),
        ] {
            assert_eq!(check(sql), format!("Syntax error: {expected}"), "{sql}");
        }
    }

    #[test]
    fn quotes_in_comments_and_other_quotes_are_not_unclosed() {
        for sql in [
            "SELECT 1 -- it's\n, 'a' # it's",
            "SELECT \"it's\", 'a\\'b', '', \"\", '\\\\'",
            "SELECT '''it's\n''', r'a\\'b', rb\"\"\"x\n\"y\"\"\"",
            "SELECT /* it's ` */ `a'b`, 1 / 2 - 1",
        ] {
            assert_eq!(check(sql), "closed", "{sql}");
        }
    }
}
