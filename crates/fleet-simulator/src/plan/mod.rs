//! A fleet of VPN servers as it would live, computed in advance: the same settings give the same events with the same ids.
//!
//! Time is simulated. [`ServerPlan`] yields what happens on one server in the order of time; [`Deliveries`] turns that into
//! what its agent sends and when, with batches lost, doubled, delayed and shuffled on the way.

mod calendar;
mod deliveries;
mod dice;
mod inventory;
mod people;
mod pool;
mod server;
mod sessions;

use time::OffsetDateTime;
use uuid::Uuid;

pub use deliveries::{Deliveries, Delivery, Parcel};
pub use server::{Planned, PlannedFact, ServerPlan};

/// What the fleet is like. Seconds are simulated seconds, except where said otherwise.
#[derive(Debug, Clone)]
pub struct FleetSettings {
    pub seed: u64,
    /// Names of the VPN servers.
    pub servers: Vec<String>,
    /// VPN users of the whole fleet.
    pub users: u32,
    /// When the simulated history begins; all ids depend on it too, so that two runs never share ids.
    pub start: OffsetDateTime,
    /// How many simulated seconds pass in a second of the servers' clocks. Above 1, days are short and lively.
    pub speed: f64,
    /// How often a VPN user connects on a working day, on average.
    pub connects_per_day: f64,
    /// Between two counter readings of a session.
    pub sample_seconds: f64,
    /// Between two full lists of a server's sessions.
    pub snapshot_seconds: f64,
    pub heartbeat_seconds: f64,
    /// Between two restarts of a server, on average.
    pub restart_seconds: f64,
    /// The last so many servers have agents that report connects and disconnects only, without session ids.
    pub minimal_agents: usize,
    /// An agent sends what it has at most so many seconds of its own clock after it happened.
    pub flush_seconds: f64,
    pub faults: Faults,
    /// How likely it is, from 0 to 1, that a client whose session was ended on the portal's demand tries again after some seconds.
    pub returns: f64,
}

/// How likely it is that a batch has trouble on its way; each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// Never sent: a gap in the numbering.
    pub lost: f64,
    /// Sent twice.
    pub doubled: f64,
    /// Sent minutes later than the batches after it.
    pub late: f64,
    /// Events out of order within the batch.
    pub shuffled: f64,
}

impl Faults {
    pub const NONE: Self = Self {
        lost: 0.0,
        doubled: 0.0,
        late: 0.0,
        shuffled: 0.0,
    };
}

impl FleetSettings {
    /// An ordinary fleet: `servers` with `users` from `start` on.
    pub fn new(seed: u64, servers: Vec<String>, users: u32, start: OffsetDateTime) -> Self {
        let minimal_agents = usize::from(servers.len() >= 4);
        Self {
            seed,
            servers,
            users,
            start,
            speed: 1.0,
            connects_per_day: 3.0,
            sample_seconds: 60.0,
            snapshot_seconds: 300.0,
            heartbeat_seconds: 30.0,
            restart_seconds: 3.0 * 86_400.0,
            minimal_agents,
            flush_seconds: 5.0,
            faults: Faults {
                lost: 0.002,
                doubled: 0.01,
                late: 0.01,
                shuffled: 0.02,
            },
            returns: 0.5,
        }
    }

    /// What happens on the server with this index, from the start for ever.
    pub fn server_plan(&self, index: usize) -> ServerPlan {
        ServerPlan::new(self, index)
    }

    /// What the agent of the server with this index sends, from the start for ever.
    pub fn deliveries(&self, index: usize) -> Deliveries {
        Deliveries::new(self, index, self.server_plan(index))
    }

    /// Different for every seed, start, server and purpose.
    fn stream_seed(&self, index: usize, purpose: &str) -> u64 {
        let name = format!(
            "{}/{}/{}/{purpose}",
            self.seed,
            self.start.unix_timestamp_nanos(),
            self.servers.get(index).map_or("", String::as_str)
        );
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).as_u64_pair().0
    }
}
