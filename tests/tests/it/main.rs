//! The whole product as its users see it: agents on one side, the portal's API on the other, real servers in between.

mod access;
mod agent;
mod convergence;
mod faults;
mod fleet;
mod histories;
mod live_cache;
mod openvpn;
mod operations;
mod payloads;
mod realtime;
mod replay;
mod stories;
