//! Identity at an instant: who held an address, how certain that is, and which missing events could change the answer.

use time::OffsetDateTime;
use uuid::Uuid;

/// How well it is known that a session held its address at the instant. Best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The instant lies between two proofs of life.
    Certain,
    /// The instant lies between the last proof of life and the first disproof, if there is one.
    Probable,
    /// The session had not begun, or had ended.
    None,
}

impl Certainty {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Probable => "probable",
            Self::None => "none",
        }
    }
}

/// A session's claim to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub session_id: Uuid,
    /// `vpn_server.id`: an address belongs to one server's pool.
    pub server_id: i32,
    /// One session of a server at a time has it, as with virtual addresses: a later connect disproves the earlier holder.
    pub exclusive: bool,
    pub connected_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    /// The end that the server itself reported.
    pub reported_end: Option<OffsetDateTime>,
    /// The first disproof of life.
    pub not_after: Option<OffsetDateTime>,
}

/// Missing events of one server, as the instants of the events on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapSpan {
    /// None: the first numbers of a boot are missing, so what came before is not known.
    pub after: Option<OffsetDateTime>,
    pub before: OffsetDateTime,
}

impl GapSpan {
    /// Whether an event that is missing here may have happened within `from..=to`.
    pub fn touches(&self, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        self.before >= from && self.after.is_none_or(|after| after <= to)
    }
}

/// What is known of one claim at the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub session_id: Uuid,
    pub certainty: Certainty,
    /// The proof of life at or before the instant.
    pub proof_before: OffsetDateTime,
    /// The proof of life at or after the instant.
    pub proof_after: Option<OffsetDateTime>,
    /// The first disproof after the instant (`Probable`), or the one that settles it (`None`).
    pub disproof: Option<OffsetDateTime>,
}

impl Verdict {
    /// The interval that decides the verdict: missing events within it could change the answer.
    pub fn interval(&self, at: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
        (
            self.proof_before.min(at),
            self.proof_after.or(self.disproof).unwrap_or(at).max(at),
        )
    }
}

/// Judges every claim at the instant `at`: certain ones first, among equals the latest connect first.
pub fn judge(at: OffsetDateTime, claims: &[Claim]) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = claims
        .iter()
        .map(|claim| verdict(at, claim, successor(claim, claims)))
        .collect();
    verdicts.sort_by_key(|verdict| {
        (
            verdict.certainty,
            std::cmp::Reverse((connected_at(verdict, claims), verdict.session_id)),
        )
    });
    verdicts
}

fn connected_at(verdict: &Verdict, claims: &[Claim]) -> Option<OffsetDateTime> {
    claims
        .iter()
        .find(|claim| claim.session_id == verdict.session_id)
        .map(|claim| claim.connected_at)
}

/// When the next session of the same server connected with the address.
fn successor(claim: &Claim, claims: &[Claim]) -> Option<OffsetDateTime> {
    claims
        .iter()
        .filter(|other| claim.exclusive && other.exclusive && other.server_id == claim.server_id)
        .map(|other| other.connected_at)
        .filter(|connected_at| *connected_at > claim.connected_at)
        .min()
}

