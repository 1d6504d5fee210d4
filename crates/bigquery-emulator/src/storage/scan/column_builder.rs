//! Builders of Arrow columns that are filled by serde: each takes stored values of its type.
//!
//! The stored forms are those of `scalar`; what is absent is NULL, or an empty array.

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

use super::members::{Unusual, Written};

/// A column in the making.
pub(crate) enum Builder {
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
    Struct { fields: Fields, members: Members, nulls: NullBufferBuilder },
    Array { item: FieldRef, offsets: Vec<i32>, elements: Box<Builder> },
}

impl Builder {
    pub(crate) fn new(field: &Field, capacity: usize) -> Builder {
        match field.data_type() {
            DataType::Binary => Builder::Bytes(BinaryBuilder::new()),
            DataType::Int64 => Builder::Int64(Int64Builder::with_capacity(capacity)),
            DataType::Float64 => Builder::Float64(Float64Builder::with_capacity(capacity)),
            DataType::Boolean => Builder::Bool(BooleanBuilder::with_capacity(capacity)),
            data_type @ DataType::Decimal128(..) => Builder::Numeric(Decimal128Builder::new().with_data_type(data_type.clone())),
            data_type @ DataType::Decimal256(..) => Builder::BigNumeric(Decimal256Builder::new().with_data_type(data_type.clone())),
            DataType::Date32 => Builder::Date(Date32Builder::with_capacity(capacity)),
            DataType::Time64(_) => Builder::Time(Time64MicrosecondBuilder::with_capacity(capacity)),
            DataType::Timestamp(_, None) => Builder::DateTime(TimestampMicrosecondBuilder::with_capacity(capacity)),
            data_type @ DataType::Timestamp(_, Some(_)) => {
                Builder::Timestamp(TimestampMicrosecondBuilder::with_capacity(capacity).with_data_type(data_type.clone()))
            }
            DataType::Struct(fields) => Builder::Struct {
                fields: fields.clone(),
                members: Members::new(fields.iter().map(|member| (member.name().clone(), Builder::new(member, capacity)))),
                nulls: NullBufferBuilder::new(capacity),
            },
            DataType::List(item) => {
                Builder::Array { item: Arc::clone(item), offsets: vec![0], elements: Box::new(Builder::new(item, capacity)) }
            }
            _ => Builder::Text(StringBuilder::with_capacity(capacity, capacity * 16)),
        }
    }

    /// What is absent: NULL, or no elements.
    fn absent(&mut self) {
        match self {
            Builder::Text(column) => column.append_null(),
            Builder::Bytes(column) => column.append_null(),
            Builder::Int64(column) => column.append_null(),
            Builder::Float64(column) => column.append_null(),
            Builder::Bool(column) => column.append_null(),
            Builder::Numeric(column) => column.append_null(),
            Builder::BigNumeric(column) => column.append_null(),
            Builder::Date(column) => column.append_null(),
            Builder::Time(column) => column.append_null(),
            Builder::DateTime(column) | Builder::Timestamp(column) => column.append_null(),
            Builder::Struct { members, nulls, .. } => {
                members.columns.iter_mut().for_each(|column| column.builder.absent());
                nulls.append_null();
            }
            Builder::Array { offsets, .. } => offsets.push(offsets.last().copied().unwrap_or(0)),
        }
    }

    pub(crate) fn finish(self) -> Result<ArrayRef> {
        Ok(match self {
            Builder::Text(mut column) => Arc::new(column.finish()),
            Builder::Bytes(mut column) => Arc::new(column.finish()),
            Builder::Int64(mut column) => Arc::new(column.finish()),
            Builder::Float64(mut column) => Arc::new(column.finish()),
            Builder::Bool(mut column) => Arc::new(column.finish()),
            Builder::Numeric(mut column) => Arc::new(column.finish()),
            Builder::BigNumeric(mut column) => Arc::new(column.finish()),
            Builder::Date(mut column) => Arc::new(column.finish()),
            Builder::Time(mut column) => Arc::new(column.finish()),
            Builder::DateTime(mut column) | Builder::Timestamp(mut column) => Arc::new(column.finish()),
            Builder::Struct { fields, members, mut nulls } => {
                let length = nulls.len();
                Arc::new(StructArray::try_new_with_length(fields, members.finish()?, nulls.finish(), length)?)
            }
            Builder::Array { item, offsets, elements } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(ListArray::try_new(item, offsets, elements.finish()?, None)?)
            }
        })
    }

    fn text<E: Error>(&mut self, text: &str) -> Result<(), E> {
        let bad = || E::custom(format!("not a stored value: {text}"));
        match self {
            Builder::Text(column) => column.append_value(text),
            Builder::Bytes(column) => column.append_value(BASE64_STANDARD.decode(text).map_err(|_| bad())?),
            // "NaN" and the infinities.
            Builder::Float64(column) => column.append_value(text.parse().map_err(|_| bad())?),
            Builder::Numeric(column) => {
                let parsed = googlesql::datafusion::arrow::compute::kernels::cast_utils::parse_decimal::<Decimal128Type>(text, 38, 9);
                column.append_value(parsed.map_err(|_| bad())?);
            }
            Builder::BigNumeric(column) => {
                let parsed = googlesql::datafusion::arrow::compute::kernels::cast_utils::parse_decimal::<Decimal256Type>(text, 76, 38);
                column.append_value(parsed.map_err(|_| bad())?);
            }
            Builder::Date(column) => column.append_value(civil_time::days(civil_time::parse_date(text).ok_or_else(bad)?)),
            Builder::Time(column) => column.append_value(civil_time::micros_of_day(civil_time::parse_time(text).ok_or_else(bad)?)),
            Builder::DateTime(column) => column.append_value(civil_time::micros(civil_time::parse_datetime(text).ok_or_else(bad)?)),
            _ => return Err(bad()),
        }
        Ok(())
    }

    /// Takes a value as it is written in a row.
    fn written(&mut self, json: &str) -> serde_json::Result<()> {
        match (&mut *self, json.as_bytes()) {
            (Builder::Text(column), [b'"', .., b'"']) if !json.contains('\\') => column.append_value(&json[1..json.len() - 1]),
            (Builder::Int64(column), _) if let Ok(number) = json.parse() => column.append_value(number),
            (Builder::Timestamp(column), _) if let Ok(number) = json.parse() => column.append_value(number),
            _ => self.deserialize(&mut serde_json::Deserializer::from_str(json))?,
        }
        Ok(())
    }

    fn integer<E: Error>(&mut self, number: i64) -> Result<(), E> {
        match self {
            Builder::Int64(column) => column.append_value(number),
            Builder::Timestamp(column) => column.append_value(number),
            Builder::Float64(column) => column.append_value(number as f64),
            _ => return Err(E::custom(format!("not a stored value: {number}"))),
        }
        Ok(())
    }
}

