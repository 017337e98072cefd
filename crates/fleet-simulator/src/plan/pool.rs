//! The virtual addresses of one VPN server.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::people::has_static_address;

/// The first address that is nobody's but by configuration.
const BEYOND_POOL: u16 = 60_000;
/// How many such addresses there are.
const STATIC: usize = 5_000;

/// Hands out addresses as OpenVPN does: who comes back gets the old one while it is free.
#[derive(Debug)]
pub(super) struct Pool {
    server: u16,
    size: u16,
    next: u16,
    taken: HashSet<u16>,
    last: HashMap<usize, u16>,
}

/// A place in the pool: one IPv4 and one IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u16);

impl Pool {
    /// Smaller than the number of users, so that an address has several holders in the course of time.
    pub(super) fn new(server: usize, users: usize) -> Self {
        let size = (users / 2 + 16).min(BEYOND_POOL.into());
        Self {
            server: u16::try_from(server % 100).unwrap_or_default(),
            size: u16::try_from(size).unwrap_or(BEYOND_POOL),
            next: 0,
            taken: HashSet::new(),
            last: HashMap::new(),
        }
    }

    /// Where a user with a static address is, beyond the addresses that are handed out.
    pub(super) fn fixed(user: usize) -> Option<Place> {
        let number = u16::try_from(user % STATIC).unwrap_or_default();
        has_static_address(user).then_some(Place(BEYOND_POOL + number))
    }

    /// `None` when all addresses are in use.
    pub(super) fn take(&mut self, user: usize) -> Option<Place> {
        let known = Self::fixed(user)
            .map(|place| place.0)
            .or_else(|| self.last.get(&user).copied())
            .filter(|place| !self.taken.contains(place));
        let place = known.or_else(|| self.next_free())?;
        self.taken.insert(place);
        self.last.insert(user, place);
        Some(Place(place))
    }

    pub(super) fn free(&mut self, place: Place) {
        self.taken.remove(&place.0);
    }

    pub(super) fn free_all(&mut self) {
        self.taken.clear();
    }

    fn next_free(&mut self) -> Option<u16> {
        for _ in 0..self.size {
            let place = self.next;
            self.next = (self.next + 1) % self.size;
            if !self.taken.contains(&place) {
                return Some(place);
            }
        }
        None
    }

    pub(super) fn virtual_ip(&self, place: Place) -> IpAddr {
        let network = Ipv4Addr::new(10, 64 + self.server as u8, 0, 0).to_bits();
        Ipv4Addr::from_bits(network + 2 + u32::from(place.0)).into()
    }

    pub(super) fn virtual_ip6(&self, place: Place) -> IpAddr {
        Ipv6Addr::new(
            0xfd42,
            0x66,
            self.server,
            0,
            0,
            0,
            0,
            0x1000_u16.saturating_add(place.0),
        )
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_gets_the_old_address_while_it_is_free() {
        let mut pool = Pool::new(0, 100);
        let first = pool.take(7).unwrap();
        pool.free(first);
        let other = pool.take(8).unwrap();
        assert_ne!(first, other);
        assert_eq!(pool.take(7), Some(first));
        assert_eq!(pool.virtual_ip(first).to_string(), "10.64.0.2");
    }

    #[test]
    fn a_full_pool_gives_nothing() {
        let mut pool = Pool::new(0, 0);
        let people = (0..40).filter(|user| !has_static_address(*user));
        assert_eq!(people.filter_map(|user| pool.take(user)).count(), 16);
    }

    #[test]
    fn a_static_address_is_always_the_same_and_waits_for_its_holder() {
        let mut pool = Pool::new(0, 0);
        let place = pool.take(5).unwrap();
        assert_eq!(Pool::fixed(5), Some(place));
        assert!((0..5).filter_map(|user| pool.take(user)).all(|other| other != place));
        pool.free(place);
        assert_eq!(pool.take(5), Some(place));
    }
}
