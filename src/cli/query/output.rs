//! Rows as a table, CSV or JSON, page by page.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use gcp_bigquery_client::model::table_field_schema::TableFieldSchema;
use gcp_bigquery_client::model::table_row::TableRow;
use serde_json::{Map, Value};

use super::{RowFormat, cell};
use crate::cli::printable;

/// Writes the rows of one result.
pub(crate) struct Output {
    format: RowFormat,
    fields: Vec<TableFieldSchema>,
    out: Box<dyn Write>,
    /// Widths of the table's columns for the pages so far; `None` before the first page.
    widths: Option<Vec<u16>>,
    rows: u64,
}

impl Output {
    pub(crate) fn new(format: RowFormat, fields: Vec<TableFieldSchema>, out: Box<dyn Write>) -> Self {
        Self { format, fields, out, widths: None, rows: 0 }
    }

    /// The next rows; `last` if no others follow.
    pub(crate) fn page(&mut self, rows: &[TableRow], last: bool) -> io::Result<()> {
        match self.format {
            RowFormat::Table => self.table(rows, last)?,
            RowFormat::Csv => self.csv(rows)?,
            RowFormat::Json => self.json(rows, last)?,
        }
        self.rows += rows.len() as u64;
        self.out.flush()
    }

    fn csv(&mut self, rows: &[TableRow]) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(&mut self.out);
        if self.rows == 0 && self.widths.replace(Vec::new()).is_none() {
            csv.write_record(self.fields.iter().map(|field| &field.name)).map_err(io_error)?;
        }
        for row in rows {
            let cells = cells(&self.fields, row).map(|(field, cell)| cell::text(field, cell).unwrap_or_default());
            csv.write_record(cells).map_err(io_error)?;
        }
        csv.flush()
    }

    fn json(&mut self, rows: &[TableRow], last: bool) -> io::Result<()> {
        for (index, row) in rows.iter().enumerate() {
            let before = if self.rows == 0 && index == 0 { "[" } else { ",\n" };
            let object: Map<String, Value> =
                cells(&self.fields, row).map(|(field, cell)| (field.name.clone(), cell::json(field, cell))).collect();
            write!(self.out, "{before}{}", Value::Object(object))?;
        }
        match (last, self.rows == 0 && rows.is_empty()) {
            (true, true) => writeln!(self.out, "[]"),
            (true, false) => writeln!(self.out, "]"),
            (false, _) => Ok(()),
        }
    }

    /// Prints every page as a table without the lines where two pages meet, with the same column widths. A column gets
    /// wider if a later page needs it: a wrapped number would be misread.
    fn table(&mut self, rows: &[TableRow], last: bool) -> io::Result<()> {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_FULL_CONDENSED);
        for row in rows {
            table.add_row(
                cells(&self.fields, row)
                    .map(|(field, cell)| cell::text(field, cell).map_or_else(|| "NULL".to_owned(), |text| printable(&text))),
            );
        }
        let first = self.widths.is_none();
        if first {
            table.set_header(self.fields.iter().map(|field| printable(&field.name)));
        }
        let widths = self.widths.get_or_insert_with(|| vec![0; self.fields.len()]);
        let needed = table.column_max_content_widths();
        for (width, needed) in widths.iter_mut().zip(needed) {
            *width = needed.max(*width);
        }
        for ((column, width), field) in table.column_iter_mut().zip(widths).zip(&self.fields) {
            // The padding of a cell counts.
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width.saturating_add(2))));
            if cell::is_number(field) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let begin = usize::from(!first).min(lines.len());
        let end = lines.len().saturating_sub(usize::from(!last)).max(begin);
        for line in &lines[begin..end] {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}

/// The error with its kind, which `From<csv::Error>` replaces.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cells<'a>(fields: &'a [TableFieldSchema], row: &'a TableRow) -> impl Iterator<Item = (&'a TableFieldSchema, &'a Value)> {
    let cells = row.columns.iter().flatten().map(|cell| cell.value.as_ref().unwrap_or(&Value::Null));
    fields.iter().zip(cells)
}