/// Fills the builder with one value.
impl<'de> DeserializeSeed<'de> for &mut Builder {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Builder {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.absent();
        Ok(())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        match self {
            Builder::Bool(column) => column.append_value(truth),
            _ => return Err(E::custom("not a stored value: a boolean")),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.integer(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match (i64::try_from(number), self) {
            (Ok(number), builder) => builder.integer(number),
            (Err(_), Builder::Float64(column)) => {
                column.append_value(number as f64);
                Ok(())
            }
            (Err(_), _) => Err(E::custom(format!("not a stored value: {number}"))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        match self {
            Builder::Float64(column) => column.append_value(number),
            _ => return Err(E::custom(format!("not a stored value: {number}"))),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Builder::Array { offsets, elements: builder, .. } = self else {
            return Err(A::Error::custom("not a stored value: an array"));
        };
        let mut count = 0;
        while elements.next_element_seed(&mut **builder)?.is_some() {
            count += 1;
        }
        offsets.push(offsets.last().copied().unwrap_or(0) + count);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Builder::Struct { members, nulls, .. } = self else {
            return Err(A::Error::custom("not a stored value: an object"));
        };
        members.visit_map(map)?;
        nulls.append_non_null();
        Ok(())
    }
}

/// The builders of a row's or a STRUCT's members, by name.
pub(crate) struct Members {
    columns: Vec<Member>,
    /// Counts the objects, so that each member knows whether it was in the last one.
    object: u64,
    /// Where the columns' values stand in a row; kept for the next one.
    places: Vec<Option<Range<usize>>>,
}

struct Member {
    name: String,
    builder: Builder,
    last: u64,
}

impl Members {
    pub(crate) fn new(members: impl Iterator<Item = (String, Builder)>) -> Members {
        Members { columns: members.map(|(name, builder)| Member { name, builder, last: 0 }).collect(), object: 0, places: Vec::new() }
    }

    pub(crate) fn finish(self) -> Result<Vec<ArrayRef>> {
        self.columns.into_iter().map(|column| column.builder.finish()).collect()
    }

    /// Shards of one wildcard may spell a column differently; no table has two that differ by their
    /// case alone.
    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name || column.name.eq_ignore_ascii_case(name))
    }

    /// Takes a stored row, which is left as soon as everything that is wanted was in it. Nothing was
    /// taken if it is not written as stored rows are.
    pub(crate) fn row(&mut self, text: &str) -> Result<serde_json::Result<()>, Unusual> {
        let mut wanted = self.columns.len();
        self.places.clear();
        self.places.resize(wanted, None);
        for member in Written::of(text)? {
            let member = member?;
            if let Some(column) = self.find(member.name)
                && self.places[column].is_none()
            {
                self.places[column] = Some(member.value);
                wanted -= 1;
                if wanted == 0 {
                    break;
                }
            }
        }
        let taken = self.columns.iter_mut().zip(&self.places).try_for_each(|(column, place)| match place {
            Some(value) => column.builder.written(&text[value.clone()]),
            None => {
                column.builder.absent();
                Ok(())
            }
        });
        Ok(taken)
    }
}

impl<'de> Visitor<'de> for &mut Members {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.object += 1;
        while let Some(found) = map.next_key_seed(Key(self))? {
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
                column.builder.absent();
            }
        }
        Ok(())
    }
}

/// Reads a key as the index of the member that it names.
struct Key<'m>(&'m Members);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.find(name))
    }
}
