//! A server's configuration.
#![no_main]

use openvpn::routes::RouteKind;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let config = openvpn::server_config::parse_server_config(text);
    assert!(config.routes.iter().all(|route| route.kind == RouteKind::Push));
});
