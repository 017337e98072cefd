use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const LIMIT: usize = 100_000;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

fn decode(encoding: Encoding, body: &[u8], piece: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(encoding, LIMIT)?;
    for piece in body.chunks(piece) {
        decoder.push(piece)?;
        assert!(decoder.len() <= LIMIT);
    }
    decoder.finish()
}

#[test]
fn bodies_come_out_as_they_went_in_whatever_the_pieces() {
    let text: Vec<u8> = (0..LIMIT).map(|index| (index % 251) as u8).collect();
    for piece in [1, 7, 4_096, LIMIT] {
        assert_eq!(decode(Encoding::Identity, &text, piece).unwrap(), text);
        assert_eq!(decode(Encoding::Gzip, &gzip(&text), piece).unwrap(), text);
        assert_eq!(decode(Encoding::Zstd, &zstd(&text), piece).unwrap(), text);
    }
}

#[test]
fn several_frames_are_one_body() {
    assert_eq!(
        decode(Encoding::Zstd, &[zstd(b"ab"), zstd(b""), zstd(b"c")].concat(), 5).unwrap(),
        b"abc"
    );
    assert_eq!(
        decode(Encoding::Gzip, &[gzip(b"ab"), gzip(b"c")].concat(), 5).unwrap(),
        b"abc"
    );
}

#[test]
fn one_byte_too_many_is_too_large() {
    let text = vec![b'x'; LIMIT + 1];
    assert_eq!(decode(Encoding::Identity, &text, 1_000), Err(DecodeError::TooLarge));
    assert_eq!(decode(Encoding::Gzip, &gzip(&text), 1_000), Err(DecodeError::TooLarge));
    assert_eq!(decode(Encoding::Zstd, &zstd(&text), 1_000), Err(DecodeError::TooLarge));
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = zstd(&vec![0; 200 << 20]);
    assert!(bomb.len() < 50_000);
    assert_eq!(decode(Encoding::Zstd, &bomb, bomb.len()), Err(DecodeError::TooLarge));
}

#[test]
fn what_is_cut_off_or_something_else_is_malformed() {
    for (encoding, body) in [(Encoding::Gzip, gzip(b"hello")), (Encoding::Zstd, zstd(b"hello"))] {
        let cut = &body[..body.len() - 3];
        assert!(
            matches!(decode(encoding, cut, 4), Err(DecodeError::Malformed(_))),
            "{encoding:?} cut off"
        );
        assert!(
            matches!(
                decode(encoding, b"{\"server_id\":1}", 4),
                Err(DecodeError::Malformed(_))
            ),
            "{encoding:?}"
        );
    }
    assert!(matches!(decode(Encoding::Zstd, b"", 1), Err(DecodeError::Malformed(_))));
}

#[test]
fn only_named_encodings_are_accepted() {
    assert_eq!(Encoding::parse(None), Some(Encoding::Identity));
    assert_eq!(Encoding::parse(Some("ZSTD")), Some(Encoding::Zstd));
    assert_eq!(Encoding::parse(Some("br")), None);
    assert_eq!(Encoding::parse(Some("gzip, zstd")), None);
}
