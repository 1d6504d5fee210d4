//! The scalar types of columns, and their parameters.

/// A type whose value is one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
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

impl Scalar {
    /// The legacy name, which BigQuery uses in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scalar::String => "STRING",
            Scalar::Bytes => "BYTES",
            Scalar::Integer => "INTEGER",
            Scalar::Float => "FLOAT",
            Scalar::Numeric => "NUMERIC",
            Scalar::BigNumeric => "BIGNUMERIC",
            Scalar::Boolean => "BOOLEAN",
            Scalar::Timestamp => "TIMESTAMP",
            Scalar::Date => "DATE",
            Scalar::Time => "TIME",
            Scalar::DateTime => "DATETIME",
            Scalar::Geography => "GEOGRAPHY",
            Scalar::Interval => "INTERVAL",
            Scalar::Json => "JSON",
        }
    }
}

/// The parameters of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// `maxLength` of STRING (characters) and BYTES (bytes).
    Length(usize),
    /// `precision` and `scale` of NUMERIC and BIGNUMERIC.
    Decimal { precision: usize, scale: usize },
}
