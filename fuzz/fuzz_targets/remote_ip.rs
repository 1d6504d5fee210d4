//! A visitor's address and its anonymization.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::remote_ip::IpAnonymization;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    assert_eq!(IpAnonymization::Drop.apply(&text), None);
    let full = IpAnonymization::Full.apply(&text).expect("all of it");
    assert_eq!(IpAnonymization::Full.apply(&full).as_ref(), Some(&full), "{text}");
    let network = IpAnonymization::Truncate.apply(&text);
    assert_eq!(IpAnonymization::Truncate.apply(&full), network, "{text}: the port and the spelling do not matter");
    let address: Option<IpAddr> = full.parse().ok();
    assert_eq!(network.is_some(), address.is_some(), "{text}: only addresses are kept");
    let (Some(network), Some(address)) = (network, address) else { return };
    assert_eq!(IpAnonymization::Truncate.apply(&network).as_ref(), Some(&network), "{text}");
    match (network.parse().expect("a network"), address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            assert_eq!((network.octets()[3], &network.octets()[..3]), (0, &address.octets()[..3]), "{text}");
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let kept = if address.segments()[0] == 0x2002 { 40 } else { 48 };
            assert_eq!((network.to_bits() << kept, network.to_bits() >> (128 - kept)), (0, address.to_bits() >> (128 - kept)), "{text}");
        }
        (network, address) => panic!("{network} of {address}"),
    }
});
