//! Log entries with members in snake case, as protocol buffers name them: `http_request.request_url` in place of
//! `httpRequest.requestUrl`.

use serde_json::{Map, Value};

/// Members that only an entry in snake case has.
const MARKS: [&[u8]; 4] = [b"\"http_request\"", b"\"request_url\"", b"\"insert_id\"", b"\"log_name\""];

/// The entry in camel case, unless it is already.
pub(super) fn to_camel_case(entry: &[u8]) -> Option<Vec<u8>> {
    // Nearly no entry has one of them.
    if !MARKS.iter().any(|mark| entry.windows(mark.len()).any(|part| part == *mark)) {
        return None;
    }
    let mut members: Map<String, Value> = serde_json::from_slice(entry).ok()?;
    let mut is_changed = rename(&mut members);
    if let Some(Value::Object(request)) = members.get_mut("httpRequest") {
        is_changed |= rename(request);
    }
    is_changed.then(|| serde_json::to_vec(&members).expect("a map with text keys has a JSON form"))
}

/// Renames the members of one object. A member that is present in camel case, too, stays.
fn rename(members: &mut Map<String, Value>) -> bool {
    let names: Vec<(String, String)> = members
        .keys()
        .map(|name| (name.clone(), camel_case(name)))
        .filter(|(name, camel)| name != camel && !members.contains_key(camel))
        .collect();
    for (name, camel) in &names {
        if let Some(value) = members.remove(name) {
            members.insert(camel.clone(), value);
        }
    }
    !names.is_empty()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        camel + &initial.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn converted(entry: &Value) -> Option<Value> {
        to_camel_case(entry.to_string().as_bytes()).map(|entry| serde_json::from_slice(&entry).unwrap())
    }

    #[test]
    fn members_of_the_entry_and_of_its_request_are_renamed() {
        let snake =
            json!({"http_request": {"request_url": "/p", "user_agent": "a_b"}, "insert_id": "1", "json_payload": {"status_details": "x"}});
        let camel =
            json!({"httpRequest": {"requestUrl": "/p", "userAgent": "a_b"}, "insertId": "1", "jsonPayload": {"status_details": "x"}});
        assert_eq!(converted(&snake), Some(camel.clone()));
        assert_eq!(converted(&camel), None);
        assert_eq!(converted(&json!({"httpRequest": {"request_url": "/p"}})), Some(json!({"httpRequest": {"requestUrl": "/p"}})));
        let both = json!({"insertId": "1", "insert_id": "2"});
        assert_eq!(converted(&both), None);
    }
}
