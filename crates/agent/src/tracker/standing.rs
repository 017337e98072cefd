//! What the carrying out of commands asks the tracker.

use std::collections::HashSet;

use openvpn::status::ListedClient;
use uuid::Uuid;

use super::Tracker;
use super::session::{Key, session_id};

/// How a session stands, and which others its VPN user has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub is_open: bool,
    pub others: Vec<Uuid>,
}

impl Tracker {
    /// A session counts as over as soon as any source says so, also while the hook's word on its counters is awaited.
    pub fn standing(&self, id: Uuid, common_name: &str) -> Standing {
        let mut standing = Standing::default();
        for (key, session) in self.of_user(common_name) {
            debug_assert_eq!(key.common_name, common_name);
            if session.id != id {
                standing.others.push(session.id);
            } else if session.ending.is_none() && session.missing_since.is_none() {
                standing.is_open = true;
            }
        }
        standing
    }

    /// The open sessions of these VPN users.
    pub fn sessions_of(&self, names: &HashSet<String>) -> Vec<(Uuid, String)> {
        let sessions = names.iter().flat_map(|name| self.of_user(name));
        let open = sessions.filter(|(_, session)| session.ending.is_none() && session.missing_since.is_none());
        open.map(|(key, session)| (session.id, key.common_name.clone()))
            .collect()
    }

    /// The agent is about to end this session; or it was not carried out after all.
    pub fn set_killed(&mut self, id: Uuid, killed: bool) {
        match killed {
            true => self.killed.insert(id),
            false => self.killed.remove(&id),
        };
    }

    pub(super) fn of_user(&self, common_name: &str) -> impl Iterator<Item = (&Key, &super::session::Tracked)> {
        let first = Key {
            common_name: common_name.to_owned(),
            connected_at: i64::MIN,
            virtual_ip: None,
            nth: 0,
        };
        let name = common_name.to_owned();
        self.sessions
            .range(first..)
            .take_while(move |(key, _)| key.common_name == name)
    }
}

/// Sessions that are alike in all that their names say, at most, of which one can be ended.
const ALIKE: usize = 8;

/// The client of a report that is this session: its id says common name, second of the connect and address at once.
pub fn cid_of_session(namespace: &Uuid, id: Uuid, clients: &[ListedClient]) -> Option<u64> {
    clients.iter().find_map(|client| {
        let connected_at = client.connected_at?.unix_timestamp();
        let virtual_ip = client.virtual_ip.or(client.virtual_ip6);
        let mut keys = (0..ALIKE).map(|nth| Key {
            common_name: client.common_name.clone(),
            connected_at,
            virtual_ip,
            nth,
        });
        keys.any(|key| session_id(namespace, &key) == id)
            .then_some(client.cid)?
    })
}
