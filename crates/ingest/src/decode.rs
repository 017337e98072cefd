//! Compressed bodies, unpacked piece by piece and never beyond the limit: 33 kB of zstd can hold a gigabyte.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder as RawZstd, Operation};

/// Largest zstd window that is accepted, as a power of two: 8 MiB, what RFC 8878 recommends to support.
const ZSTD_WINDOW_LOG: u32 = 23;
const PIECE: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// The encoding of a `Content-Encoding` header; `None` for any that is not accepted.
    pub(crate) fn parse(header: Option<&str>) -> Option<Self> {
        match header.map(str::trim) {
            None | Some("") => Some(Self::Identity),
            Some(name) if name.eq_ignore_ascii_case("identity") => Some(Self::Identity),
            Some(name) if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => Some(Self::Gzip),
            Some(name) if name.eq_ignore_ascii_case("zstd") => Some(Self::Zstd),
            Some(_) => None,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    TooLarge,
    /// Not of this encoding, or cut off.
    Malformed(String),
}

/// Collects a body of at most `limit` bytes.
pub(crate) struct Decoder {
    kind: Kind,
    limit: usize,
}

enum Kind {
    Identity(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Bounded>>),
    Zstd(Box<ZstdStream>),
}

impl Decoder {
    pub(crate) fn new(encoding: Encoding, limit: usize) -> Result<Self, DecodeError> {
        let kind = match encoding {
            Encoding::Identity => Kind::Identity(Vec::new()),
            Encoding::Gzip => Kind::Gzip(Box::new(MultiGzDecoder::new(Bounded {
                bytes: Vec::new(),
                limit,
                full: false,
            }))),
            Encoding::Zstd => Kind::Zstd(Box::new(ZstdStream::new()?)),
        };
        Ok(Self { kind, limit })
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        match &mut self.kind {
            Kind::Identity(bytes) => {
                if bytes.len() + piece.len() > self.limit {
                    return Err(DecodeError::TooLarge);
                }
                bytes.extend_from_slice(piece);
                Ok(())
            }
            Kind::Gzip(decoder) => {
                let written = decoder.write_all(piece);
                written.map_err(|error| {
                    if decoder.get_ref().full {
                        DecodeError::TooLarge
                    } else {
                        malformed(&error)
                    }
                })
            }
            Kind::Zstd(stream) => stream.push(piece, self.limit),
        }
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            Kind::Identity(bytes) => bytes.len(),
            Kind::Gzip(decoder) => decoder.get_ref().bytes.len(),
            Kind::Zstd(stream) => stream.bytes.len(),
        }
    }

    /// The whole body.
    pub(crate) fn finish(self) -> Result<Vec<u8>, DecodeError> {
        match self.kind {
            Kind::Identity(bytes) => Ok(bytes),
            Kind::Gzip(mut decoder) => {
                let finished = decoder.try_finish();
                finished.map_err(|error| {
                    if decoder.get_ref().full {
                        DecodeError::TooLarge
                    } else {
                        malformed(&error)
                    }
                })?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes))
            }
            Kind::Zstd(stream) => stream.finish(),
        }
    }
}

fn malformed(error: &io::Error) -> DecodeError {
    DecodeError::Malformed(error.to_string())
}

/// Refuses to hold more than its limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.limit {
            self.full = true;
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct ZstdStream {
    decoder: RawZstd<'static>,
    bytes: Vec<u8>,
    piece: Box<[u8]>,
    /// The last frame is whole.
    complete: bool,
}

impl ZstdStream {
    fn new() -> Result<Self, DecodeError> {
        let mut decoder = RawZstd::new().map_err(|error| malformed(&error))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
            .map_err(|error| malformed(&error))?;
        Ok(Self {
            decoder,
            bytes: Vec::new(),
            piece: vec![0; PIECE].into_boxed_slice(),
            complete: false,
        })
    }

    fn push(&mut self, mut input: &[u8], limit: usize) -> Result<(), DecodeError> {
        loop {
            let status = self
                .decoder
                .run_on_buffers(input, &mut self.piece)
                .map_err(|error| malformed(&error))?;
            input = &input[status.bytes_read..];
            if self.bytes.len() + status.bytes_written > limit {
                return Err(DecodeError::TooLarge);
            }
            self.bytes.extend_from_slice(&self.piece[..status.bytes_written]);
            self.complete = status.remaining == 0;
            // A full piece means that more may be ready without further input.
            if input.is_empty() && status.bytes_written < self.piece.len() {
                return Ok(());
            }
        }
    }

    fn finish(self) -> Result<Vec<u8>, DecodeError> {
        if !self.complete {
            return Err(DecodeError::Malformed("the zstd frame is cut off".to_owned()));
        }
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests;
