//! The settings of privacy: anonymization, hashed ids, opt-out.

use super::settings::{FORMER_HASH_KEYS, HASH_ATTRIBUTES, HASH_USER_IDS, IP_ANONYMIZATION, RESPECT_OPT_OUT};
use super::{Problems, Values};
use crate::decode::attributes::ValidAttributes;
use crate::decode::hashed_ids::HashedIds;
use crate::decode::key::Key;
use crate::decode::list;
use crate::decode::privacy::Privacy;

pub(crate) fn read(values: &Values, attributes: Option<&ValidAttributes>, problems: &mut Problems) -> Option<Privacy> {
    let remote_ip = problems.check(IP_ANONYMIZATION.name, values.text(&IP_ANONYMIZATION).parse());
    let list = values.text(&HASH_ATTRIBUTES);
    let hashed_ids = match values.optional(&HASH_USER_IDS) {
        // Without a key, the default need not fit the list of attributes.
        None if list != HASH_ATTRIBUTES.default => {
            attributes.and_then(|valid| problems.check(HASH_ATTRIBUTES.name, HashedIds::check_names(list, valid))).map(|()| None)
        }
        None => Some(None),
        Some(text) => {
            let key = problems.check(HASH_USER_IDS.name, Key::parse(text));
            // While the list of attributes is wrong, the names cannot be compared with it.
            key.zip(attributes).and_then(|(key, valid)| problems.check(HASH_ATTRIBUTES.name, HashedIds::parse(key, list, valid))).map(Some)
        }
    };
    Some(Privacy { remote_ip: remote_ip?, hashed_ids: hashed_ids?, respect_opt_out: values.boolean(&RESPECT_OPT_OUT) })
}

/// What is wrong with valid settings.
pub(crate) fn warning(values: &Values) -> Option<&'static str> {
    let is_without_key = values.optional(&HASH_USER_IDS).is_none() && values.text(&HASH_ATTRIBUTES) != HASH_ATTRIBUTES.default;
    is_without_key.then_some(
        "HASH_ATTRIBUTES has no effect without the key HASH_USER_IDS, so ids are stored unchanged: set HASH_USER_IDS, or unset HASH_ATTRIBUTES",
    )
}

/// FORMER_HASH_KEYS.
pub(crate) fn read_former_keys(values: &Values, attributes: &ValidAttributes, problems: &mut Problems) -> Option<Vec<HashedIds>> {
    let keys = problems.check(FORMER_HASH_KEYS.name, list::items(values.text(&FORMER_HASH_KEYS)))?.into_iter();
    let keys: Result<Vec<Key>, _> = keys.map(Key::parse).collect();
    let keys = problems.check(FORMER_HASH_KEYS.name, keys)?.into_iter();
    let hashed: Result<Vec<HashedIds>, _> = keys.map(|key| HashedIds::parse(key, values.text(&HASH_ATTRIBUTES), attributes)).collect();
    problems.check(HASH_ATTRIBUTES.name, hashed)
}
