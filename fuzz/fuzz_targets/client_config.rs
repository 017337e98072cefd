//! Files of the client configuration directory.
#![no_main]

use openvpn::network::Network;

libfuzzer_sys::fuzz_target!(|text: &str| {
    for route in openvpn::client_config::parse_client_config(text).routes {
        // As the product is told it.
        assert_eq!(route.network.to_string().parse::<Network>(), Ok(route.network));
    }
});
