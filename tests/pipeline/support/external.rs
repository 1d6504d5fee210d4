//! Tests that need an external program.

/// Reports that a test was skipped because `what` is missing. With PIXEL_REQUIRE_EXTERNAL=1 the test fails.
pub fn skipped(test: &str, what: &str) {
    let required = std::env::var("PIXEL_REQUIRE_EXTERNAL").is_ok_and(|value| value == "1");
    assert!(!required, "PIXEL_REQUIRE_EXTERNAL=1, but {what} is missing");
    // `eprintln!` would be captured by the test harness.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {test}: {what} is missing\n").as_bytes());
}
