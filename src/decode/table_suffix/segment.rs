//! Whether a suffix consists of certain segments.

/// What is known of a part of a suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// One of these.
    Text(Vec<String>),
    /// Eight digits, after this text.
    Day(&'static str),
    /// At least one character.
    Any,
}

/// Whether the text is a sequence of the segments.
pub(super) fn matches(text: &str, segments: &[Segment]) -> bool {
    matches_counting(text, segments, &mut 0)
}

/// Keeps the set of positions at which the next segment can begin. Each segment looks at each position at most once, so
/// the time is linear in the text, whatever its characters are.
fn matches_counting(text: &str, segments: &[Segment], steps: &mut usize) -> bool {
    let mut starts = vec![false; text.len() + 1];
    starts[0] = true;
    for segment in segments {
        let mut ends = vec![false; text.len() + 1];
        for start in 0..=text.len() {
            *steps += 1;
            if !starts[start] {
                continue;
            }
            let rest = &text[start..];
            match segment {
                Segment::Text(texts) => {
                    for prefix in texts.iter().filter(|prefix| rest.starts_with(prefix.as_str())) {
                        ends[start + prefix.len()] = true;
                    }
                }
                Segment::Day(before) => {
                    let day = rest.strip_prefix(before).and_then(|rest| rest.as_bytes().get(..8));
                    if day.is_some_and(|day| day.iter().all(u8::is_ascii_digit)) {
                        ends[start + before.len() + 8] = true;
                    }
                }
                // Of several starts, the first has the ends of all others.
                Segment::Any => {
                    for (end, is_end) in ends.iter_mut().enumerate().skip(start + 1) {
                        *steps += 1;
                        *is_end = text.is_char_boundary(end);
                    }
                    break;
                }
            }
        }
        starts = ends;
    }
    starts[text.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, which tries each end of each segment. It takes a time polynomial in the text.
    fn matches_by_definition(text: &str, segments: &[Segment]) -> bool {
        match segments {
            [] => text.is_empty(),
            [Segment::Text(texts), rest @ ..] => {
                texts.iter().any(|prefix| text.strip_prefix(prefix.as_str()).is_some_and(|text| matches_by_definition(text, rest)))
            }
            [Segment::Day(before), rest @ ..] => text
                .strip_prefix(before)
                .and_then(|text| text.split_at_checked(8))
                .is_some_and(|(day, text)| day.bytes().all(|byte| byte.is_ascii_digit()) && matches_by_definition(text, rest)),
            [Segment::Any, rest @ ..] => {
                (1..=text.len()).any(|end| text.is_char_boundary(end) && matches_by_definition(&text[end..], rest))
            }
        }
    }

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            proptest::collection::vec("[ab_]{0,2}", 1..3).prop_map(Segment::Text),
            "(é|_)".prop_map(|text| Segment::Text(vec![text])),
            Just(Segment::Day("")),
            Just(Segment::Day("8_")),
            Just(Segment::Any),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn all_results_are_those_of_the_definition(
            parts in proptest::collection::vec("([ab_]{0,2}|é|[0-9]{8}|8_20260102|[0-9]{7})", 0..5),
            segments in proptest::collection::vec(segment(), 0..6),
        ) {
            let text = parts.concat();
            prop_assert_eq!(matches(&text, &segments), matches_by_definition(&text, &segments), "{} {:?}", text, segments);
        }
    }

    #[test]
    fn the_steps_are_linear_in_the_length() {
        // Four unknown fields and an end that does not match: the definition takes 7,000,000 steps.
        let delimiter = || Segment::Text(vec!["_".to_owned()]);
        let segments: Vec<Segment> =
            (0..4).flat_map(|_| [delimiter(), Segment::Any]).chain([Segment::Text(vec!["x".to_owned()])]).collect();
        for length in [201, 402, 804] {
            let mut steps = 0;
            assert!(!matches_counting(&"_".repeat(length), &segments, &mut steps));
            assert!(steps <= 2 * segments.len() * (length + 1), "{steps} for {length} characters");
        }
    }
}
