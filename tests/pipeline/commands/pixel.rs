//! `pixel-pipeline pixel` as a process.

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http;
use crate::support::service::{Service, command};
use crate::support::wait::within;

async fn start(settings: &[(&str, &str)]) -> Service {
    Service::spawn(command("pixel"), settings).await
}

#[tokio::test]
async fn it_answers_with_the_image_and_nothing_else() {
    let pixel = start(&[("PIXEL_PATH", "/pixel.png,/o.gif")]).await;
    for (method, target, status, kind) in [
        (Method::GET, "/pixel.png?user_id=u", 200, "image/png"),
        (Method::GET, "/o.gif", 200, "image/gif"),
        (Method::HEAD, "/pixel.png", 200, "image/png"),
        (Method::POST, "/pixel.png?user_id=u", 204, ""),
        (Method::OPTIONS, "/pixel.png", 204, ""),
        (Method::PUT, "/pixel.png", 405, ""),
        (Method::GET, "/", 404, ""),
        (Method::GET, "/metrics", 404, ""),
        (Method::GET, "/%2e%2e/etc/passwd", 404, ""),
    ] {
        let request = http::client().request(method.clone(), format!("{}{target}", pixel.url));
        let answer = request.body(if method == Method::POST { "x" } else { "" }).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {target}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{method} {target}");
        let found = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap());
        assert_eq!(found, kind, "{method} {target}");
        let is_image = status == 200 && method == Method::GET;
        assert_eq!(!answer.bytes().await.unwrap().is_empty(), is_image, "{method} {target}");
    }
}

/// What a client receives for these bytes, and whether the server closes the connection.
async fn exchange(pixel: &Service, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(pixel.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    within("the connection closes", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_beacon_with_a_body_is_answered() {
    let pixel = start(&[]).await;
    let body = "x".repeat(64 << 10);
    let head = format!("POST /pixel.png HTTP/1.1\r\nHost: p\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let answer = exchange(&pixel, format!("{head}{body}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let pixel = start(&[]).await;
    let head = "POST /pixel.png HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let answer = exchange(&pixel, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}

#[tokio::test]
async fn sigterm_ends_it_with_0() {
    let pixel = start(&[]).await;
    let (status, log) = pixel.end().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
}

#[tokio::test]
async fn invalid_settings_end_it_with_2() {
    let output = command("pixel").env("PIXEL_PATH", "pixel.png").env("PORT", "x").output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("PIXEL_PATH") && error.contains("PORT"), "{error}");
}
