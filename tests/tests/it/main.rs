//! The whole product as its users see it: agents on one side, the portal's API on the other, real servers in between.

mod convergence;
mod faults;
mod histories;
mod live_cache;
mod operations;
mod payloads;
mod replay;
mod stories;
