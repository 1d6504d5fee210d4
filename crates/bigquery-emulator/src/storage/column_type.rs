//! The scalar types of columns, and their parameters.

/// A type whose value is one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarType {
    String,
    Bytes,
    Integer,
    Float,
    Numeric,
    BigNumeric,
    Boolean,
    Timestamp,
    Date,
    Time,
    DateTime,
    Geography,
    Interval,
    Json,
}

impl ScalarType {
    /// The legacy name, which BigQuery uses in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ScalarType::String => "STRING",
            ScalarType::Bytes => "BYTES",
            ScalarType::Integer => "INTEGER",
            ScalarType::Float => "FLOAT",
            ScalarType::Numeric => "NUMERIC",
            ScalarType::BigNumeric => "BIGNUMERIC",
            ScalarType::Boolean => "BOOLEAN",
            ScalarType::Timestamp => "TIMESTAMP",
            ScalarType::Date => "DATE",
            ScalarType::Time => "TIME",
            ScalarType::DateTime => "DATETIME",
            ScalarType::Geography => "GEOGRAPHY",
            ScalarType::Interval => "INTERVAL",
            ScalarType::Json => "JSON",
        }
    }
}

/// The parameters of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SizeLimit {
    /// `maxLength` of STRING (characters) and BYTES (bytes).
    Length(usize),
    /// `precision` and `scale` of NUMERIC and BIGNUMERIC.
    Decimal { precision: usize, scale: usize },
}
