//! `GET /api/identity`: who held an address at an instant.

use std::net::IpAddr;

use actix_web::get;
use actix_web::web::Data;
use db::Db;
use db::identity::{self, AddressKind, Candidate};
use db::servers::{self, GapRow};
use db::sessions::SessionView;
use domain::identity::{Certainty, GapSpan, Verdict, judge};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, invalid_parameter};
use crate::gap::GapView;
use crate::parameters::Parameters;
use crate::{State, identity_reason};

/// Who held an address at an instant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Identity {
    #[schema(value_type = String, example = "10.8.0.23")]
    ip: IpAddr,
    #[serde(serialize_with = "time_format::millis")]
    at: OffsetDateTime,
    /// The best certainty of any holder.
    answer: CertaintyView,
    /// The answer and its reasons, for people.
    #[schema(
        example = "10.8.0.23 was held at 2026-02-13T03:14:07.000Z by jdoe on vpn-1, for certain: there is proof of life at 2026-02-13T03:10:00.000Z and at 2026-02-13T03:20:00.000Z."
    )]
    why: String,
    /// Certain ones first.
    holders: Vec<Holder>,
    /// Missing events of any VPN server around the instant: a holder may be among them. At most 200.
    gaps: Vec<GapView>,
}

/// How well it is known that a session held the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Certainty)]
pub(crate) enum CertaintyView {
    /// Between two proofs of life.
    Certain,
    /// Between the last proof of life and the first disproof, if there is one.
    Probable,
    None,
}

/// Which of a session's addresses it is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AddressKind)]
pub(crate) enum AddressKindView {
    VirtualIp,
    VirtualIp6,
    RealIp,
}

/// A session that held the address, certainly or probably.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Holder {
    pub(crate) certainty: CertaintyView,
    address: AddressKindView,
    session: SessionView,
    /// Why, for people.
    pub(crate) why: String,
    /// Proof of life at or before the instant.
    #[serde(serialize_with = "time_format::millis")]
    proof_before: OffsetDateTime,
    /// Proof of life at or after the instant; null when it is only probable.
    #[serde(serialize_with = "time_format::optional_millis")]
    proof_after: Option<OffsetDateTime>,
    /// The first disproof of life after the instant.
    #[serde(serialize_with = "time_format::optional_millis")]
    disproof: Option<OffsetDateTime>,
    /// Missing events of its VPN server between the proofs, or between the last proof and the disproof.
    gaps: Vec<GapView>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct IdentityParams {
    /// Virtual address (IPv4 or IPv6) or real address.
    #[param(example = "10.8.0.23")]
    ip: String,
    /// RFC 3339 time; now when not given.
    #[param(example = "2026-02-13T03:14:07Z")]
    at: Option<String>,
}

/// VPN servers' clocks may be ahead of ours by this much.
const FUTURE: Duration = Duration::minutes(5);
const MOST_GAPS: usize = 200;

/// Who held an address at an instant.
#[utoipa::path(
    operation_id = "get_identity",
    tag = "identity",
    params(IdentityParams),
    responses(
        (status = 200, description = "The holders, possibly none", body = Identity),
        (status = 400, description = "A parameter is missing, not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/identity")]
pub(crate) async fn get_identity(
    state: Data<State>,
    parameters: Parameters<IdentityParams>,
) -> Result<Json<Identity>, Problem> {
    let now = clock::now();
    let ip = parameters.value("ip", "an IPv4 or IPv6 address", |text| text.parse().ok())?;
    let ip: IpAddr = ip.ok_or_else(|| invalid_parameter("ip", "`ip` is required."))?;
    let at = parameters
        .value(
            "at",
            "an RFC 3339 time (2026-02-13T03:14:07Z)",
            time_format::parse_rfc3339,
        )?
        .unwrap_or(now);
    if at > now + FUTURE {
        return Err(invalid_parameter("at", "`at` must not lie in the future."));
    }
    Ok(Json(
        answer(&state.db, ip.to_canonical(), at, now)
            .await
            .map_err(Failure::from)?,
    ))
}

async fn answer(db: &Db, ip: IpAddr, at: OffsetDateTime, now: OffsetDateTime) -> Result<Identity, db::Error> {
    let candidates = identity::candidates(db, ip, at).await?;
    let claims: Vec<_> = candidates.iter().map(Candidate::claim).collect();
    let held = judge(at, &claims)
        .into_iter()
        .filter(|verdict| verdict.certainty != Certainty::None);
    let mut holders = Vec::new();
    for verdict in held {
        let candidate = candidates
            .iter()
            .find(|candidate| candidate.row.session.id == verdict.session_id);
        if let Some(candidate) = candidate.cloned() {
            holders.push(holder(db, candidate, &verdict, at, now).await?);
        }
    }
    let around = servers::gaps_between(db, &[], Some(at), Some(at)).await?;
    Ok(Identity {
        ip,
        at,
        why: identity_reason::of_answer(ip, at, &holders, around.len()),
        answer: holders.first().map_or(CertaintyView::None, |holder| holder.certainty),
        holders,
        gaps: around.into_iter().take(MOST_GAPS).map(GapView::from).collect(),
    })
}

async fn holder(
    db: &Db,
    candidate: Candidate,
    verdict: &Verdict,
    at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Holder, db::Error> {
    let (from, to) = verdict.interval(at);
    let gaps = servers::gaps_between(db, &[candidate.row.session.server_id], Some(from), Some(to)).await?;
    let touches = |gap: &GapRow| {
        GapSpan {
            after: gap.after_time,
            before: gap.before_time,
        }
        .touches(from, to)
    };
    let gaps: Vec<GapView> = gaps.into_iter().filter(touches).map(GapView::from).collect();
    let session = candidate.row.view(now);
    Ok(Holder {
        certainty: verdict.certainty.into(),
        address: candidate.kind.into(),
        why: identity_reason::of_holder(&session, verdict, gaps.len()),
        session,
        proof_before: verdict.proof_before,
        proof_after: verdict.proof_after,
        disproof: verdict.disproof,
        gaps,
    })
}

impl From<Certainty> for CertaintyView {
    fn from(certainty: Certainty) -> Self {
        match certainty {
            Certainty::Certain => Self::Certain,
            Certainty::Probable => Self::Probable,
            Certainty::None => Self::None,
        }
    }
}

impl From<AddressKind> for AddressKindView {
    fn from(kind: AddressKind) -> Self {
        match kind {
            AddressKind::VirtualIp => Self::VirtualIp,
            AddressKind::VirtualIp6 => Self::VirtualIp6,
            AddressKind::RealIp => Self::RealIp,
        }
    }
}
