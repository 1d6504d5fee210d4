//! An estimate as text, JSON or Markdown.

use std::io::{self, Write};

use serde::Serialize;

use super::estimate::{Estimate, LineItem};
use super::numbers::{amount, cents, dollars};
use super::prices;
use super::tables::GeneratedTables;

/// A table for a terminal.
pub(crate) fn text(estimate: &Estimate, tables: Option<&GeneratedTables>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} events a month\n", amount(estimate.events_per_month as f64))?;
    let mut rows = vec![["part", "billed item", "quantity", "formula", "$ a month", "$ a million events"].map(str::to_owned)];
    rows.extend(estimate.lines.iter().map(cells));
    let sum = |name: &str, value, million: Option<f64>| {
        [name.to_owned(), String::new(), String::new(), String::new(), dollars(value), per_million(million)]
    };
    let sums = rows.len();
    rows.push(sum("fixed", estimate.fixed_dollars, None));
    rows.push(sum("by events", estimate.marginal_dollars, estimate.dollars_per_million));
    rows.push(sum("total", estimate.total_dollars, None));
    let options = rows.len();
    rows.extend(estimate.options.iter().map(cells));

    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    for (at, row) in rows.iter().enumerate() {
        if at == options {
            writeln!(out, "\nOptional settings add:")?;
        } else if at == 1 || at == sums {
            writeln!(out, "{}", "─".repeat(widths.iter().sum::<usize>() + 2 * 5))?;
        }
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Numbers are aligned to the right.
            line += &if matches!(column, 2 | 4 | 5) { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)?;
    sentences(estimate.notes().into_iter().chain(tables.into_iter().flat_map(GeneratedTables::sentences)), out)
}

/// A list of sentences.
pub(crate) fn sentences(sentences: impl IntoIterator<Item = String>, out: &mut impl Write) -> io::Result<()> {
    sentences.into_iter().try_for_each(|sentence| writeln!(out, "- {sentence}"))
}

fn cells(line: &LineItem) -> [String; 6] {
    [
        line.part.to_owned(),
        line.billed.to_owned(),
        format!("{} {}", amount(line.quantity), line.unit),
        line.formula.clone(),
        dollars(line.dollars),
        per_million(line.dollars_per_million),
    ]
}

fn per_million(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), dollars)
}

/// One object on one line, with the prices used.
pub(crate) fn json(estimate: &Estimate, tables: Option<&GeneratedTables>, out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Printed<'a> {
        #[serde(flatten)]
        estimate: &'a Estimate,
        #[serde(skip_serializing_if = "Option::is_none")]
        tables: Option<&'a GeneratedTables>,
        notes: Vec<String>,
        region: &'static str,
        prices_read: &'static str,
        prices: serde_json::Map<String, serde_json::Value>,
    }
    let mut prices = serde_json::Map::new();
    for (name, price) in prices::ALL {
        prices.insert(name.to_owned(), serde_json::to_value(price)?);
    }
    let notes = estimate.notes();
    let printed = Printed { estimate, tables, notes, region: "us-central1, US", prices_read: prices::READ, prices };
    serde_json::to_writer(&mut *out, &printed)?;
    writeln!(out)
}

/// A table that compares volumes, as in the README.
pub(crate) fn markdown(estimates: &[Estimate], out: &mut impl Write) -> io::Result<()> {
    let Some(first) = estimates.first() else { return Ok(()) };
    let row = |out: &mut dyn Write, head: String, value: &dyn Fn(&Estimate) -> String| {
        let values: Vec<String> = estimates.iter().map(value).collect();
        writeln!(out, "| {head} | {} |", values.join(" | "))
    };
    row(out, "$ a month for | events a month:".to_owned(), &|estimate| short(estimate.events_per_month))?;
    writeln!(out, "|---|---|{}", "--:|".repeat(estimates.len()))?;
    for (at, line) in first.lines.iter().enumerate() {
        let head = format!("{}: {} | {}", line.part, line.billed, line.formula);
        row(out, head, &|estimate| cents(estimate.lines[at].dollars))?;
    }
    row(out, "**total** | ".to_owned(), &|estimate| format!("**{}**", cents(estimate.total_dollars)))?;
    row(out, "of which by events, $ a million | ".to_owned(), &|estimate| {
        estimate.dollars_per_million.map_or_else(|| "–".to_owned(), cents)
    })?;
    for (at, line) in first.options.iter().enumerate() {
        row(out, format!("`{}` adds | {}", line.billed, line.formula), &|estimate| cents(estimate.options[at].dollars))?;
    }
    Ok(())
}

/// A round number in short: 100 k, 10 M.
fn short(events: u64) -> String {
    match events {
        0 => "0".to_owned(),
        _ if events.is_multiple_of(1_000_000) => format!("{} M", amount((events / 1_000_000) as f64)),
        _ if events.is_multiple_of(1_000) => format!("{} k", amount((events / 1_000) as f64)),
        _ => amount(events as f64),
    }
}
