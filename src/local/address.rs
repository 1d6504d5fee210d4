//! Where a part listens, and how the others on this machine reach it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// A port that was bound.
#[derive(Debug)]
pub struct Bound {
    pub listener: TcpListener,
    /// With the port's number where any free one was asked for.
    pub address: SocketAddr,
}

/// A port that could not be.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {host} port {port} ({setting})")]
pub struct BindError {
    host: IpAddr,
    port: u16,
    setting: &'static str,
    source: io::Error,
}

impl Bound {
    /// Port 0 is any free one; `setting` is what the user would change.
    pub async fn bind(host: IpAddr, port: u16, setting: &'static str) -> Result<Self, BindError> {
        let failed = |source| BindError { host, port, setting, source };
        let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The root of a URL that works on this machine.
    pub fn url(&self) -> String {
        format!("http://{}", reachable(self.address))
    }
}

/// "All addresses" is none that one could connect to.
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
    fn all_addresses_are_reached_by_the_loopback() {
        for (bound, expected) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("192.0.2.1:80", "192.0.2.1:80"), ("127.0.0.1:80", "127.0.0.1:80")]
        {
            assert_eq!(reachable(bound.parse().unwrap()).to_string(), expected);
        }
    }
}
