//! Marks the location of an error below the query's line.

/// The line that a message ending in ` at [LINE:COLUMN]` refers to, with a caret below the column.
pub(crate) fn excerpt(sql: &str, message: &str) -> Option<String> {
    let (line, column) = location(message)?;
    let text = sql.lines().nth(line.checked_sub(1)?)?;
    // Tabs stay, so that the caret is right for every tab width.
    let indent = text.chars().chain(std::iter::repeat(' ')).take(column.checked_sub(1)?);
    let indent: String = indent.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let margin = " ".repeat(line.to_string().len());
    Some(format!("{margin} |\n{line} | {}\n{margin} | {indent}^\n", super::super::printable_lines(text)))
}

fn location(message: &str) -> Option<(usize, usize)> {
    let (_, position) = message.rsplit_once(" at [")?;
    let (line, rest) = position.split_once(':')?;
    let (column, _) = rest.split_once(']')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_location_is_marked() {
        let shown = excerpt("SELECT 1,\n\tfoo\nFROM t", "Unrecognized name: foo at [2:2]").unwrap();
        assert_eq!(shown, "  |\n2 | \tfoo\n  | \t^\n");
    }

    #[test]
    fn the_location_may_be_the_end_of_the_query() {
        assert_eq!(excerpt("SELECT", "Syntax error at [1:7]").unwrap(), "  |\n1 | SELECT\n  |       ^\n");
    }

    #[test]
    fn a_message_without_a_location_has_no_excerpt() {
        for message in ["Not found: Dataset a:b", "x at [9:1]", "x at [0:0]", "x at [1:]"] {
            assert_eq!(excerpt("SELECT 1", message), None, "{message}");
        }
    }
}
