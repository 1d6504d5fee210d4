//! Builders of Arrow columns that parse stored values with serde.
//!
//! `storage::scalar` describes the stored form. An absent value is NULL or an empty array.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use googlesql::civil_time;
use googlesql::datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder, Float64Builder, Int64Builder, ListArray,
    NullBufferBuilder, StringBuilder, StructArray, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use googlesql::datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use googlesql::datafusion::arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Fields};
use googlesql::datafusion::common::Result;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::member_scanner::{MemberScanner, UnexpectedFormat};

/// The builder of a column.
pub(crate) enum ColumnBuilder {
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Bool(BooleanBuilder),
    Numeric(Decimal128Builder),
    BigNumeric(Decimal256Builder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    DateTime(TimestampMicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Struct { fields: Fields, members: MemberBuilders, nulls: NullBufferBuilder },
    Array { item: FieldRef, offsets: Vec<i32>, elements: Box<ColumnBuilder> },
}

impl ColumnBuilder {
    pub(crate) fn new(field: &Field, capacity: usize) -> ColumnBuilder {
        match field.data_type() {
            DataType::Binary => ColumnBuilder::Bytes(BinaryBuilder::new()),
            DataType::Int64 => ColumnBuilder::Int64(Int64Builder::with_capacity(capacity)),
            DataType::Float64 => ColumnBuilder::Float64(Float64Builder::with_capacity(capacity)),
            DataType::Boolean => ColumnBuilder::Bool(BooleanBuilder::with_capacity(capacity)),
            data_type @ DataType::Decimal128(..) => ColumnBuilder::Numeric(Decimal128Builder::new().with_data_type(data_type.clone())),
            data_type @ DataType::Decimal256(..) => ColumnBuilder::BigNumeric(Decimal256Builder::new().with_data_type(data_type.clone())),
            DataType::Date32 => ColumnBuilder::Date(Date32Builder::with_capacity(capacity)),
            DataType::Time64(_) => ColumnBuilder::Time(Time64MicrosecondBuilder::with_capacity(capacity)),
            DataType::Timestamp(_, None) => ColumnBuilder::DateTime(TimestampMicrosecondBuilder::with_capacity(capacity)),
            data_type @ DataType::Timestamp(_, Some(_)) => {
                ColumnBuilder::Timestamp(TimestampMicrosecondBuilder::with_capacity(capacity).with_data_type(data_type.clone()))
            }
            DataType::Struct(fields) => ColumnBuilder::Struct {
                fields: fields.clone(),
                members: MemberBuilders::new(fields.iter().map(|member| (member.name().clone(), ColumnBuilder::new(member, capacity)))),
                nulls: NullBufferBuilder::new(capacity),
            },
            DataType::List(item) => {
                ColumnBuilder::Array { item: Arc::clone(item), offsets: vec![0], elements: Box::new(ColumnBuilder::new(item, capacity)) }
            }
            _ => ColumnBuilder::Text(StringBuilder::with_capacity(capacity, capacity * 16)),
        }
    }

    /// Appends NULL or an empty array.
    fn append_absent(&mut self) {
        match self {
            ColumnBuilder::Text(column) => column.append_null(),
            ColumnBuilder::Bytes(column) => column.append_null(),
            ColumnBuilder::Int64(column) => column.append_null(),
            ColumnBuilder::Float64(column) => column.append_null(),
            ColumnBuilder::Bool(column) => column.append_null(),
            ColumnBuilder::Numeric(column) => column.append_null(),
            ColumnBuilder::BigNumeric(column) => column.append_null(),
            ColumnBuilder::Date(column) => column.append_null(),
            ColumnBuilder::Time(column) => column.append_null(),
            ColumnBuilder::DateTime(column) | ColumnBuilder::Timestamp(column) => column.append_null(),
            ColumnBuilder::Struct { members, nulls, .. } => {
                members.columns.iter_mut().for_each(|column| column.builder.append_absent());
                nulls.append_null();
            }
            ColumnBuilder::Array { offsets, .. } => offsets.push(*offsets.last().expect("offsets begin with 0")),
        }
    }

    pub(crate) fn finish(self) -> Result<ArrayRef> {
        Ok(match self {
            ColumnBuilder::Text(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Bytes(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Int64(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Float64(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Bool(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Numeric(mut column) => Arc::new(column.finish()),
            ColumnBuilder::BigNumeric(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Date(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Time(mut column) => Arc::new(column.finish()),
            ColumnBuilder::DateTime(mut column) | ColumnBuilder::Timestamp(mut column) => Arc::new(column.finish()),
            ColumnBuilder::Struct { fields, members, mut nulls } => {
                let length = nulls.len();
                Arc::new(StructArray::try_new_with_length(fields, members.finish()?, nulls.finish(), length)?)
            }
            ColumnBuilder::Array { item, offsets, elements } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(ListArray::try_new(item, offsets, elements.finish()?, None)?)
            }
        })
    }

    fn append_text<E: Error>(&mut self, text: &str) -> Result<(), E> {
        let bad = || E::custom(format!("not a stored value: {text}"));
        match self {
            ColumnBuilder::Text(column) => column.append_value(text),
            ColumnBuilder::Bytes(column) => column.append_value(BASE64_STANDARD.decode(text).map_err(|_| bad())?),
            // The texts are "NaN", "Infinity" and "-Infinity".
            ColumnBuilder::Float64(column) => column.append_value(text.parse().map_err(|_| bad())?),
            ColumnBuilder::Numeric(column) => {
                let parsed = googlesql::datafusion::arrow::compute::kernels::cast_utils::parse_decimal::<Decimal128Type>(text, 38, 9);
                column.append_value(parsed.map_err(|_| bad())?);
            }
            ColumnBuilder::BigNumeric(column) => {
                let parsed = googlesql::datafusion::arrow::compute::kernels::cast_utils::parse_decimal::<Decimal256Type>(text, 76, 38);
                column.append_value(parsed.map_err(|_| bad())?);
            }
            ColumnBuilder::Date(column) => column.append_value(civil_time::days(civil_time::parse_date(text).ok_or_else(bad)?)),
            ColumnBuilder::Time(column) => column.append_value(civil_time::micros_of_day(civil_time::parse_time(text).ok_or_else(bad)?)),
            ColumnBuilder::DateTime(column) => column.append_value(civil_time::micros(civil_time::parse_datetime(text).ok_or_else(bad)?)),
            _ => return Err(bad()),
        }
        Ok(())
    }

    /// Appends a value from its JSON text.
    fn append_json(&mut self, json: &str) -> serde_json::Result<()> {
        match (&mut *self, json.as_bytes()) {
            (ColumnBuilder::Text(column), [b'"', .., b'"']) if !json.contains('\\') => column.append_value(&json[1..json.len() - 1]),
            (ColumnBuilder::Int64(column), _) if let Ok(number) = json.parse() => column.append_value(number),
            (ColumnBuilder::Timestamp(column), _) if let Ok(number) = json.parse() => column.append_value(number),
            _ => self.deserialize(&mut serde_json::Deserializer::from_str(json))?,
        }
        Ok(())
    }

    fn append_integer<E: Error>(&mut self, number: i64) -> Result<(), E> {
        match self {
            ColumnBuilder::Int64(column) => column.append_value(number),
            ColumnBuilder::Timestamp(column) => column.append_value(number),
            ColumnBuilder::Float64(column) => column.append_value(number as f64),
            _ => return Err(E::custom(format!("not a stored value: {number}"))),
        }
        Ok(())
    }
}

/// Appends one value.
impl<'de> DeserializeSeed<'de> for &mut ColumnBuilder {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut ColumnBuilder {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.append_absent();
        Ok(())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        match self {
            ColumnBuilder::Bool(column) => column.append_value(truth),
            _ => return Err(E::custom("not a stored value: a boolean")),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.append_integer(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match (i64::try_from(number), self) {
            (Ok(number), builder) => builder.append_integer(number),
            (Err(_), ColumnBuilder::Float64(column)) => {
                column.append_value(number as f64);
                Ok(())
            }
            (Err(_), _) => Err(E::custom(format!("not a stored value: {number}"))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        match self {
            ColumnBuilder::Float64(column) => column.append_value(number),
            _ => return Err(E::custom(format!("not a stored value: {number}"))),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.append_text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let ColumnBuilder::Array { offsets, elements: builder, .. } = self else {
            return Err(A::Error::custom("not a stored value: an array"));
        };
        let mut count = 0;
        while elements.next_element_seed(&mut **builder)?.is_some() {
            count += 1;
        }
        offsets.push(offsets.last().expect("offsets begin with 0") + count);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let ColumnBuilder::Struct { members, nulls, .. } = self else {
            return Err(A::Error::custom("not a stored value: an object"));
        };
        members.visit_map(map)?;
        nulls.append_non_null();
        Ok(())
    }
}

/// The builders of the members of a row or a STRUCT.
pub(crate) struct MemberBuilders {
    columns: Vec<MemberBuilder>,
    /// The number of objects so far, to detect the members that an object does not have.
    object: u64,
    /// The ranges of the columns' values in a row. The allocation is reused for the next row.
    value_ranges: Vec<Option<Range<usize>>>,
}

struct MemberBuilder {
    name: String,
    builder: ColumnBuilder,
    last: u64,
}

impl MemberBuilders {
    pub(crate) fn new(members: impl Iterator<Item = (String, ColumnBuilder)>) -> MemberBuilders {
        MemberBuilders {
            columns: members.map(|(name, builder)| MemberBuilder { name, builder, last: 0 }).collect(),
            object: 0,
            value_ranges: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Result<Vec<ArrayRef>> {
        self.columns.into_iter().map(|column| column.builder.finish()).collect()
    }

    /// Finds a member by its name, which is case-insensitive: the tables of a wildcard may write a column differently.
    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name || column.name.eq_ignore_ascii_case(name))
    }

    /// Appends a stored row. It stops reading when it has found all columns. It appends nothing if the row has an
    /// unexpected format.
    pub(crate) fn append_row(&mut self, text: &str) -> Result<serde_json::Result<()>, UnexpectedFormat> {
        let mut missing = self.columns.len();
        self.value_ranges.clear();
        self.value_ranges.resize(missing, None);
        for member in MemberScanner::new(text)? {
            let member = member?;
            if let Some(column) = self.find(member.name)
                && self.value_ranges[column].is_none()
            {
                self.value_ranges[column] = Some(member.value);
                missing -= 1;
                if missing == 0 {
                    break;
                }
            }
        }
        let result = self.columns.iter_mut().zip(&self.value_ranges).try_for_each(|(column, range)| match range {
            Some(value) => column.builder.append_json(&text[value.clone()]),
            None => {
                column.builder.append_absent();
                Ok(())
            }
        });
        Ok(result)
    }
}

impl<'de> Visitor<'de> for &mut MemberBuilders {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.object += 1;
        while let Some(found) = map.next_key_seed(MemberKey(self))? {
            match found {
                Some(index) if self.columns[index].last != self.object => {
                    self.columns[index].last = self.object;
                    map.next_value_seed(&mut self.columns[index].builder)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        for column in &mut self.columns {
            if column.last != self.object {
                column.builder.append_absent();
            }
        }
        Ok(())
    }
}

/// Deserializes a key to the index of its member.
struct MemberKey<'m>(&'m MemberBuilders);

impl<'de> DeserializeSeed<'de> for MemberKey<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MemberKey<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.find(name))
    }
}
