use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::inventory::Inventory;
use sqlx::{PgConnection, Row};

use super::fresh::Fresh;
use crate::Error;

/// What a processor remembers between batches: ids of VPN users, which never change, and partitions that exist.
#[derive(Debug)]
pub struct KnownUsers {
    ids: HashMap<String, i64>,
    capacity: usize,
    partitions: HashSet<(i32, u8)>,
}

impl KnownUsers {
    /// Remembers at most `capacity` users.
    pub fn new(capacity: usize) -> Self {
        Self {
            ids: HashMap::new(),
            capacity,
            partitions: HashSet::new(),
        }
    }

    /// Forgets everything: a database that was away may have come back without its last commits.
    pub fn forget(&mut self) {
        self.ids.clear();
        self.partitions.clear();
    }

    pub(super) fn remember(&mut self, users: HashMap<String, i64>) {
        if self.ids.len() + users.len() > self.capacity {
            self.ids.clear();
        }
        self.ids.extend(users);
    }

    pub(super) fn has_partition(&self, month: (i32, u8)) -> bool {
        self.partitions.contains(&month)
    }

    pub(super) fn add_partition(&mut self, month: (i32, u8)) {
        self.partitions.insert(month);
    }
}

/// Ids of the VPN users that a batch names.
pub(super) struct Users<'a> {
    ids: HashMap<&'a str, i64>,
    /// Found or created in this transaction.
    new: HashMap<String, i64>,
    created: HashSet<i64>,
}

impl<'a> Users<'a> {
    /// The id of a user that the batch names.
    pub(super) fn id(&self, common_name: &str) -> i64 {
        *self.ids.get(common_name).expect("every name in the batch was resolved")
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (i64, &'a str)> {
        self.ids.iter().map(|(name, id)| (*id, *name))
    }

    /// Whether the user came into being with this batch, so that nothing can be stored of it.
    pub(super) fn is_created(&self, id: i64) -> bool {
        self.created.contains(&id)
    }

    pub(super) fn into_new(self) -> HashMap<String, i64> {
        self.new
    }
}

/// Looks up the users that the fresh events and the inventories name, and creates those nobody has seen yet.
pub(super) async fn resolve<'a>(
    connection: &mut PgConnection,
    fresh: &Fresh<'a>,
    inventories: &BTreeMap<i32, &'a Inventory>,
    known: &KnownUsers,
) -> Result<Users<'a>, Error> {
    let of_events = fresh
        .events
        .iter()
        .flat_map(|item| item.event.sessions.iter().map(|facts| facts.common_name.as_str()));
    let of_inventories = inventories.values().flat_map(|inventory| inventory.common_names());
    let names: BTreeSet<&'a str> = of_events.chain(of_inventories).collect();
    let mut users = Users {
        ids: HashMap::with_capacity(names.len()),
        new: HashMap::new(),
        created: HashSet::new(),
    };
    let mut unknown = Vec::new();
    for name in names {
        match known.ids.get(name) {
            Some(id) => drop(users.ids.insert(name, *id)),
            None => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        create(connection, &unknown, &mut users).await?;
        look_up(connection, &unknown, &mut users).await?;
    }
    Ok(users)
}

/// In ascending order of names, so that replicas that create the same users do not wait for one another in a circle.
async fn create(connection: &mut PgConnection, names: &[&str], users: &mut Users<'_>) -> Result<(), Error> {
    let sql = "INSERT INTO vpn_user (common_name)
        SELECT name FROM unnest($1::text[]) AS name
        WHERE NOT EXISTS (SELECT 1 FROM vpn_user u WHERE u.common_name = name) ORDER BY name
        ON CONFLICT (common_name) DO NOTHING RETURNING id";
    for row in sqlx::query(sql).bind(names).fetch_all(connection).await? {
        users.created.insert(row.try_get(0)?);
    }
    Ok(())
}

async fn look_up<'a>(connection: &mut PgConnection, names: &[&'a str], users: &mut Users<'a>) -> Result<(), Error> {
    let sql = "SELECT u.id, u.common_name FROM vpn_user u WHERE u.common_name = ANY($1)";
    for row in sqlx::query(sql).bind(names).fetch_all(connection).await? {
        users.new.insert(row.try_get(1)?, row.try_get(0)?);
    }
    for name in names {
        let id = users
            .new
            .get(*name)
            .ok_or_else(|| Error::Corrupt(format!("VPN user {name} is neither new nor known")))?;
        users.ids.insert(name, *id);
    }
    Ok(())
}