fn verdict(at: OffsetDateTime, claim: &Claim, successor: Option<OffsetDateTime>) -> Verdict {
    // A reported disconnect proves life until then and disproves it from then on.
    let last_proof = claim.last_seen_at.max(claim.reported_end.unwrap_or(claim.last_seen_at));
    let disproof = [claim.reported_end, claim.not_after, successor]
        .into_iter()
        .flatten()
        .min();
    let known = |certainty, proof_before, proof_after, disproof| Verdict {
        session_id: claim.session_id,
        certainty,
        proof_before,
        proof_after,
        disproof,
    };
    // A session of no length still held its address at its one instant.
    let ended = disproof.is_some_and(|disproof| at >= disproof && at > claim.connected_at);
    if at < claim.connected_at {
        known(Certainty::None, claim.connected_at, None, None)
    } else if ended {
        known(Certainty::None, last_proof, None, disproof)
    } else if at <= last_proof {
        known(Certainty::Certain, claim.connected_at, Some(last_proof), disproof)
    } else {
        known(Certainty::Probable, last_proof, None, disproof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_770_984_000 + second).unwrap()
    }

    fn claim(id: u128, connected: i64, last_seen: i64) -> Claim {
        Claim {
            session_id: Uuid::from_u128(id),
            server_id: 1,
            exclusive: true,
            connected_at: at(connected),
            last_seen_at: at(last_seen),
            reported_end: None,
            not_after: None,
        }
    }

    fn reported(id: u128, connected: i64, end: i64) -> Claim {
        Claim {
            reported_end: Some(at(end)),
            not_after: Some(at(end)),
            ..claim(id, connected, end)
        }
    }

    fn certainty(second: i64, claims: &[Claim]) -> Vec<(u128, Certainty)> {
        judge(at(second), claims)
            .iter()
            .map(|verdict| (verdict.session_id.as_u128(), verdict.certainty))
            .collect()
    }

    #[test]
    fn between_connect_and_reported_disconnect_it_is_certain() {
        let session = [reported(1, 0, 1800)];
        assert_eq!(certainty(0, &session), [(1, Certainty::Certain)]);
        assert_eq!(certainty(1799, &session), [(1, Certainty::Certain)]);
        assert_eq!(certainty(1800, &session), [(1, Certainty::None)]);
        assert_eq!(certainty(-1, &session), [(1, Certainty::None)]);
    }

    #[test]
    fn between_last_proof_and_first_disproof_it_is_probable() {
        let session = [Claim {
            not_after: Some(at(900)),
            ..claim(1, 0, 600)
        }];
        assert_eq!(certainty(600, &session), [(1, Certainty::Certain)]);
        assert_eq!(certainty(601, &session), [(1, Certainty::Probable)]);
        assert_eq!(certainty(899, &session), [(1, Certainty::Probable)]);
        assert_eq!(certainty(900, &session), [(1, Certainty::None)]);
        let verdict = judge(at(700), &session)[0];
        assert_eq!(
            (verdict.proof_before, verdict.proof_after, verdict.disproof),
            (at(600), None, Some(at(900)))
        );
    }

    #[test]
    fn an_open_session_is_probable_after_its_last_proof() {
        assert_eq!(certainty(86_400, &[claim(1, 0, 600)]), [(1, Certainty::Probable)]);
    }

    #[test]
    fn the_next_holder_of_a_virtual_address_disproves_the_one_before() {
        let sessions = [claim(1, 0, 600), claim(2, 1000, 1200)];
        assert_eq!(
            certainty(999, &sessions),
            [(1, Certainty::Probable), (2, Certainty::None)]
        );
        assert_eq!(
            certainty(1000, &sessions),
            [(2, Certainty::Certain), (1, Certainty::None)]
        );
    }

    #[test]
    fn the_same_virtual_address_on_another_server_is_another_holder() {
        let sessions = [
            claim(1, 0, 600),
            Claim {
                server_id: 2,
                ..claim(2, 100, 700)
            },
        ];
        assert_eq!(
            certainty(650, &sessions),
            [(2, Certainty::Certain), (1, Certainty::Probable)]
        );
    }

    #[test]
    fn a_real_address_may_have_many_holders() {
        let shared = |claim: Claim| Claim {
            exclusive: false,
            ..claim
        };
        let sessions = [shared(claim(1, 0, 2000)), shared(claim(2, 1000, 2000))];
        assert_eq!(
            certainty(1500, &sessions),
            [(2, Certainty::Certain), (1, Certainty::Certain)]
        );
    }

    #[test]
    fn a_session_of_no_length_held_its_address_at_its_one_instant() {
        let session = [reported(1, 0, 0)];
        assert_eq!(certainty(0, &session), [(1, Certainty::Certain)]);
        assert_eq!(certainty(1, &session), [(1, Certainty::None)]);
    }

    #[test]
    fn a_gap_touches_the_interval_that_decides_the_verdict() {
        let open = judge(
            at(800),
            &[Claim {
                not_after: Some(at(900)),
                ..claim(1, 0, 600)
            }],
        )[0];
        let (from, to) = open.interval(at(800));
        let gap = |after: Option<i64>, before: i64| GapSpan {
            after: after.map(at),
            before: at(before),
        };
        assert_eq!((from, to), (at(600), at(900)));
        assert!(gap(Some(700), 750).touches(from, to));
        assert!(
            gap(None, 650).touches(from, to),
            "what came before a boot's first number is unknown"
        );
        assert!(!gap(Some(100), 500).touches(from, to));
        assert!(!gap(Some(950), 990).touches(from, to));
    }
}
