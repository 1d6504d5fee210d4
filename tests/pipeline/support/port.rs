//! Fixed ports, for programs that cannot choose a free port themselves.

use std::sync::atomic::{AtomicU16, Ordering};

use tokio::net::TcpListener;

/// Below the ports that Linux chooses from for port 0 and for outgoing connections (32768 and up). A port of that range
/// can be taken by another test between this check and its use.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that no process listens on and that no other test of this process gets.
pub async fn free_port() -> u16 {
    static OFFSET: AtomicU16 = AtomicU16::new(0);
    // Another test process begins elsewhere.
    let start = (std::process::id() * 101 % u32::from(PORTS.end - PORTS.start)) as u16;
    for _ in PORTS {
        let offset = OFFSET.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + (start + offset) % (PORTS.end - PORTS.start);
        if TcpListener::bind(("0.0.0.0", port)).await.is_ok() {
            return port;
        }
    }
    panic!("every port of {PORTS:?} is in use");
}
