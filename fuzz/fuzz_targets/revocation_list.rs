//! Certificate revocation lists and certificates in PEM.
#![no_main]

libfuzzer_sys::fuzz_target!(|pem: &[u8]| {
    let _ = openvpn::revocation_list::certificate_serial(pem);
    for revocation in openvpn::revocation_list::parse_revocation_list(pem).unwrap_or_default() {
        assert_eq!(
            openvpn::canonical_serial(&revocation.serial).as_ref(),
            Some(&revocation.serial)
        );
    }
});
