//! Transcripts of a management interface.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(openvpn::management::parse_transcript(text));
});
