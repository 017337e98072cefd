//! What hooks are told. It can be written and read again, and no password is in it.
#![no_main]

use openvpn::Environment;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let environment = Environment::parse(text);
    let _ = (environment.connected_at(), environment.daemon(), environment.client());
    let _ = (
        environment.real_ip(),
        environment.real_port(),
        environment.virtual_ip(),
        environment.common_name(),
    );
    assert!(environment.text("password").is_none());
    assert!(environment.text("auth_token").is_none());
});
