//! Tests against BigQuery's reference.

use super::super::test_eval::eval;

fn of(function: &str, argument: &str) -> String {
    eval(&format!("\"net.{function}\"({argument})"))
}

#[test]
fn host_functions_follow_the_reference() {
    for (url, host, suffix, domain) in [
        ("", "NULL", "NULL", "NULL"),
        ("http://abc.xyz", "abc.xyz", "xyz", "abc.xyz"),
        ("//user:password@a.b:80/path?query", "a.b", "NULL", "NULL"),
        ("https://[::1]:80", "[::1]", "NULL", "NULL"),
        ("http://例子.卷筒纸.中国", "例子.卷筒纸.中国", "中国", "卷筒纸.中国"),
        ("    www.Example.Co.UK    ", "www.Example.Co.UK", "Co.UK", "Example.Co.UK"),
        ("mailto:?to=&subject=&body=", "mailto", "NULL", "NULL"),
        ("http://www.google.com/a?b#c", "www.google.com", "com", "google.com"),
        ("www.google.com:8080/x", "www.google.com", "com", "google.com"),
        ("localhost:8080", "localhost", "NULL", "NULL"),
        ("http://co.uk", "co.uk", "co.uk", "NULL"),
    ] {
        let quoted = format!("'{url}'");
        assert_eq!(of("host", &quoted), host, "host of {url}");
        assert_eq!(of("public_suffix", &quoted), suffix, "suffix of {url}");
        assert_eq!(of("reg_domain", &quoted), domain, "domain of {url}");
    }
}

#[test]
fn address_functions_follow_the_reference() {
    assert_eq!(of("ip_from_string", "'48.49.50.51'"), "30313233");
    assert_eq!(of("ip_from_string", "'::1'"), "00000000000000000000000000000001");
    assert_eq!(of("ip_from_string", "'foo'"), "Err: NET.IP_FROM_STRING() encountered an unparseable IP-address: foo");
    assert_eq!(of("safe_ip_from_string", "'48.49.50.51/32'"), "NULL");
    assert_eq!(of("ip_to_string", "X'30313233'"), "48.49.50.51");
    assert_eq!(of("ip_to_string", "X'00000000000000000000000000000001'"), "::1");
    assert_eq!(of("ip_to_string", "X'00'"), "Err: NET.IP_TO_STRING() encountered an IP address of length 1: it must be 4 or 16");
    assert_eq!(of("ip_trunc", "X'aabbccdd', 11"), "aaa00000");
    assert_eq!(of("ip_trunc", "X'aabbccdd', 0"), "00000000");
    assert_eq!(of("ip_net_mask", "4, 20"), "fffff000");
    assert_eq!(of("ip_net_mask", "4, 33"), "Err: NET.IP_NET_MASK() requires a prefix length from 0 to 32");
    assert_eq!(of("ipv4_from_int64", "11259375"), "00abcdef");
    assert_eq!(of("ipv4_from_int64", "-1"), "ffffffff");
    assert_eq!(of("ipv4_to_int64", "X'FFFFFFFF'"), "4294967295");
}
