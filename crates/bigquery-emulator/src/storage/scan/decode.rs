//! Decodes stored JSON rows to the Arrow columns of a batch.

use std::sync::Arc;

use googlesql::datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use googlesql::datafusion::arrow::datatypes::{Schema, SchemaRef};
use googlesql::datafusion::common::{Result, exec_datafusion_err};
use serde::Deserializer;

use super::column_builder::{ColumnBuilder, MemberBuilders};
use super::is_suffix_field;
use super::member_scanner::UnexpectedFormat;

/// Whether the columns need values of the stored rows.
pub(crate) fn needs_rows(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| !is_suffix_field(field))
}

/// Builds one batch.
pub(crate) struct Decoder {
    schema: SchemaRef,
    columns: MemberBuilders,
    suffixes: StringBuilder,
    rows: usize,
}

impl Decoder {
    pub(crate) fn new(schema: SchemaRef, capacity: usize) -> Decoder {
        let stored = schema.fields().iter().filter(|field| !is_suffix_field(field));
        let columns = MemberBuilders::new(stored.map(|field| (field.name().clone(), ColumnBuilder::new(field, capacity))));
        Decoder { schema, columns, suffixes: StringBuilder::new(), rows: 0 }
    }

    /// Whether the columns need values of the stored rows.
    pub(crate) fn needs_rows(&self) -> bool {
        needs_rows(&self.schema)
    }

    pub(crate) fn append_row(&mut self, json: &str) -> Result<()> {
        let result = self
            .columns
            .append_row(json)
            .unwrap_or_else(|UnexpectedFormat| serde_json::Deserializer::from_str(json).deserialize_map(&mut self.columns));
        result.map_err(|error| exec_datafusion_err!("The BigQuery emulator's database is corrupt: {error}"))
    }

    /// Completes a range of rows: counts them and adds their table suffix.
    pub(crate) fn finish_range(&mut self, rows: usize, suffix: Option<&str>) {
        self.rows += rows;
        if self.schema.fields().iter().any(|field| is_suffix_field(field)) {
            for _ in 0..rows {
                self.suffixes.append_option(suffix);
            }
        }
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch> {
        let mut stored = self.columns.finish()?.into_iter();
        let suffixes: ArrayRef = Arc::new(self.suffixes.finish());
        let columns: Option<Vec<ArrayRef>> = self
            .schema
            .fields()
            .iter()
            .map(|field| if is_suffix_field(field) { Some(Arc::clone(&suffixes)) } else { stored.next() })
            .collect();
        let columns = columns.ok_or_else(|| exec_datafusion_err!("a column is missing"))?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(self.schema, columns, &options)?)
    }
}

#[cfg(test)]
mod tests {
    use googlesql::datafusion::arrow::datatypes::{DataType, Field, Fields};
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn schema() -> SchemaRef {
        let member = |name, data_type| Field::new(name, data_type, true);
        let pair = DataType::Struct(Fields::from(vec![member("k", DataType::Utf8), member("v", DataType::Int64)]));
        Arc::new(Schema::new(vec![
            member("text", DataType::Utf8),
            member("number", DataType::Int64),
            member("moment", googlesql::types::timestamp()),
            member("float", DataType::Float64),
            member("truth", DataType::Boolean),
            member("pairs", DataType::List(Arc::new(member("item", pair)))),
        ]))
    }

    fn decoded(rows: &[String]) -> Result<RecordBatch> {
        let mut decoder = Decoder::new(schema(), rows.len());
        rows.iter().try_for_each(|row| decoder.append_row(row))?;
        decoder.finish_range(rows.len(), None);
        decoder.finish()
    }

    fn row() -> impl Strategy<Value = Value> {
        let text = prop_oneof![".*", "[a-z\"\\\\]*"].prop_map(Value::from);
        let pair = (".*", any::<i64>()).prop_map(|(k, v)| json!({"k": k, "other": [{}], "v": v}));
        let pairs = proptest::collection::vec(pair, 0..3).prop_map(Value::from);
        let (number, moment) = (any::<i64>().prop_map(Value::from), any::<i64>().prop_map(Value::from));
        let float = prop_oneof![
            (-1e9..1e9).prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            Just(json!("NaN")),
            Just(json!("-Infinity"))
        ];
        let members = (text.clone(), number, moment, float, any::<bool>().prop_map(Value::from), pairs, text);
        (members, any::<[bool; 7]>()).prop_map(|((a, b, c, d, e, f, g), present)| {
            let names = ["text", "number", "moment", "float", "truth", "pairs", "unknown"];
            let members = names.iter().zip([a, b, c, d, e, f, g]).zip(present).filter(|(_, present)| *present);
            Value::Object(members.map(|((name, value), _)| ((*name).to_owned(), value)).collect::<Map<_, _>>())
        })
    }

    proptest! {
        /// The scanner does not support white space, so the JSON parser reads these rows.
        #[test]
        fn the_scanner_and_the_json_parser_decode_the_same_values(rows in proptest::collection::vec(row(), 0..8)) {
            let as_stored: Vec<String> = rows.iter().map(Value::to_string).collect();
            let spaced: Vec<String> = rows.iter().map(|row| format!("{row:#} ")).collect();
            prop_assert_eq!(format!("{:?}", decoded(&as_stored).unwrap()), format!("{:?}", decoded(&spaced).unwrap()));
        }
    }

    #[test]
    fn member_names_are_case_insensitive_and_the_first_duplicate_wins() {
        let batch = decoded(&[r#"{"NUMBER":1,"number":2,"Text":null}"#.to_owned()]).unwrap();
        assert_eq!(batch, decoded(&[r#"{"number":1}"#.to_owned()]).unwrap());
    }

    #[test]
    fn values_of_a_wrong_type_are_errors() {
        for row in [r#"{"number":"1"}"#, r#"{"number":1.5}"#, r#"{"text":1}"#, r#"{"truth":0}"#, r#"{"text":"x}"#, "", "[]"] {
            assert!(decoded(&[row.to_owned()]).is_err(), "{row}");
        }
    }
}
