//! What every export has in common: its entry in the audit log, and how it says what it covers.

use audit_actor::Acting;
use db::audit::{self, Action, Entry};
use serde::Serialize;
use serde_json::json;
use service_kit::Problem;
use utoipa::IntoParams;

use crate::error::Failure;
use crate::parameters::Parameters;
use crate::{State, audit_filter};

/// No export without its entry in the audit log.
pub(crate) async fn record<P: IntoParams>(
    state: &State,
    acting: Acting,
    exported: (&'static str, Option<String>),
    format: &impl Serialize,
    parameters: &Parameters<P>,
) -> Result<(), Problem> {
    let (object_type, object_id) = exported;
    let entry = Entry {
        action: Action::Export,
        object_type,
        object_id,
        details: json!({"format": format, "filter": audit_filter::asked_for(parameters)}),
    };
    let recorded = audit::record(&state.writer, acting.0, entry).await;
    Ok(recorded.map_err(Failure::from)?)
}

/// What an export covers, for people.
pub(crate) fn covers<P: IntoParams>(what: &str, parameters: &Parameters<P>) -> String {
    let pairs = parameters.pairs().iter().filter(|(name, _)| name != "format");
    let filters: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    if filters.is_empty() {
        format!("all {what}")
    } else {
        format!("{what} with {}", filters.join(" "))
    }
}
