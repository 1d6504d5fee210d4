//! Only for this machine: a look at `Host` and `Origin` before a request comes in.
//!
//! A port on 127.0.0.1 can be reached by every page that a browser on this machine has open. A
//! page of another origin may post to it, and one whose name has been made to resolve to 127.0.0.1
//! (DNS rebinding) may read the answers as well. Both betray themselves: the first by `Origin`,
//! the second by `Host`, which still has the page's own name.
//!
//! Not for the push endpoint, which Google's emulator calls by whatever name it was told, nor for
//! the pixel, which is there to be fetched by any page.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

/// Lets nobody in but those who call by a name of this machine. `bound_to` is the address of the
/// listening socket.
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
    #[error("the request has no Host, or more than one")]
    NoHost,
    #[error("this server answers to localhost, 127.0.0.1 and [::1], and to the address of --host; not to the Host of this request")]
    ForeignHost,
    #[error("this server answers to its own pages only; the Origin of this request is another one")]
    ForeignOrigin,
}

fn check_headers(headers: &HeaderMap, bound_to: IpAddr) -> Result<(), AccessError> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(AccessError::NoHost) };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()).ok_or(AccessError::NoHost)?;
    // An authority may have a user before the host, a Host header may not.
    if host.as_str().contains('@') || !is_local_name(host.host(), bound_to) {
        return Err(AccessError::ForeignHost);
    }
    // An opaque origin (`null`) is nobody's, hence not ours.
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
        // On all addresses: which of them are this machine's is not known, but a rebound page always
        // calls by a name.
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

    fn of(pairs: &[(&'static str, &'static str)]) -> Result<(), AccessError> {
        check_headers(&headers(pairs), Ipv4Addr::LOCALHOST.into())
    }

    #[test]
    fn names_of_this_machine_are_let_in_with_any_port() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.0.0.2", "[::1]:8080", "[::1]"] {
            assert_eq!(check_headers(&headers(&[("host", host)]), Ipv4Addr::LOCALHOST.into()), Ok(()), "{host}");
        }
    }

    #[test]
    fn names_of_others_are_not() {
        for host in
            ["example.com", "localhost.example.com", "127.0.0.1.nip.io", "192.168.1.5:8080", "evil.example:8080", "[::2]", "a@localhost"]
        {
            assert_eq!(check_headers(&headers(&[("host", host)]), Ipv4Addr::LOCALHOST.into()), Err(AccessError::ForeignHost), "{host}");
        }
        assert_eq!(of(&[]), Err(AccessError::NoHost));
        assert_eq!(of(&[("host", "localhost"), ("host", "example.com")]), Err(AccessError::NoHost));
        assert_eq!(of(&[("host", "a b")]), Err(AccessError::NoHost));
    }

    #[test]
    fn the_address_that_was_told_is_let_in_and_on_all_addresses_every_number() {
        let told = headers(&[("host", "192.168.1.5:8080")]);
        assert_eq!(check_headers(&told, [192, 168, 1, 5].into()), Ok(()));
        assert_eq!(check_headers(&told, [192, 168, 1, 6].into()), Err(AccessError::ForeignHost));
        assert_eq!(check_headers(&told, Ipv4Addr::UNSPECIFIED.into()), Ok(()));
        assert_eq!(check_headers(&headers(&[("host", "example.com")]), Ipv4Addr::UNSPECIFIED.into()), Err(AccessError::ForeignHost));
    }

    #[test]
    fn an_origin_is_let_in_if_it_is_the_servers_own() {
        assert_eq!(of(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]), Ok(()));
        for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "https://evil.example", "null", "", "localhost:8080"] {
            assert_eq!(of(&[("host", "localhost:8080"), ("origin", origin)]), Err(AccessError::ForeignOrigin), "{origin}");
        }
    }
}
