//! Rows in the binary format of PostgreSQL's COPY: the cheapest way into a table for many new rows. They share a log record
//! a page, where INSERT writes one or two a row.

use serde::Serialize;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

use crate::Error;

/// From so many rows on a copy is worth it. sqlx leaves Nagle's algorithm on, and a copy ends with a small write after its data:
/// a short one waits about 40 ms for the peer's delayed acknowledgement, which one statement does not.
pub(super) const WORTHWHILE: usize = 256;

/// Begins every binary copy; then come 32 bits of flags and the length of an extension, both zero.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: i16 = -1;
const NULL: i32 = -1;
/// The format of `jsonb` on the wire.
const JSONB_VERSION: u8 = 1;

/// New rows of one table.
pub(super) struct Rows {
    buffer: PgArgumentBuffer,
    columns: i16,
    /// The first value that could not be encoded.
    failure: Option<BoxDynError>,
}

impl Rows {
    /// With so many values a row.
    pub(super) fn new(columns: i16) -> Self {
        let mut buffer = PgArgumentBuffer::default();
        buffer.extend_from_slice(SIGNATURE);
        Self {
            buffer,
            columns,
            failure: None,
        }
    }

    pub(super) fn begin_row(&mut self) {
        self.buffer.extend_from_slice(&self.columns.to_be_bytes());
    }

    /// The next value of the row. Its type must be the column's own: nothing is converted.
    pub(super) fn push<'q>(&mut self, value: impl Encode<'q, Postgres>) {
        self.push_with(|buffer| value.encode(buffer));
    }

    /// The next value of the row, in a column of type `jsonb`.
    pub(super) fn push_json(&mut self, value: &impl Serialize) {
        self.push_with(|buffer| {
            buffer.push(JSONB_VERSION);
            serde_json::to_writer(&mut **buffer, value)?;
            Ok(IsNull::No)
        });
    }

    fn push_with(&mut self, encode: impl FnOnce(&mut PgArgumentBuffer) -> Result<IsNull, BoxDynError>) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&NULL.to_be_bytes());
        match encode(&mut self.buffer) {
            Ok(IsNull::Yes) => {}
            Ok(IsNull::No) => {
                let value = start + NULL.to_be_bytes().len();
                let length = i32::try_from(self.buffer.len() - value).unwrap_or(i32::MAX);
                self.buffer[start..value].copy_from_slice(&length.to_be_bytes());
            }
            Err(failure) => self.failure = self.failure.take().or(Some(failure)),
        }
    }

    /// Stores the rows; `statement` is a `COPY ... FROM STDIN (FORMAT binary)` of as many columns as a row has values.
    ///
    /// # Errors
    /// None of the rows is stored then.
    pub(super) async fn copy(mut self, connection: &mut PgConnection, statement: &str) -> Result<(), Error> {
        if let Some(failure) = self.failure {
            return Err(sqlx::Error::Encode(failure).into());
        }
        self.buffer.extend_from_slice(&END.to_be_bytes());
        let mut copy = connection.copy_in_raw(statement).await?;
        copy.send(self.buffer.as_slice()).await?;
        copy.finish().await?;
        Ok(())
    }
}
