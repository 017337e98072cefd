//! The timeline: a set of events in, sessions out. Whatever the order, batching or duplication in which events arrive, the
//! same set gives the same sessions, because events take effect in the order of their own key, never of their arrival.
//!
//! Sessions of one VPN user on one VPN server form a [`Track`]. What happens elsewhere on the server reaches a track only as
//! facts that follow from single events (a restart, a snapshot's list, another user's connect that takes an address), never
//! from derived sessions. So a late event replays the tracks it touches and no more, and a track may be continued from its
//! stored sessions when everything new comes after everything known.

mod fact;
mod server;
mod track;

pub use fact::{Fact, FactKey, Takeover};
pub use server::{ServerTimeline, Timeline, boot_starts, timeline};
pub use track::{Effect, GRACE, SAME_CONNECT, Track};
