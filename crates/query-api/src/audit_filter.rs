//! Which entries of the audit log a request asks for.

use db::audit::{Action, AuditFilter};
use db::sessions::parse_network;
use service_kit::Problem;
use utoipa::IntoParams;

use crate::parameters::{DATE_OR_TIME, Parameters, beginning, first_behind};

/// Longer terms find nothing.
const LONGEST_TEXT: usize = 255;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct AuditFilterParams {
    /// Entries at or after: RFC 3339 time, or a day from its beginning in UTC.
    #[param(example = "2026-02-13")]
    from_date: Option<String>,
    /// Entries at or before: RFC 3339 time, or a day until its end in UTC.
    to_date: Option<String>,
    /// The actor's name, in any case.
    actor: Option<String>,
    /// What was done, such as `login_failed`; repeat it or separate by commas for several.
    #[param(required = false)]
    action: Vec<String>,
    /// The kind of object, such as `vpn_server`; repeat it or separate by commas for several.
    #[param(required = false)]
    object_type: Vec<String>,
    object_id: Option<String>,
    /// Address or network that holds the actor's address.
    #[param(example = "10.8.0.0/24")]
    ip: Option<String>,
    /// Part of the details, in any case.
    text: Option<String>,
}

/// Reads the filter. Only documented parameters get here.
pub(crate) fn read<P: IntoParams>(parameters: &Parameters<P>) -> Result<AuditFilter, Problem> {
    let short = |text: &str| (text.chars().count() <= LONGEST_TEXT).then(|| text.to_owned());
    let short_text = |name| parameters.value(name, "at most 255 characters", short);
    Ok(AuditFilter {
        from: parameters.value("from_date", DATE_OR_TIME, beginning)?,
        before: parameters.value("to_date", DATE_OR_TIME, first_behind)?,
        actor: short_text("actor")?,
        actor_portal_user_id: None,
        actions: parameters.values("action", &actions(), action)?,
        object_types: parameters.values("object_type", "at most 255 characters", short)?,
        object_id: short_text("object_id")?,
        network: parameters.value("ip", "an address (10.8.0.2) or a network (10.8.0.0/24)", parse_network)?,
        text: short_text("text")?,
    })
}

fn action(text: &str) -> Option<Action> {
    Action::ALL.into_iter().find(|action| action.as_str() == text)
}

fn actions() -> String {
    let names = Action::ALL.map(Action::as_str);
    format!("one of {}", names.join(", "))
}

/// The parameters of a request as the entry of its export holds them: what was asked for, in the caller's own words.
pub(crate) fn asked_for<P: IntoParams>(parameters: &Parameters<P>) -> serde_json::Value {
    let mut filter = serde_json::Map::new();
    for (name, value) in parameters.pairs().iter().filter(|(name, _)| name != "format") {
        let values = filter.entry(name.as_str()).or_insert_with(|| serde_json::json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value.as_str().into());
        }
    }
    filter.into()
}
