//! Missing events, as every answer that they touch shows them.

use db::servers::GapRow;
use domain::time_format;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A range of event numbers that have not arrived from a VPN server.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Gap)]
pub(crate) struct GapView {
    pub(crate) server_instance: String,
    /// The boot that numbers the events; null when the agent names none.
    pub(crate) boot_id: Option<Uuid>,
    pub(crate) from_seq: i64,
    pub(crate) to_seq: i64,
    pub(crate) missing_events: i64,
    /// Time of the event before; null when the boot's first events are missing.
    #[serde(serialize_with = "time_format::optional_millis")]
    pub(crate) after_time: Option<OffsetDateTime>,
    /// Time of the event behind.
    #[serde(serialize_with = "time_format::millis")]
    pub(crate) before_time: OffsetDateTime,
}

impl From<GapRow> for GapView {
    fn from(gap: GapRow) -> Self {
        Self {
            server_instance: gap.server_instance,
            boot_id: Some(gap.boot_id).filter(|boot_id| !boot_id.is_nil()),
            from_seq: gap.from_seq,
            to_seq: gap.to_seq,
            missing_events: gap.to_seq - gap.from_seq + 1,
            after_time: gap.after_time,
            before_time: gap.before_time,
        }
    }
}
