//! Why a session is taken to have held an address, in a sentence.

use std::net::IpAddr;

use db::sessions::SessionView;
use domain::identity::{Certainty, Verdict};
use domain::time_format::format_millis;
use time::OffsetDateTime;

use crate::identity::Holder;

/// Why one session did.
pub(crate) fn of_holder(session: &SessionView, verdict: &Verdict, gaps: usize) -> String {
    let who = format!("{} on {}", session.common_name, session.server_instance);
    let before = format_millis(verdict.proof_before);
    let reason = match (verdict.certainty, verdict.proof_after, verdict.disproof) {
        (Certainty::Certain, Some(after), _) => {
            format!(
                "{who}, for certain: there is proof of life at {before} and at {}.",
                format_millis(after)
            )
        }
        (Certainty::Certain, None, _) => format!("{who}, for certain: there is proof of life at {before}."),
        (_, _, Some(disproof)) => format!(
            "{who}, probably: the last proof of life before is at {before}, and nothing speaks against it until {}.",
            format_millis(disproof)
        ),
        _ => {
            format!("{who}, probably: the last proof of life is at {before}, and nothing has spoken against it since.")
        }
    };
    match gaps {
        0 => reason,
        gaps => format!(
            "{reason} {} of that VPN server in that time could change this.",
            missing(gaps)
        ),
    }
}

/// Why the answer is what it is.
pub(crate) fn of_answer(ip: IpAddr, at: OffsetDateTime, holders: &[Holder], gaps: usize) -> String {
    let at = format_millis(at);
    match holders {
        [] if gaps == 0 => {
            format!("No session is known to have held {ip} at {at}, and no events are known to be missing around then.")
        }
        [] => format!(
            "No session is known to have held {ip} at {at}. {} around then: a holder may be among them.",
            missing(gaps)
        ),
        [one] => format!("{ip} was held at {at} by {}", one.why),
        [first, others @ ..] => format!("{ip} was held at {at} by {} And by {} more.", first.why, others.len()),
    }
}

fn missing(gaps: usize) -> String {
    match gaps {
        1 => "A range of missing events".to_owned(),
        gaps => format!("{gaps} ranges of missing events"),
    }
}
