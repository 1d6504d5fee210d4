//! CPU time of a delivery before the request to BigQuery: reading the push body and decoding its entry. The baseline is
//! the same body read by the libraries alone.

use std::borrow::Cow;
use std::hint::black_box;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::table_suffix::SuffixTemplate;
use pixel_pipeline::decode::{Decoded, Decoder, PixelPaths, Privacy, RequestFilter, Schema, Settings};
use pixel_pipeline::source::delivery;
use serde::Deserialize;
use serde_json::json;

/// An entry of an external load balancer with a backend bucket.
const ENTRY: &str = r#"{"httpRequest":{"cacheHit":true,"cacheLookup":true,"latency":"0.002317s","referer":"https://shop.example.com/cart?step=2","remoteIp":"203.0.113.9","requestMethod":"GET","requestSize":"412","requestUrl":"https://track.example.com/pixel.png?user_id=507f1f77bcf86cd799439011&order_id=100042&type=add+to+cart&utm_source=mail","responseSize":"301","status":200,"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"},"insertId":"1abcdefg2hijkl","jsonPayload":{"@type":"type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry","backendTargetProjectNumber":"projects/123456789012","cacheDecision":["RESPONSE_HAS_CACHE_CONTROL","CACHE_MODE_CACHE_ALL_STATIC"],"remoteIp":"203.0.113.9","statusDetails":"response_from_cache"},"logName":"projects/example-shop/logs/requests","receiveTimestamp":"2026-01-02T03:04:06.118270453Z","resource":{"labels":{"backend_service_name":"","forwarding_rule_name":"pixel-https","project_id":"example-shop","target_proxy_name":"pixel-proxy","url_map_name":"pixel-map","zone":"global"},"type":"http_load_balancer"},"severity":"INFO","spanId":"53e9b2f1c0a4d768","timestamp":"2026-01-02T03:04:05.402197Z","trace":"projects/example-shop/traces/0123456789abcdef0123456789abcdef"}"#;

/// The push body that Pub/Sub sends.
fn push_body() -> String {
    json!({
        "message": {
            "attributes": {"logging.googleapis.com/timestamp": "2026-01-02T03:04:05.402197Z"},
            "data": STANDARD.encode(ENTRY),
            "messageId": "9157713651342511", "message_id": "9157713651342511",
            "publishTime": "2026-01-02T03:04:07.519Z", "publish_time": "2026-01-02T03:04:07.519Z",
        },
        "subscription": "projects/example-shop/subscriptions/pixel-push",
    })
    .to_string()
}

fn decoder() -> Decoder {
    let valid_attributes = ValidAttributes::parse("order_id,type,user_id").expect("three names");
    let table_suffix = SuffixTemplate::parse("_{user_id}_{date}", &valid_attributes, "pixel").expect("the default");
    let settings = Settings {
        valid_attributes,
        table_suffix,
        requests: RequestFilter { paths: PixelPaths::parse("/pixel.png").expect("a path"), ..RequestFilter::default() },
        privacy: Privacy::default(),
        signatures: None,
    };
    Decoder::new(settings, &Schema::shipped())
}

fn decode(c: &mut Criterion) {
    let body = push_body();
    let now: Timestamp = "2026-01-02T03:04:08Z".parse().expect("a timestamp");
    let (decoder, headers) = (decoder(), HeaderMap::new());
    let mut group = c.benchmark_group("push");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("read", |b| b.iter(|| delivery::read(&headers, black_box(body.as_bytes())).expect("a delivery")));
    group.bench_function("read_and_decode", |b| {
        b.iter(|| {
            let message = delivery::read(&headers, black_box(body.as_bytes())).expect("a delivery");
            let Decoded::Row(row) = decoder.decode(&message, now) else { panic!("the entry is an event") };
            row
        });
    });
    group.bench_function("floor", |b| b.iter(|| floor(black_box(body.as_bytes()))));
    group.finish();
}

#[derive(Deserialize)]
struct FloorBody<'a> {
    #[serde(borrow)]
    message: FloorMessage<'a>,
}

#[derive(Deserialize)]
struct FloorMessage<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorEntry<'a> {
    #[serde(borrow)]
    http_request: FloorRequest<'a>,
    #[serde(borrow)]
    insert_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorRequest<'a> {
    #[serde(borrow)]
    request_url: Cow<'a, str>,
}

/// `serde_json`, `base64` and `url` alone: one format of body, and no table, identity or row.
fn floor(body: &[u8]) -> usize {
    let body: FloorBody<'_> = serde_json::from_slice(body).expect("a push body");
    let data = STANDARD.decode(body.message.data.as_bytes()).expect("base64");
    let entry: FloorEntry<'_> = serde_json::from_slice(&data).expect("an entry");
    let (_, query) = entry.http_request.request_url.split_once('?').expect("a query");
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| name.len() + value.len()).sum::<usize>() + entry.insert_id.len()
}

criterion_group!(benches, decode);
criterion_main!(benches);
