//! Programs and packages that not every machine has.

/// Says loudly that a test was skipped because `what` is missing. Where PIXEL_REQUIRE_EXTERNAL=1
/// promises that nothing is, the test fails.
pub fn skipped(test: &str, what: &str) {
    let required = std::env::var("PIXEL_REQUIRE_EXTERNAL").is_ok_and(|value| value == "1");
    assert!(!required, "PIXEL_REQUIRE_EXTERNAL=1, but {what} is missing");
    // Past the capture of the test harness, which would hide it from whom it concerns.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {test}: {what} is missing\n").as_bytes());
}
