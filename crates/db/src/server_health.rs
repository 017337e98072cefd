//! How a VPN server is doing, from what was last heard of it.

use crate::entities::vpn_server;
use crate::servers::{self, ServerOverview};
use crate::{Db, Error};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

/// When a server counts as silent.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    /// Its agent sends heartbeats: it should be heard often.
    pub silent_with_heartbeats: Duration,
    /// Its agent sends only what happens, which may be nothing for long.
    pub silent_without_heartbeats: Duration,
}

/// How a VPN server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    Healthy,
    /// Heard, but something is wrong: see the reasons.
    Degraded,
    /// Not heard for too long.
    Silent,
    NeverSeen,
    Retired,
}

/// What is wrong with a server that is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Its clock is off by more than 5 s.
    ClockSkew,
    /// Its agent holds events back that are older than 5 minutes.
    SpoolBacklog,
    /// Events of the last 24 hours are missing.
    MissingEvents,
    /// Its processor or memory is used up.
    Overloaded,
}

/// A clock that is off by more is shown as wrong.
const TOLERATED_SKEW_MS: u64 = 5_000;
const TOLERATED_BACKLOG: Duration = Duration::minutes(5);
const GAPS_COUNT_FOR: Duration = Duration::DAY;
const OVERLOADED_PERCENT: f64 = 95.0;

/// A clock that is off by more than tolerated.
pub fn is_skewed(clock_skew_ms: Option<i64>) -> bool {
    clock_skew_ms.is_some_and(|skew| skew.unsigned_abs() > TOLERATED_SKEW_MS)
}

/// What the health of every VPN server is judged by: [`crate::servers::list`] without counting sessions, so that it can be
/// asked for every second.
///
/// # Errors
/// When the database does not answer.
pub async fn overviews(db: &Db) -> Result<Vec<ServerOverview>, Error> {
    let servers = vpn_server::Entity::find().all(&db.connection).await?;
    let ids: Vec<i32> = servers.iter().map(|server| server.id).collect();
    let mut states = servers::states(db, &ids).await?;
    let gaps = servers::gap_counts(db, &ids).await?;
    let overview = |server: vpn_server::Model| ServerOverview {
        state: states.remove(&server.id),
        active_sessions: 0,
        gaps: gaps.get(&server.id).copied().unwrap_or_default(),
        server,
    };
    Ok(servers.into_iter().map(overview).collect())
}

/// How a server is doing at `now`, and what is wrong if it is degraded.
pub fn judge(overview: &ServerOverview, thresholds: Thresholds, now: OffsetDateTime) -> (ServerStatus, Vec<Trouble>) {
    let last_heard_at = overview.state.as_ref().and_then(|state| state.last_heard_at);
    if overview.server.retired_at.is_some() {
        return (ServerStatus::Retired, Vec::new());
    }
    let Some(last_heard_at) = last_heard_at else {
        return (ServerStatus::NeverSeen, Vec::new());
    };
    let sends_heartbeats = overview
        .state
        .as_ref()
        .is_some_and(|state| state.last_heartbeat_at.is_some());
    let patience = match sends_heartbeats {
        true => thresholds.silent_with_heartbeats,
        false => thresholds.silent_without_heartbeats,
    };
    let troubles = troubles(overview, now);
    if now - last_heard_at > patience {
        (ServerStatus::Silent, troubles)
    } else if troubles.is_empty() {
        (ServerStatus::Healthy, troubles)
    } else {
        (ServerStatus::Degraded, troubles)
    }
}

