use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "session_status")]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    #[sea_orm(string_value = "active")]
    Active,
    #[sea_orm(string_value = "disconnected")]
    Disconnected,
    #[sea_orm(string_value = "timeout")]
    Timeout,
}

/// What made it known that a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "session_end")]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    #[sea_orm(string_value = "reported")]
    Reported,
    #[sea_orm(string_value = "superseded")]
    Superseded,
    #[sea_orm(string_value = "server_restart")]
    ServerRestart,
    #[sea_orm(string_value = "reconciled")]
    Reconciled,
    #[sea_orm(string_value = "timeout")]
    Timeout,
    #[sea_orm(string_value = "terminated")]
    Terminated,
}

/// How a byte count is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "bytes_source")]
#[serde(rename_all = "snake_case")]
pub enum BytesSource {
    #[sea_orm(string_value = "final")]
    Final,
    #[sea_orm(string_value = "last_poll")]
    LastPoll,
    #[sea_orm(string_value = "missing")]
    Missing,
}

/// What a VPN user is to the business; edited in the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "user_type")]
#[serde(rename_all = "snake_case")]
pub enum UserType {
    #[sea_orm(string_value = "internal")]
    Internal,
    #[sea_orm(string_value = "external")]
    External,
    #[sea_orm(string_value = "contractor")]
    Contractor,
    #[sea_orm(string_value = "guest")]
    Guest,
}

/// Whether the business lets a VPN user in; edited in the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "business_status")]
#[serde(rename_all = "snake_case")]
pub enum BusinessStatus {
    #[sea_orm(string_value = "active")]
    Active,
    #[sea_orm(string_value = "suspended")]
    Suspended,
    #[sea_orm(string_value = "terminated")]
    Terminated,
}

/// What kind of fact an event is, as the agent API names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "event_type")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    #[sea_orm(string_value = "SERVER_STARTED")]
    ServerStarted,
    #[sea_orm(string_value = "SESSION_CONNECTED")]
    SessionConnected,
    #[sea_orm(string_value = "SESSION_UPDATED")]
    SessionUpdated,
    #[sea_orm(string_value = "SESSION_SNAPSHOT")]
    SessionSnapshot,
    #[sea_orm(string_value = "SESSION_DISCONNECTED")]
    SessionDisconnected,
    #[sea_orm(string_value = "SERVER_STOPPED")]
    ServerStopped,
}
