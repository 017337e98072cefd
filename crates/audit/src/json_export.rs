//! `{"entries":[…],"end":{…}}`, of which no more than one entry is held at a time.

use std::fmt;
use std::io::Read;

use anyhow::Result;
use domain::audit_chain::{ChainedEntry, Hash, Head, from_hex};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Gives every entry to `take`, and at last the export's end; none when it is cut off.
pub(crate) fn read(reader: impl Read, mut take: impl FnMut(ChainedEntry)) -> Result<Option<Head>> {
    let mut end = None;
    let mut json = serde_json::Deserializer::from_reader(reader);
    let read = json.deserialize_map(Document {
        take: &mut take,
        end: &mut end,
    });
    match read.and_then(|()| json.end()) {
        // Cut off somewhere: what was read is still checked.
        Err(error) if error.is_eof() => Ok(None),
        read => read.map(|()| end).map_err(Into::into),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportedEntry {
    id: i64,
    created_at: String,
    actor_portal_user_id: Option<i64>,
    actor_name: String,
    action: String,
    object_type: String,
    object_id: Option<String>,
    /// Byte for byte as it stands, because so it was hashed.
    details: Box<RawValue>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    #[serde(deserialize_with = "hash")]
    previous_hash: Hash,
    #[serde(deserialize_with = "hash")]
    entry_hash: Hash,
}

#[derive(Deserialize)]
struct ExportedEnd {
    last_id: i64,
    #[serde(deserialize_with = "hash")]
    entry_hash: Hash,
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    from_hex(&text).ok_or_else(|| D::Error::custom("a hash has 64 hexadecimal digits"))
}

impl From<ExportedEntry> for ChainedEntry {
    fn from(entry: ExportedEntry) -> Self {
        Self {
            id: entry.id,
            created_at: entry.created_at,
            actor_portal_user_id: entry.actor_portal_user_id,
            actor_name: entry.actor_name,
            action: entry.action,
            object_type: entry.object_type,
            object_id: entry.object_id,
            details: entry.details.get().to_owned(),
            ip_address: entry.ip_address,
            user_agent: entry.user_agent,
            request_id: entry.request_id,
            previous_hash: entry.previous_hash,
            entry_hash: entry.entry_hash,
        }
    }
}

struct Document<'a, F> {
    take: &'a mut F,
    end: &'a mut Option<Head>,
}

impl<'de, F: FnMut(ChainedEntry)> Visitor<'de> for Document<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `entries` and `end`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "entries" => members.next_value_seed(Entries { take: &mut *self.take })?,
                "end" => {
                    let ExportedEnd { last_id, entry_hash } = members.next_value()?;
                    *self.end = Some(Head { last_id, entry_hash });
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Entries<'a, F> {
    take: &'a mut F,
}

impl<'de, F: FnMut(ChainedEntry)> DeserializeSeed<'de> for Entries<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(ChainedEntry)> Visitor<'de> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<ExportedEntry>()? {
            (self.take)(entry.into());
        }
        Ok(())
    }
}
