//! A checkpoint belongs to one target, and to files by their content.

use std::path::Path;

use serde_json::json;

use super::{Replayed, column, replay, run, write};
use crate::support::bigquery::TempDir;
use crate::support::{Entry, TestBigQuery};

async fn continued(bigquery: &TestBigQuery, file: &Path, checkpoint: &Path, settings: &[(&str, &str)]) -> Replayed {
    let mut command = replay(bigquery, &[file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--format=json"]);
    command.envs(settings.iter().copied());
    run(command).await
}

fn text(orders: std::ops::Range<usize>) -> String {
    orders.map(|order| Entry::of_query(&format!("user_id=u&order_id={order:04}")).json() + "\n").collect()
}

#[tokio::test]
async fn a_checkpoint_of_another_target_is_refused_with_the_difference() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (file, checkpoint) = (write(dir.path(), "a.jsonl", text(0..3)), dir.path().join("checkpoint"));
    let first = continued(&bigquery, &file, &checkpoint, &[]).await;
    assert_eq!((first.code, first.count("stored")), (Some(0), 3), "{}", first.err);
    let key = "0123456789abcdef0123456789abcdef";
    for (name, value) in [
        ("DATASET", "elsewhere"),
        ("PROJECT_ID", "another-project"),
        ("TABLE_NAME", "other"),
        ("TABLE_SUFFIX", "_{date}"),
        ("VALID_ATTRIBUTES", "user_id"),
        ("HASH_USER_IDS", key),
    ] {
        let refused = continued(&bigquery, &file, &checkpoint, &[(name, value)]).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{name}: {}", refused.err);
        assert!(refused.err.contains(&format!("{name} was ")) && refused.err.contains("its own checkpoint"), "{name}: {}", refused.err);
        assert!(!refused.err.contains(key), "{}", refused.err);
    }
    let again = continued(&bigquery, &file, &checkpoint, &[("BATCH_MAX_ROWS", "7"), ("RUST_LOG", "warn")]).await;
    assert_eq!((again.code, &again.summary()["entries"]), (Some(0), &json!(0)), "{}", again.err);
}

#[tokio::test]
async fn a_renamed_file_is_continued_and_a_replaced_one_is_not() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (before, checkpoint) = (text(0..20), dir.path().join("checkpoint"));
    let file = write(dir.path(), "a.jsonl", &before);
    assert_eq!(continued(&bigquery, &file, &checkpoint, &[]).await.count("stored"), 20);
    let renamed = dir.path().join("b.jsonl");
    std::fs::rename(&file, &renamed).unwrap();
    write(dir.path(), "b.jsonl", before.clone() + &text(20..22));
    let more = continued(&bigquery, &renamed, &checkpoint, &[]).await;
    assert_eq!((more.code, more.count("stored")), (Some(0), 2), "{}", more.err);

    // Only the part after the first 4 KiB differs.
    let replaced = before.replacen("order_id=0018", "order_id=9999", 1) + &text(20..30);
    write(dir.path(), "b.jsonl", replaced);
    let refused = continued(&bigquery, &renamed, &checkpoint, &[]).await;
    assert_eq!((refused.code, &refused.summary()["entries"]), (Some(1), &json!(0)));
    assert!(refused.err.contains("b.jsonl") && refused.err.contains("has changed since"), "{}", refused.err);
    assert_eq!(column(&bigquery, "pixel", "order_id").await.len(), 22);
}

/// A device may have no end.
#[tokio::test]
async fn a_checkpoint_that_is_not_a_file_is_refused() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let file = write(dir.path(), "a.jsonl", text(0..1));
    let refused = continued(&bigquery, &file, Path::new("/dev/zero"), &[]).await;
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("cannot read the checkpoint /dev/zero: it is not a file"), "{}", refused.err);
}
