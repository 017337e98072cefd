//! easy-rsa's `index.txt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    for certificate in openvpn::certificate_index::parse_certificate_index(text).unwrap_or_default() {
        assert!(!certificate.common_name.is_empty());
        assert_eq!(
            openvpn::canonical_serial(&certificate.serial).as_ref(),
            Some(&certificate.serial)
        );
    }
});