fn troubles(overview: &ServerOverview, now: OffsetDateTime) -> Vec<Trouble> {
    let state = overview.state.as_ref();
    let used_up = |percent: Option<f64>| percent.is_some_and(|percent| percent >= OVERLOADED_PERCENT);
    let oldest_unsent_at = state.and_then(|state| state.oldest_unsent_at);
    let signs = [
        (
            Trouble::ClockSkew,
            is_skewed(state.and_then(|state| state.clock_skew_ms)),
        ),
        (
            Trouble::SpoolBacklog,
            oldest_unsent_at.is_some_and(|oldest| now - oldest > TOLERATED_BACKLOG),
        ),
        (
            Trouble::MissingEvents,
            overview.gaps.latest.is_some_and(|latest| now - latest < GAPS_COUNT_FOR),
        ),
        (
            Trouble::Overloaded,
            state.is_some_and(|state| used_up(state.cpu_percent) || used_up(state.memory_percent)),
        ),
    ];
    signs
        .into_iter()
        .filter(|(_, present)| *present)
        .map(|(trouble, _)| trouble)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::entities::{vpn_server, vpn_server_state};
    use crate::servers::GapCount;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-02-13 12:00 UTC);
    const THRESHOLDS: Thresholds = Thresholds {
        silent_with_heartbeats: Duration::minutes(3),
        silent_without_heartbeats: Duration::hours(2),
    };

    fn heard(ago: Duration) -> ServerOverview {
        let state = vpn_server_state::Model {
            server_id: 1,
            last_heard_at: Some(NOW - ago),
            last_event_at: None,
            last_proof_at: None,
            clock_skew_ms: Some(120),
            boot_id: None,
            last_heartbeat_at: None,
            cpu_percent: None,
            memory_percent: None,
            load_1m: None,
            openvpn_version: None,
            agent_version: None,
            uptime_seconds: None,
            session_count: None,
            dco: None,
            spool_depth: None,
            oldest_unsent_at: None,
        };
        let server = vpn_server::Model {
            id: 1,
            name: "vpn-1".to_owned(),
            description: String::new(),
            duplicate_cn: false,
            created_at: NOW,
            retired_at: None,
        };
        ServerOverview {
            server,
            state: Some(state),
            active_sessions: 0,
            gaps: GapCount::default(),
        }
    }

    fn with_state(ago: Duration, change: impl Fn(&mut vpn_server_state::Model)) -> ServerOverview {
        let mut overview = heard(ago);
        change(overview.state.as_mut().unwrap());
        overview
    }

    fn status(overview: &ServerOverview) -> ServerStatus {
        judge(overview, THRESHOLDS, NOW).0
    }

    #[test]
    fn a_server_without_heartbeats_may_be_quiet_for_two_hours() {
        assert_eq!(status(&heard(Duration::minutes(119))), ServerStatus::Healthy);
        assert_eq!(status(&heard(Duration::minutes(121))), ServerStatus::Silent);
    }

    #[test]
    fn a_server_with_heartbeats_is_silent_after_three_minutes() {
        let beating = |ago| with_state(ago, |state| state.last_heartbeat_at = Some(NOW));
        assert_eq!(status(&beating(Duration::minutes(2))), ServerStatus::Healthy);
        assert_eq!(status(&beating(Duration::minutes(4))), ServerStatus::Silent);
    }

    #[test]
    fn a_clock_that_is_off_degrades_in_either_direction() {
        for skew in [5_001, -5_001] {
            let overview = with_state(Duration::ZERO, |state| state.clock_skew_ms = Some(skew));
            assert_eq!(
                judge(&overview, THRESHOLDS, NOW),
                (ServerStatus::Degraded, vec![Trouble::ClockSkew])
            );
        }
        assert!(!is_skewed(Some(-5_000)));
        assert!(!is_skewed(None));
    }

    #[test]
    fn recent_gaps_old_unsent_events_and_load_degrade() {
        let mut overview = with_state(Duration::ZERO, |state| {
            state.oldest_unsent_at = Some(NOW - Duration::minutes(6));
            state.cpu_percent = Some(97.0);
        });
        overview.gaps = GapCount {
            ranges: 1,
            events: 3,
            latest: Some(NOW - Duration::hours(23)),
        };
        let expected = vec![Trouble::SpoolBacklog, Trouble::MissingEvents, Trouble::Overloaded];
        assert_eq!(judge(&overview, THRESHOLDS, NOW), (ServerStatus::Degraded, expected));
    }

    #[test]
    fn a_retired_server_is_retired_and_an_unheard_one_never_seen() {
        let mut overview = heard(Duration::ZERO);
        overview.server.retired_at = Some(NOW);
        assert_eq!(status(&overview), ServerStatus::Retired);
        let mut overview = heard(Duration::ZERO);
        overview.state = None;
        assert_eq!(status(&overview), ServerStatus::NeverSeen);
    }
}
