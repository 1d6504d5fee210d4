//! EDIT_DISTANCE and SOUNDEX.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Int64, Text};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "edit_distance",
            vec![
                Overload::binary::<Text, Text, Int64, _>(|a, b| {
                    levenshtein(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
                }),
                Overload::binary::<Bytes, Bytes, Int64, _>(levenshtein),
            ],
        ),
        scalar("soundex", vec![Overload::unary::<Text, Text, _>(soundex)]),
    ]
}

/// Returns the Levenshtein distance: the number of insertions, deletions and substitutions.
fn levenshtein<T: PartialEq>(a: &[T], b: &[T]) -> i64 {
    let mut row: Vec<i64> = (0..=b.len() as i64).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i as i64 + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + i64::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Returns the Soundex code: the first letter, and three digits for the following consonants.
fn soundex(text: &str) -> String {
    let mut letters = text.bytes().filter(u8::is_ascii_alphabetic);
    let Some(first) = letters.next() else { return String::new() };
    let mut code = String::from(char::from(first.to_ascii_uppercase()));
    let mut last = sound(first);
    for letter in letters {
        let sound = sound(letter);
        match sound {
            Sound::Digit(digit) if sound != last && code.len() < 4 => code.push(digit),
            // H and W do not separate equal sounds.
            Sound::Silent => continue,
            Sound::Digit(_) | Sound::Vowel => {}
        }
        last = sound;
    }
    format!("{code:0<4}")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sound {
    Digit(char),
    Vowel,
    Silent,
}

fn sound(letter: u8) -> Sound {
    match letter.to_ascii_lowercase() {
        b'b' | b'f' | b'p' | b'v' => Sound::Digit('1'),
        b'c' | b'g' | b'j' | b'k' | b'q' | b's' | b'x' | b'z' => Sound::Digit('2'),
        b'd' | b't' => Sound::Digit('3'),
        b'l' => Sound::Digit('4'),
        b'm' | b'n' => Sound::Digit('5'),
        b'r' => Sound::Digit('6'),
        b'h' | b'w' => Sound::Silent,
        _ => Sound::Vowel,
    }
}
