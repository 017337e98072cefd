//! VPN users who may not connect: a file that the agent writes and `agent hook` reads. Where the hook is not installed, the agent
//! ends the sessions of those who connect all the same.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Instant;
use crate::files::{self, replace};

/// What a denial's end may be off by before it is set right: the product's answer travels.
const CLOSE_MS: u64 = 60_000;
/// Below the agent's state folder. In the folder that is the daemon's too: its hooks run as its user, and new files there get its group.
const FILE: &str = "hooks/denials.json";

/// Of a list that somebody else has put there.
const LONGEST: u64 = 64 << 20;

/// The whole list, as the product gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denials {
    /// None before the first list.
    pub version: Option<String>,
    pub denials: Vec<Denial>,
}

/// One VPN user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    pub id: Uuid,
    pub common_name: String,
    pub until: Instant,
    /// Sessions that were there before the denial: it is about new ones.
    pub spared: HashSet<Uuid>,
}

impl Denials {
    /// What the agent has stored; the empty list before anything was.
    ///
    /// # Errors
    /// When there is a file that cannot be read or understood.
    pub fn load(state_dir: &Path) -> io::Result<Self> {
        match files::read(&state_dir.join(FILE), LONGEST) {
            Ok((bytes, _)) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// On disk when this returns, the whole list or the old one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn store(&self, state_dir: &Path) -> io::Result<()> {
        replace(&state_dir.join(FILE), &serde_json::to_vec(self)?)
    }

    /// For how many milliseconds more this VPN user may not connect, if he may not.
    pub fn refused_for(&self, common_name: &str, now: &Instant) -> Option<i64> {
        let own = self.denials.iter().filter(|denial| denial.common_name == common_name);
        own.map(|denial| denial.until.left(now)).filter(|left| *left > 0).max()
    }

    /// Whether this session may not be.
    pub fn refuses(&self, session: Uuid, common_name: &str, now: &Instant) -> bool {
        let mut own = self.denials.iter().filter(|denial| denial.common_name == common_name);
        own.any(|denial| denial.until.left(now) > 0 && !denial.spared.contains(&session))
    }

    /// The VPN users of the list whose time is not over.
    pub fn names(&self, now: &Instant) -> HashSet<String> {
        self.in_force(now).map(|denial| denial.common_name.clone()).collect()
    }

    /// Those whose time is not over.
    pub fn in_force(&self, now: &Instant) -> impl Iterator<Item = &Denial> {
        self.denials.iter().filter(|denial| denial.until.left(now) > 0)
    }

    /// Whether it ends as that other one does, as far as this host's clocks tell: after a restart of the host they may not.
    pub fn ends_as(&self, other: &Self, now: &Instant) -> bool {
        let ends = |list: &Self| -> Vec<(Uuid, i64)> {
            let ends = list.denials.iter().map(|denial| (denial.id, denial.until.left(now)));
            ends.collect()
        };
        let (own, others) = (ends(self), ends(other));
        own.len() == others.len()
            && own
                .iter()
                .zip(&others)
                .all(|(own, other)| own.0 == other.0 && own.1.abs_diff(other.1) < CLOSE_MS)
    }
}
