//! What the product says of commands: the answer of `GET /api/v1/commands`.

use serde::Deserialize;
use uuid::Uuid;

/// All of it.
#[derive(Debug, Deserialize)]
pub struct Told {
    pub commands: Vec<ToldCommand>,
    pub denials: Vec<ToldDenial>,
    pub denials_version: String,
}

/// Something to do.
#[derive(Debug, Deserialize)]
pub struct ToldCommand {
    pub id: Uuid,
    pub kind: String,
    pub session_id: Uuid,
    pub common_name: String,
    pub expires_in_ms: u64,
    pub watch_seconds: u64,
}

/// A VPN user who may not connect.
#[derive(Debug, Deserialize)]
pub struct ToldDenial {
    pub id: Uuid,
    pub common_name: String,
    pub expires_in_ms: i64,
}
