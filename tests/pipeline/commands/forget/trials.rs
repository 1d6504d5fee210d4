//! Trials with random and imitating ids: all rows of the user are deleted, and none of another.
//!
//! Each trial forgets one user. PIXEL_ERASURE_TRIALS sets the number of trials.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::forget_with_receipt;
use crate::support::{Entry, Service, TestBigQuery};

type Settings = &'static [(&'static str, &'static str)];

const KEY: (&str, &str) = ("HASH_USER_IDS", "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
const NEW_KEY: (&str, &str) = ("HASH_USER_IDS", "ffffffffffffffffffffffffffffffff");
const FORMER_KEY: (&str, &str) = ("FORMER_HASH_KEYS", KEY.1);
const USERS_IN_A_ROUND: usize = 6;

/// The settings under which events are stored, one after the other, and those of `forget`.
const ROUNDS: [(&[Settings], Settings); 14] = [
    (&[&[]], &[]),
    (&[&[("TABLE_SUFFIX", "")]], &[("TABLE_SUFFIX", "")]),
    (&[&[("TABLE_SUFFIX", "_{date}")]], &[("TABLE_SUFFIX", "_{date}")]),
    (&[&[("TABLE_SUFFIX", "_{user_id}_{date:%Y}")]], &[("TABLE_SUFFIX", "_{user_id}_{date:%Y}")]),
    (&[&[("TABLE_SUFFIX", "{user_id}{order_id}")]], &[("TABLE_SUFFIX", "{user_id}{order_id}")]),
    (&[&[("MAX_NEW_TABLES_PER_HOUR", "3")]], &[("MAX_NEW_TABLES_PER_HOUR", "3")]),
    (&[&[KEY]], &[KEY]),
    (&[&[], &[KEY]], &[KEY]),
    (&[&[KEY], &[NEW_KEY, ("TABLE_NAME", "track")]], &[NEW_KEY, FORMER_KEY]),
    (&[&[("TABLE_SUFFIX", "_{user_id}")], &[("TABLE_NAME", "track")]], &[("TABLE_SUFFIX", "_{date}")]),
    (&[&[("TABLE_SUFFIX", "_{order_id}_{user_id}_{date:%Y_%m}")]], &[("TABLE_SUFFIX", "_{user_id}_{date}")]),
    (&[&[("TABLE_SUFFIX", "{user_id}{date}")], &[("OVERFLOW_SUFFIX", "_rest"), ("MAX_NEW_TABLES_PER_HOUR", "1")]], &[]),
    (&[&[KEY, ("TABLE_SUFFIX", "_{user_id}")], &[NEW_KEY, ("MAX_NEW_TABLES_PER_HOUR", "2")]], &[NEW_KEY, FORMER_KEY]),
    (&[&[("TABLE_NAME", "pixel_bob")], &[("TABLE_NAME", "pixel-old"), ("TABLE_SUFFIX", "_{date}_{user_id}")]], &[]),
];

/// Ids that resemble a suffix, a date, an overflow table, a table, an encoded id, a wildcard, a number, or SQL.
const IMITATIONS: [&str; 73] = [
    "20260102",
    "bob_20260102",
    "bob__20260102",
    "bob-20260102",
    "2026",
    "overflow",
    "overflow_20260102",
    "_overflow",
    "pixel",
    "pixel_bob",
    "track_bob",
    "dead_letters",
    "a-b",
    "a__2db",
    "__62ob",
    "3_bob",
    "%",
    "_",
    "b%",
    "b_b",
    "bo?",
    ".*",
    "bob'",
    "bob\"",
    "bob`",
    "bob\\",
    "' OR TRUE --",
    "@v0",
    "BOB",
    " bob",
    "bob ",
    "bob+x",
    "bob x",
    "bob%2Bx",
    "é",
    "e\u{301}",
    "7",
    "007",
    "NULL",
    "bob\nx",
    "bob\tx",
    "bob\r\n",
    "bob\u{a0}",
    "\u{200b}bob",
    "\u{feff}bob",
    "Bob",
    "ﬁ",
    "fi",
    "ß",
    "ss",
    "İ",
    "i\u{307}",
    "K",
    "\u{212a}",
    "\u{1f600}",
    "__h",
    "__hda39a3ee5e6b4b0d3255bfef95601890afd80709",
    "_20260102",
    "bob_",
    "__62",
    "{user_id}",
    "{date}",
    "user_id",
    "order_id",
    "user0",
    "pixel_overflow_20260102",
    "rest",
    "rest_20260102",
    "bob&user_id=eve",
    "bob=bob",
    "[\"bob\"]",
    "(bob|eve)",
    "bob\\' OR 1=1 #",
];

fn random_id(random: &mut fastrand::Rng) -> String {
    let length = random.usize(1..8);
    match random.u8(0..4) {
        0 => random.choice(IMITATIONS).unwrap().to_owned(),
        // Short words share prefixes.
        1 => std::iter::repeat_with(|| random.choice(['b', 'o', '_', '-', '2', '0']).unwrap()).take(length).collect(),
        2 => std::iter::repeat_with(|| random.char('\u{1}'..'\u{2ff}')).take(length).collect(),
        // Longer than a field of a table's name, and different at the end.
        _ => "x".repeat(random.choice([61, 62, 63, 64, 70, 900]).unwrap()) + &length.to_string(),
    }
}

/// The rows of each user, who is named by the order_id. Ids are not compared here: some are hashed.
async fn rows_by_user(bigquery: &TestBigQuery) -> BTreeMap<String, usize> {
    let mut rows = BTreeMap::new();
    for table in bigquery.tables().await.into_iter().filter(|table| table != "dead_letters") {
        for row in bigquery.rows(&table).await {
            *rows.entry(row["order_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    rows
}

/// An operator's tables: one without the id, one whose rows are all of one user, one that imitates a user's table.
async fn create_other_tables(bigquery: &TestBigQuery) {
    let columns = |names: &[&str]| names.iter().map(|name| json!({"name": name, "type": "STRING"})).collect::<Value>();
    for (table, names) in
        [("pixel_daily", &["day", "order_id"][..]), ("pixel_eve", &["USER_ID", "order_id"]), ("orders", &["order_id", "request_url"])]
    {
        bigquery.create_table(table, columns(names)).await;
        let row: Value = names.iter().map(|name| ((*name).to_owned(), json!("an operator's"))).collect::<serde_json::Map<_, _>>().into();
        bigquery.insert(table, "1", row).await;
    }
}

async fn store(bigquery: &TestBigQuery, settings: Settings, users: &[String]) {
    let service = Service::start(bigquery, settings).await;
    for (number, id) in users.iter().enumerate() {
        let pairs = [("user_id", id.as_str()), ("order_id", &format!("user{number}"))];
        let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
        assert_eq!(service.push(Entry::of_query(&query).pushed()).await.status, 204);
    }
    bigquery.wait_for_table("dead_letters").await;
}

/// The hash of the first user's id, as a column or another user may have it.
async fn hash_of_first(bigquery: &TestBigQuery) -> Option<String> {
    let events = bigquery.events().await;
    let ids = events.iter().filter(|(_, row)| row["order_id"] == "user0").map(|(_, row)| row["user_id"].as_str().unwrap().to_owned());
    ids.filter(|id| id.len() == 32).max()
}

/// Forgets every user of a round, in random order.
async fn round(number: usize, seed: u64, trials: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (stored_under, forget_under) = ROUNDS[number % ROUNDS.len()];
    let mut users = vec!["bob".to_owned()];
    let bigquery = TestBigQuery::start().await;
    // The hash of one user is the id of another, who has seen it in a table.
    if stored_under[0].contains(&KEY) {
        store(&bigquery, &[KEY], &users).await;
        users.extend(hash_of_first(&bigquery).await);
    }
    while users.len() < trials.min(USERS_IN_A_ROUND) {
        let id = random_id(&mut random);
        if !users.contains(&id) {
            users.push(id);
        }
    }
    for settings in stored_under {
        store(&bigquery, settings, &users).await;
    }
    create_other_tables(&bigquery).await;
    let mut order: Vec<usize> = (0..users.len()).collect();
    random.shuffle(&mut order);
    for user in order.into_iter().take(trials) {
        let context = format!("round {number}, seed {seed}, user {:?} of {users:?}", users[user]);
        let mut expected = rows_by_user(&bigquery).await;
        let id = format!("--user-id={}", users[user]);
        let (code, receipt, err) = forget_with_receipt(&bigquery, forget_under, &[&id, "--yes"]).await;
        // A clear id that may be the hash of another user is kept and listed.
        let is_complete = receipt["is_complete"] == true;
        assert_eq!(code, Some(i32::from(!is_complete)), "{context}: {err}{receipt}");
        assert!(is_complete || users[user].len() == 32, "{context}: {err}{receipt}");
        let mut left = rows_by_user(&bigquery).await;
        expected.remove(&format!("user{user}"));
        if !is_complete {
            left.remove(&format!("user{user}"));
        }
        assert_eq!(left, expected, "{context}: {receipt}");
    }
}

#[tokio::test]
async fn all_rows_of_the_user_and_none_of_another_are_deleted() {
    let trials: usize = std::env::var("PIXEL_ERASURE_TRIALS").map_or(60, |trials| trials.parse().unwrap());
    let seed = fastrand::u64(..);
    let rounds = trials.div_ceil(USERS_IN_A_ROUND);
    for number in 0..rounds {
        round(number, seed.wrapping_add(number as u64), trials - number * USERS_IN_A_ROUND).await;
    }
}
