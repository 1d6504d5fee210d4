//! Rejects requests from other origins by `Host` and `Origin`.
//!
//! Every page that is open in a browser on this machine can send requests to a port on 127.0.0.1. A page of another
//! origin can post to it. A page whose name resolves to 127.0.0.1 (DNS rebinding) can also read the answers. The first
//! kind is detected by `Origin`, the second by `Host`, which contains the page's own name.
//!
//! Not used for the push endpoint, which Google's emulator may call by any name, and not for the pixel, which any page
//! may embed.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

/// Accepts only requests whose `Host` is a name of this machine. `bound_to` is the address of the listening socket.
pub fn restrict(router: Router, bound_to: IpAddr) -> Router {
    router.layer(middleware::from_fn_with_state(bound_to, guard))
}

async fn guard(State(bound_to): State<IpAddr>, request: Request, next: Next) -> Response {
    match check_headers(request.headers(), bound_to) {
        Ok(()) => next.run(request).await,
        Err(error) => (StatusCode::FORBIDDEN, format!("{error}\n")).into_response(),
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum AccessError {
    #[error("the request has no valid Host header, or more than one")]
    NoHost,
    #[error("the Host of this request is not allowed. Use localhost, 127.0.0.1, [::1] or the address of --host")]
    ForeignHost,
    #[error("the Origin of this request is not allowed. Only pages of this server may send requests")]
    ForeignOrigin,
}

fn check_headers(headers: &HeaderMap, bound_to: IpAddr) -> Result<(), AccessError> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(AccessError::NoHost) };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()).ok_or(AccessError::NoHost)?;
    // An authority may contain user information. A Host header may not.
    if host.as_str().contains('@') || !is_local_name(host.host(), bound_to) {
        return Err(AccessError::ForeignHost);
    }
    // `null` is an opaque origin, which never matches.
    let is_own = |origin: &[u8]| {
        let authority = [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| origin.strip_prefix(scheme));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str().as_bytes()))
    };
    match headers.get_all(ORIGIN).iter().all(|origin| is_own(origin.as_bytes())) {
        true => Ok(()),
        false => Err(AccessError::ForeignOrigin),
    }
}

fn is_local_name(host: &str, bound_to: IpAddr) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        // When bound to all addresses, the addresses of this machine are unknown. DNS rebinding always uses a name, so
        // every numeric address is accepted.
        Ok(_) if bound_to.is_unspecified() => true,
        Ok(address) => address.is_loopback() || address == bound_to,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn check(pairs: &[(&'static str, &'static str)]) -> Result<(), AccessError> {
        check_headers(&headers(pairs), Ipv4Addr::LOCALHOST.into())
    }

    #[test]
    fn local_names_are_accepted_with_any_port() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.0.0.2", "[::1]:8080", "[::1]"] {
            assert_eq!(check_headers(&headers(&[("host", host)]), Ipv4Addr::LOCALHOST.into()), Ok(()), "{host}");
        }
    }

    #[test]
    fn foreign_names_are_rejected() {
        for host in
            ["example.com", "localhost.example.com", "127.0.0.1.nip.io", "192.168.1.5:8080", "evil.example:8080", "[::2]", "a@localhost"]
        {
            assert_eq!(check_headers(&headers(&[("host", host)]), Ipv4Addr::LOCALHOST.into()), Err(AccessError::ForeignHost), "{host}");
        }
        assert_eq!(check(&[]), Err(AccessError::NoHost));
        assert_eq!(check(&[("host", "localhost"), ("host", "example.com")]), Err(AccessError::NoHost));
        assert_eq!(check(&[("host", "a b")]), Err(AccessError::NoHost));
    }

    #[test]
    fn the_bound_address_is_accepted_and_any_if_unspecified() {
        let request = headers(&[("host", "192.168.1.5:8080")]);
        assert_eq!(check_headers(&request, [192, 168, 1, 5].into()), Ok(()));
        assert_eq!(check_headers(&request, [192, 168, 1, 6].into()), Err(AccessError::ForeignHost));
        assert_eq!(check_headers(&request, Ipv4Addr::UNSPECIFIED.into()), Ok(()));
        assert_eq!(check_headers(&headers(&[("host", "example.com")]), Ipv4Addr::UNSPECIFIED.into()), Err(AccessError::ForeignHost));
    }

    #[test]
    fn only_the_servers_own_origin_is_accepted() {
        assert_eq!(check(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]), Ok(()));
        for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "https://evil.example", "null", "", "localhost:8080"] {
            assert_eq!(check(&[("host", "localhost:8080"), ("origin", origin)]), Err(AccessError::ForeignOrigin), "{origin}");
        }
    }
}
