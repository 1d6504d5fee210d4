//! The few protobuf messages of StreamingPull, read and written by hand: a library would cost more than the subscriber that
//! is measured. <https://protobuf.dev/programming-guides/encoding/>
use bytes::{BufMut, Bytes, BytesMut};

/// A gRPC frame with an empty message.
pub const EMPTY: Bytes = Bytes::from_static(&[0; 5]);
const FRAME_HEADER_BYTES: usize = 5;

/// max_outstanding_messages of a StreamingPullRequest.
pub struct FlowControl(pub u64);

impl FlowControl {
    pub fn parse(frame: &[u8]) -> Self {
        let limit = fields(frame).find_map(|field| if let Field::Number(7, value) = field { Some(value) } else { None });
        Self(limit.filter(|limit| (1..=i64::MAX as u64).contains(limit)).unwrap_or(u64::MAX))
    }
}

/// The ack_ids in this field of a request.
pub fn count_ack_ids(frame: &[u8], number: u64) -> u64 {
    fields(frame).filter(|field| matches!(field, Field::Bytes(found) if *found == number)).count() as u64
}

/// Whether a ModifyAckDeadlineRequest has a deadline of 0, which protobuf omits.
pub fn is_nack(frame: &[u8]) -> bool {
    !fields(frame).any(|field| matches!(field, Field::Number(3, deadline) if deadline > 0))
}

/// A field of a message: its number, and the value of a number.
enum Field {
    Number(u64, u64),
    Bytes(u64),
}

/// The fields of the message in a gRPC frame, up to the first that is malformed.
fn fields(frame: &[u8]) -> impl Iterator<Item = Field> + '_ {
    let mut rest = frame.get(FRAME_HEADER_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let tag = varint(&mut rest)?;
        let value = varint(&mut rest)?;
        match tag & 7 {
            0 => Some(Field::Number(tag >> 3, value)),
            2 => {
                rest = rest.get(value as usize..)?;
                Some(Field::Bytes(tag >> 3))
            }
            _ => None,
        }
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A log entry of an external load balancer with a backend bucket. `users` is the number of users.
pub struct Entry {
    users: u64,
}

impl Entry {
    pub fn new(users: u64) -> Self {
        Self { users }
    }

    /// A gRPC frame with a StreamingPullResponse of these messages.
    pub fn response(&self, messages: std::ops::Range<u64>) -> Bytes {
        let mut body = BytesMut::with_capacity(FRAME_HEADER_BYTES + messages.clone().count() * 2048);
        body.put_bytes(0, FRAME_HEADER_BYTES);
        let (mut received, mut message) = (Vec::new(), Vec::new());
        for id in messages {
            message.clear();
            put(&mut message, 1, self.json(id).as_bytes());
            let mut attribute = Vec::new();
            put(&mut attribute, 1, b"logging.googleapis.com/timestamp");
            put(&mut attribute, 2, b"2026-01-02T03:04:05.402197Z");
            put(&mut message, 2, &attribute);
            put(&mut message, 3, (9_157_713_000_000_000 + id).to_string().as_bytes());
            // publish_time: 2026-01-02T03:04:07Z
            put(&mut message, 4, &[0x08, 0x87, 0xad, 0xdc, 0xca, 0x06]);
            received.clear();
            // Those of Pub/Sub have 176 characters.
            put(&mut received, 1, format!("{id:0>176}").as_bytes());
            put(&mut received, 2, &message);
            let mut field = Vec::with_capacity(8);
            put_varint(&mut field, 1 << 3 | 2);
            put_varint(&mut field, received.len() as u64);
            body.extend_from_slice(&field);
            body.extend_from_slice(&received);
        }
        let length = (body.len() - FRAME_HEADER_BYTES) as u32;
        body[1..FRAME_HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
        body.freeze()
    }

    fn json(&self, id: u64) -> String {
        let user = id % self.users;
        format!(
            r#"{{"httpRequest":{{"cacheHit":true,"cacheLookup":true,"latency":"0.002317s","referer":"https://shop.example.com/cart?step=2","remoteIp":"203.0.113.9","requestMethod":"GET","requestSize":"412","requestUrl":"https://track.example.com/pixel.png?user_id=507f1f77bcf8{user:012x}&order_id={id}&type=add+to+cart&utm_source=mail","responseSize":"301","status":200,"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"}},"insertId":"{id:014x}","jsonPayload":{{"@type":"type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry","backendTargetProjectNumber":"projects/123456789012","cacheDecision":["RESPONSE_HAS_CACHE_CONTROL","CACHE_MODE_CACHE_ALL_STATIC"],"remoteIp":"203.0.113.9","statusDetails":"response_from_cache"}},"logName":"projects/example-shop/logs/requests","receiveTimestamp":"2026-01-02T03:04:06.118270453Z","resource":{{"labels":{{"backend_service_name":"","forwarding_rule_name":"pixel-https","project_id":"example-shop","target_proxy_name":"pixel-proxy","url_map_name":"pixel-map","zone":"global"}},"type":"http_load_balancer"}},"severity":"INFO","spanId":"53e9b2f1c0a4d768","timestamp":"2026-01-02T03:04:05.402197Z","trace":"projects/example-shop/traces/0123456789abcdef0123456789abcdef"}}"#
        )
    }
}

/// A field of bytes.
fn put(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    put_varint(message, number << 3 | 2);
    put_varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        // max_outstanding_messages: 2000, then a subscription.
        let pull = [0, 0, 0, 0, 6, 0x38, 0xd0, 0x0f, 0x0a, 0x01, b's'];
        assert_eq!(FlowControl::parse(&pull).0, 2000);
        let acks = [0, 0, 0, 0, 9, 0x0a, 1, b's', 0x12, 1, b'a', 0x12, 1, b'b'];
        assert_eq!(count_ack_ids(&acks, 2), 2);
        let (nack, extension) = ([0, 0, 0, 0, 3, 0x22, 1, b'a'], [0, 0, 0, 0, 5, 0x18, 20, 0x22, 1, b'a']);
        assert!(is_nack(&nack) && !is_nack(&extension));
        assert_eq!((count_ack_ids(&nack, 4), count_ack_ids(&extension, 4)), (1, 1));
    }
}
