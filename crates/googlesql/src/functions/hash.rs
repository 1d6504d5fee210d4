//! Hash functions, GENERATE_UUID and SESSION_USER. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions>.

use std::sync::Arc;

use datafusion::arrow::array::StringArray;
use datafusion::logical_expr::ColumnarValue;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::Function;
use super::adapter::{scalar, volatile};
use super::column::{Bytes, Int64, Text};
use super::overload::Overload;
use super::sql_type::SqlType;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        digest::<Md5>("md5"),
        digest::<Sha1>("sha1"),
        digest::<Sha256>("sha256"),
        digest::<Sha512>("sha512"),
        scalar(
            "farm_fingerprint",
            vec![
                Overload::unary::<Text, Int64, _>(|text| farmhash::fingerprint64(text.as_bytes()) as i64),
                Overload::unary::<Bytes, Int64, _>(|bytes| farmhash::fingerprint64(bytes) as i64),
            ],
        ),
        volatile(
            "generate_uuid",
            vec![Overload::columns(&[], SqlType::Text, |_, rows, _| {
                Ok(ColumnarValue::Array(Arc::new(StringArray::from_iter_values((0..rows).map(|_| uuid(fastrand::u128(..)))))))
            })],
        ),
        // The engine has no user accounts, so the user is fixed.
        scalar(
            "session_user",
            vec![Overload::columns(&[], SqlType::Text, |_, _, _| {
                Ok(ColumnarValue::from(datafusion::scalar::ScalarValue::from("local@localhost")))
            })],
        ),
    ]
}

fn digest<D: Digest + 'static>(name: &'static str) -> (&'static str, Function) {
    scalar(
        name,
        vec![
            Overload::unary::<Text, Bytes, _>(|text| D::digest(text.as_bytes()).to_vec()),
            Overload::unary::<Bytes, Bytes, _>(|bytes| D::digest(bytes).to_vec()),
        ],
    )
}

/// Formats random bits as a version 4 UUID (RFC 9562).
fn uuid(random: u128) -> String {
    uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::test_eval::eval;
    use super::uuid;

    /// Values from the reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions>.
    #[test]
    fn farm_fingerprint_matches_the_reference() {
        let fingerprint = |x: &str, y: &str, z: &str| eval(&format!("farm_fingerprint(concat('{x}', '{y}', '{z}'))"));
        assert_eq!(fingerprint("1", "foo", "true"), "-1541654101129638711");
        assert_eq!(fingerprint("2", "apple", "false"), "2794438866806483259");
        assert_eq!(fingerprint("3", "", "true"), "-4880158226897771312");
    }

    #[test]
    fn digests_return_bytes() {
        assert_eq!(eval("to_base64(md5('Hello World'))"), "sQqNsWTgdUEFt6mb5y4/5Q==");
        assert_eq!(eval("to_base64(sha1('Hello World'))"), "Ck1VqNd45QIvq3AZd8XYQLvEhtA=");
        assert_eq!(eval("to_hex(sha256(''))"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(eval("length(sha512(X'00'))"), "64");
        assert_eq!(eval("md5(NULL)"), "NULL");
    }

    #[test]
    fn generate_uuid_returns_distinct_uuids() {
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(eval("count(DISTINCT generate_uuid()) FROM generate_series(1, 3)"), "3");
    }
}
