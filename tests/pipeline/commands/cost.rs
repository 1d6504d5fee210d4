//! `pixel-pipeline cost`: its output, and that docs/cost.md contains it.

use std::process::Stdio;

use serde_json::Value;

use crate::support::service::{TIMEOUT, command};

/// The result of one run.
struct Printed {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(args: &[&str]) -> Printed {
    let mut command = command("cost");
    command.args(args).stdin(Stdio::null());
    let output = tokio::time::timeout(TIMEOUT, command.output()).await.expect("cost ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("cost prints UTF-8");
    Printed { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The output for valid arguments.
async fn printed(args: &[&str]) -> String {
    let printed = run(args).await;
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""), "{args:?}");
    printed.out
}

async fn json(args: &[&str]) -> Vec<Value> {
    let printed = printed(&[args, &["--format", "json"]].concat()).await;
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_table_names_each_part_with_its_quantity_formula_and_price() {
    let text = printed(&["--events-per-month", "10M"]).await;
    // At least two spaces separate the columns.
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    for row in [
        vec!["part", "billed item", "quantity", "formula", "$ a month", "$ a million events"],
        vec!["Load balancer", "forwarding rules", "730 hours", "730 h, at $0.025 / hour", "18.25", "–"],
        // 1,000 × $0.0075
        vec!["Cloud CDN", "cache lookups", "10,000,000 lookups", "events, at $0.0075 / 10,000 lookups", "7.50", "0.75"],
        // 27,000,000,000 B = 25.15 GiB, less 10, / 1,024 × $40
        vec!["Pub/Sub", "publish and push", "25.15 GiB", "2 × events × 1,350 B − 10 GiB free, at $40.00 / TiB", "0.59", "0.059"],
        // 9,765.6 MiB / 200 × $0.01
        vec!["BigQuery", "streamed rows", "9.54 GiB", "events × 1,024 B, at $0.01 / 200 MiB", "0.49", "0.049"],
        vec!["fixed", "18.25", "–"],
    ] {
        assert!(rows.contains(&row), "{row:?} is not in\n{text}");
    }
    for part in ["Cloud Storage", "Cloud Logging", "Cloud Run", "total", "EXCLUDE_FROM_DEFAULT=false", "ARCHIVE=true"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[tokio::test]
async fn the_json_holds_the_sums_and_the_prices_with_page_and_day() {
    let printed = json(&["--events-per-month", "2.5e6"]).await;
    let [estimate] = &printed[..] else { panic!("one volume, one line: {printed:?}") };
    assert_eq!(estimate["events_per_month"], 2_500_000);
    let sum: f64 = estimate["lines"].as_array().unwrap().iter().map(|line| line["dollars"].as_f64().unwrap()).sum();
    assert!((estimate["total_dollars"].as_f64().unwrap() - sum).abs() < 1e-9);
    assert_eq!(estimate["prices"]["queries"]["dollars"], 6.25);
    for (name, price) in estimate["prices"].as_object().unwrap() {
        for field in ["page", "read", "source", "unit"] {
            assert!(price[field].is_string(), "{name} has no {field}");
        }
    }
    assert_eq!(estimate.get("tables"), None, "without --users");
}

#[tokio::test]
async fn several_volumes_are_estimated_separately() {
    let estimates = json(&["--events-per-month", "0", "1M", "1e12", "--users", "1e12"]).await;
    let totals: Vec<f64> = estimates.iter().map(|estimate| estimate["total_dollars"].as_f64().unwrap()).collect();
    assert_eq!(totals.len(), 3);
    assert_eq!(totals[0], 18.25);
    assert!(totals.is_sorted(), "{totals:?}");
    assert_eq!(estimates[0]["tables"]["tables_per_day"], 0);
}

#[tokio::test]
async fn with_users_the_estimate_advises_on_tables_per_user() {
    let printed = json(&["--events-per-month", "1M", "--users", "500"]).await;
    let tables = &printed[0]["tables"];
    // Day 2 has 1,000 tables, day 100 has 50,000.
    assert_eq!((&tables["wildcard_refused_on_day"], &tables["slow_listing_on_day"]), (&Value::from(3), &Value::from(101)));
    assert_eq!(tables["advice"], "coarser");
    let text = self::printed(&["--events-per-month", "1M", "--users", "500"]).await;
    assert!(text.contains("passes 1,000 tables on day 3"), "{text}");
    assert!(text.contains("TABLE_SUFFIX=_{date}"), "{text}");
    let few = self::printed(&["--events-per-month", "1M", "--users", "20"]).await;
    assert!(few.contains("This works"), "{few}");
}

#[tokio::test]
async fn an_invalid_number_is_rejected_and_its_flag_named() {
    for (args, flag, problem) in [
        (&["--events-per-month", "lots"][..], "--events-per-month", "not a number"),
        (&["--events-per-month", "1.5"], "--events-per-month", "not a whole number"),
        (&["--events-per-month=-1"], "--events-per-month", "less than 0"),
        (&["--events-per-month", "1e13"], "--events-per-month", "more than 1e12"),
        // Not three volumes.
        (&["--events-per-month", "1,000,000"], "--events-per-month", "not a number"),
        (&["--events-per-month", "1M", "--users", "everybody"], "--users", "not a number"),
        (&[], "--events-per-month", "required"),
    ] {
        let refused = run(args).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(refused.err.contains(flag) && refused.err.contains(problem), "{args:?}: {}", refused.err);
    }
}

#[tokio::test]
async fn cost_page_and_readme_have_the_printed_figures() {
    const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cost.md"));
    let (_, rest) = PAGE.split_once("<!-- cost: ").expect("docs/cost.md marks its table");
    let (volumes, rest) = rest.split_once(" -->\n").expect("the mark ends");
    let (table, _) = rest.split_once("<!-- end of cost -->").expect("the table's end is marked");
    let args: Vec<&str> = ["--events-per-month"].into_iter().chain(volumes.split(' ')).chain(["--format", "markdown"]).collect();
    let printed = printed(&args).await;
    assert!(
        table.trim() == printed.trim(),
        "put the output of `pixel-pipeline cost {}` between the marks in docs/cost.md:\n{printed}",
        args.join(" ")
    );
    let totals = printed.lines().find(|line| line.contains("**total**")).expect("the table has a total");
    let totals: Vec<&str> = totals.split("**").skip(3).step_by(2).collect();
    let row = format!("| total | {} |", totals.join(" | "));
    assert!(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).contains(&row), "put this row into README.md:\n{row}");
    let estimates = json(&["--events-per-month", "0"]).await;
    let read = estimates[0]["prices_read"].as_str().unwrap();
    assert!(PAGE.contains(read), "docs/cost.md says when the prices were read: {read}");
}
