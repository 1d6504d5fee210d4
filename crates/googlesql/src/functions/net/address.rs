//! Conversion of IP addresses between BYTES (4 or 16), STRING and INT64.

use std::net::{IpAddr, Ipv4Addr};

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Int64, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "net.ip_from_string",
            vec![Overload::unary::<Text, Bytes, _>(|text| {
                parse_address(text)
                    .ok_or_else(|| FunctionError::new(format!("NET.IP_FROM_STRING() encountered an unparseable IP-address: {text}")))
            })],
        ),
        scalar("net.safe_ip_from_string", vec![Overload::unary::<Text, Bytes, _>(parse_address)]),
        scalar(
            "net.ip_to_string",
            vec![Overload::unary::<Bytes, Text, _>(|bytes| Ok::<_, FunctionError>(address("NET.IP_TO_STRING", bytes)?.to_string()))],
        ),
        scalar("net.ip_trunc", vec![Overload::binary::<Bytes, Int64, Bytes, _>(truncate)]),
        scalar("net.ip_net_mask", vec![Overload::binary::<Int64, Int64, Bytes, _>(mask)]),
        scalar(
            "net.ipv4_from_int64",
            vec![Overload::unary::<Int64, Bytes, _>(|value| {
                match u32::try_from(value).or_else(|_| i32::try_from(value).map(|value| value as u32)) {
                    Ok(bits) => Ok(bits.to_be_bytes().to_vec()),
                    Err(_) => Err(FunctionError::new(format!(
                        "NET.IPV4_FROM_INT64() encountered an integer that is not an IPv4 address: {value}"
                    ))),
                }
            })],
        ),
        scalar(
            "net.ipv4_to_int64",
            vec![Overload::unary::<Bytes, Int64, _>(|bytes| match address("NET.IPV4_TO_INT64", bytes)? {
                IpAddr::V4(address) => Ok(i64::from(u32::from(address))),
                IpAddr::V6(_) => Err(FunctionError::new("NET.IPV4_TO_INT64() encountered a non-IPv4 address: its length is 16")),
            })],
        ),
    ]
}

fn parse_address(text: &str) -> Option<Vec<u8>> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    })
}

fn address(function: &str, bytes: &[u8]) -> Result<IpAddr, FunctionError> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(IpAddr::V4(Ipv4Addr::from(octets)));
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(octets) => Ok(IpAddr::from(octets)),
        Err(_) => Err(FunctionError::new(format!("{function}() encountered an IP address of length {}: it must be 4 or 16", bytes.len()))),
    }
}

fn truncate(bytes: &[u8], prefix: i64) -> Result<Vec<u8>, FunctionError> {
    address("NET.IP_TRUNC", bytes)?;
    let mask = prefix_mask("NET.IP_TRUNC", bytes.len(), prefix)?;
    Ok(bytes.iter().zip(mask).map(|(byte, mask)| byte & mask).collect())
}

fn mask(length: i64, prefix: i64) -> Result<Vec<u8>, FunctionError> {
    match length {
        4 | 16 => prefix_mask("NET.IP_NET_MASK", length as usize, prefix),
        _ => Err(FunctionError::new(format!("NET.IP_NET_MASK() requires an address length of 4 or 16, got {length}"))),
    }
}

/// Returns a mask of this number of bytes with `prefix` leading one bits.
fn prefix_mask(function: &str, bytes: usize, prefix: i64) -> Result<Vec<u8>, FunctionError> {
    let prefix = usize::try_from(prefix).ok().filter(|prefix| *prefix <= bytes * 8);
    let prefix = prefix.ok_or_else(|| FunctionError::new(format!("{function}() requires a prefix length from 0 to {}", bytes * 8)))?;
    Ok((0..bytes).map(|byte| !(0xffu32 >> prefix.saturating_sub(byte * 8).min(8)) as u8).collect())
}
