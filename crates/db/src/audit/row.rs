use domain::audit_chain::{ChainedEntry, Hash};
use sea_orm::{DbErr, FromQueryResult, QueryResult};

/// An entry as it is read, with every field as the text that was hashed. What the owner alone could have made (a null, an
/// infinite time, a hash of another length) becomes something that no hash fits, so that it is found and not fallen over.
pub(super) const COLUMNS: &str = "audit_log.id, actor_portal_user_id, object_id, user_agent, request_id, \
    coalesce(to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), created_at::text, '') AS created_text, \
    coalesce(actor_name, '') AS actor_name, coalesce(action, '') AS action, coalesce(object_type, '') AS object_type, \
    coalesce(details_json::text, '') AS details, abbrev(ip_address) AS ip_text, \
    coalesce(previous_hash, '') AS previous_hash, coalesce(entry_hash, '') AS entry_hash";

#[derive(Debug)]
pub(super) struct EntryRow(pub(super) ChainedEntry);

impl FromQueryResult for EntryRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(ChainedEntry {
            id: row.try_get(prefix, "id")?,
            created_at: row.try_get(prefix, "created_text")?,
            actor_portal_user_id: row.try_get(prefix, "actor_portal_user_id")?,
            actor_name: row.try_get(prefix, "actor_name")?,
            action: row.try_get(prefix, "action")?,
            object_type: row.try_get(prefix, "object_type")?,
            object_id: row.try_get(prefix, "object_id")?,
            details: row.try_get(prefix, "details")?,
            ip_address: row.try_get(prefix, "ip_text")?,
            user_agent: row.try_get(prefix, "user_agent")?,
            request_id: row.try_get(prefix, "request_id")?,
            previous_hash: hash(row.try_get(prefix, "previous_hash")?),
            entry_hash: hash(row.try_get(prefix, "entry_hash")?),
        }))
    }
}

pub(super) fn hash(bytes: Vec<u8>) -> Hash {
    bytes.try_into().unwrap_or([0xff; 32])
}
