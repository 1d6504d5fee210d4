//! Lists in settings: items separated by commas.

/// A list has a comma without an item before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has an empty item: remove the extra comma")]
pub struct EmptyItem;

/// The items without surrounding blanks. A blank text is an empty list.
pub fn items(list: &str) -> Result<Vec<&str>, EmptyItem> {
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<&str> = list.split(',').map(str::trim).collect();
    if items.contains(&"") { Err(EmptyItem) } else { Ok(items) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_no_empty_item() {
        assert_eq!(items(" "), Ok(vec![]));
        assert_eq!(items(" a , b c,d"), Ok(vec!["a", "b c", "d"]));
        for list in ["a,,b", ",a", "a,", ",", " , ", "a, ,b"] {
            assert_eq!(items(list), Err(EmptyItem), "{list:?}");
        }
    }
}
