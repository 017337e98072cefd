//! Status reports of all versions. What is read must make sense.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(report) = openvpn::status::parse_status(text) {
        assert!(matches!(report.version, 1..=3));
        // Whoever has a session has a name and an address.
        let mut sessions = report.clients.iter().filter(|client| client.is_session());
        assert!(sessions.all(|client| !client.common_name.is_empty()));
    }
});
