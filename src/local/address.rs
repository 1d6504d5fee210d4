//! Binds a port, and builds the URL under which other parts on this machine reach it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// A bound port.
#[derive(Debug)]
pub struct Bound {
    pub listener: TcpListener,
    /// The port number is the real one, also if port 0 was requested.
    pub address: SocketAddr,
}

/// A port cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {host} port {port} ({setting})")]
pub struct BindError {
    host: IpAddr,
    port: u16,
    setting: &'static str,
    source: io::Error,
}

impl Bound {
    /// Port 0 selects a free port. `setting` is the setting's name, for the error message.
    pub async fn bind(host: IpAddr, port: u16, setting: &'static str) -> Result<Self, BindError> {
        let failed = |source| BindError { host, port, setting, source };
        let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The root URL, reachable from this machine.
    pub fn url(&self) -> String {
        format!("http://{}", reachable(self.address))
    }
}

/// Replaces an unspecified address, to which no client can connect, by the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_addresses_become_loopback_addresses() {
        for (bound, expected) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("192.0.2.1:80", "192.0.2.1:80"), ("127.0.0.1:80", "127.0.0.1:80")]
        {
            assert_eq!(reachable(bound.parse().unwrap()).to_string(), expected);
        }
    }
}
