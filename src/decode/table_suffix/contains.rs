//! Whether a table's name contains a value, whatever template made it.

use super::encode;

/// Whether the value is a field of the name: between delimiters, or after its length (rule 3 of [`super`]).
pub fn contains_value(table: &str, value: &str) -> bool {
    let mut field = String::new();
    encode::push_value(value, &mut field);
    let is_field = |start: usize| {
        let (before, after) = (&table[..start], &table[start + field.len()..]);
        // Underscores in pairs belong to an encoded character.
        let ends_value = |underscores: usize, is_end: bool| is_end || underscores % 2 == 1;
        let before_count = before.len() - before.trim_end_matches('_').len();
        let after_count = after.len() - after.trim_start_matches('_').len();
        let follows_length = before.ends_with(&format!("{}_", field.len()));
        ends_value(before_count, before.is_empty()) && (follows_length || ends_value(after_count, after.is_empty()))
    };
    !field.is_empty() && table.match_indices(&field).any(|(start, _)| is_field(start))
}

#[cfg(test)]
mod tests {
    use super::contains_value;

    #[test]
    fn a_value_is_found_only_as_a_whole_field() {
        for (table, value, expected) in [
            ("pixel_bob_20260102", "bob", true),
            ("pixel_click_bob", "bob", true),
            ("pixel_3_bobx1_a", "bob", true),
            ("pixel_a__2db_2026", "a-b", true),
            ("bob", "bob", true),
            ("pixel_bob__2d2_20260102", "bob", false),
            ("pixel_a__2dbob_20260102", "bob", false),
            ("pixel_bobby_20260102", "bob", false),
            ("pixel_1bob_20260102", "bob", false),
            ("pixel_20260102", "2026", false),
            ("pixel", "", false),
        ] {
            assert_eq!(contains_value(table, value), expected, "{table} {value}");
        }
    }
}
