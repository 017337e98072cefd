//! Boots and the numbering of events: what began when, and which numbers are missing.

use std::collections::{BTreeMap, BTreeSet};

use domain::gaps::{Gap, Ledger};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Request;
use super::fresh::Fresh;
use super::record::{signed, unsigned};
use crate::Error;

type BootKey = (i32, Uuid);

/// What the batch says of one boot.
#[derive(Default)]
struct Heard {
    earliest: Option<OffsetDateTime>,
    numbers: Vec<(u64, OffsetDateTime)>,
}

/// One boot as it is stored.
struct Stored {
    started_at: OffsetDateTime,
    ledger: Ledger,
}

/// A boot that the batch has begun, or whose beginning it has moved back.
#[derive(Debug, Clone, Copy)]
pub(super) struct BootStart {
    pub(super) server_id: i32,
    pub(super) boot_id: Uuid,
    pub(super) at: OffsetDateTime,
    /// What its beginning was thought to be.
    pub(super) before: Option<OffsetDateTime>,
}

#[derive(Debug, Default)]
pub(super) struct Boots {
    pub(super) changed: Vec<BootStart>,
}

impl Boots {
    pub(super) fn starts(&self) -> impl Iterator<Item = (i32, OffsetDateTime)> {
        self.changed.iter().map(|boot| (boot.server_id, boot.at))
    }
}

/// Takes the numbers of the batch into the boots' ledgers; tells which boots have begun.
pub(super) async fn arrive(
    connection: &mut PgConnection,
    requests: &[Request],
    fresh: &Fresh<'_>,
) -> Result<Boots, Error> {
    let heard = hear(requests, fresh);
    if heard.is_empty() {
        return Ok(Boots::default());
    }
    let mut stored = load(connection, &heard).await?;
    load_gaps(connection, &heard, &mut stored).await?;
    let mut boots = Boots::default();
    let (mut obsolete, mut new, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (key, mut heard) in heard {
        let before = stored.get(&key).map(|boot| boot.started_at);
        // Refused events alone begin no boot.
        let Some(earliest) = heard.earliest.or(before) else {
            continue;
        };
        let boot = stored.entry(key).or_insert_with(|| Stored {
            started_at: earliest,
            ledger: Ledger::default(),
        });
        let gaps_before = boot.ledger.gaps.clone();
        boot.ledger.arrive(&mut heard.numbers, !key.1.is_nil());
        boot.started_at = boot.started_at.min(earliest);
        if before != Some(boot.started_at) && !key.1.is_nil() {
            boots.changed.push(BootStart {
                server_id: key.0,
                boot_id: key.1,
                at: boot.started_at,
                before,
            });
        }
        obsolete.extend(
            gaps_before
                .iter()
                .filter(|gap| !boot.ledger.gaps.contains(gap))
                .map(|gap| (key, *gap)),
        );
        new.extend(
            boot.ledger
                .gaps
                .iter()
                .filter(|gap| !gaps_before.contains(gap))
                .map(|gap| (key, *gap)),
        );
        changed.push(key);
    }
    write(connection, &changed, &stored).await?;
    delete_gaps(connection, &obsolete).await?;
    insert_gaps(connection, &new).await?;
    Ok(boots)
}

fn hear(requests: &[Request], fresh: &Fresh<'_>) -> BTreeMap<BootKey, Heard> {
    let mut heard: BTreeMap<BootKey, Heard> = BTreeMap::new();
    for item in &fresh.events {
        let boot = heard
            .entry((item.server_id, item.event.boot_id.unwrap_or_default()))
            .or_default();
        let at = item.event.event_time;
        boot.earliest = Some(boot.earliest.map_or(at, |known| known.min(at)));
        boot.numbers.extend(item.event.seq.map(|seq| (seq, at)));
    }
    for request in requests.iter().filter(|request| !request.rejected_seqs.is_empty()) {
        // A refused event has no trustworthy time of its own.
        let at = request
            .events
            .first()
            .map_or(request.received_at, |event| event.event_time);
        let boot = heard
            .entry((request.server_id, request.boot_id.unwrap_or_default()))
            .or_default();
        boot.numbers.extend(request.rejected_seqs.iter().map(|seq| (*seq, at)));
    }
    heard
}

fn keys(heard: &BTreeMap<BootKey, Heard>) -> (Vec<i32>, Vec<Uuid>) {
    heard.keys().copied().unzip()
}

async fn load(
    connection: &mut PgConnection,
    heard: &BTreeMap<BootKey, Heard>,
) -> Result<BTreeMap<BootKey, Stored>, Error> {
    let (servers, boots) = keys(heard);
    let sql =
        "SELECT b.server_id, b.boot_id, b.started_at, b.lowest_seq, b.lowest_seq_at, b.highest_seq, b.highest_seq_at
        FROM unnest($1::int[], $2::uuid[]) AS t (server_id, boot_id) JOIN server_boot b USING (server_id, boot_id)";
    let rows = sqlx::query(sql).bind(servers).bind(boots).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let number = |seq: Option<i64>, at: Option<OffsetDateTime>| Some((unsigned(seq?), at?));
            let ledger = Ledger {
                lowest: number(row.try_get(3)?, row.try_get(4)?),
                highest: number(row.try_get(5)?, row.try_get(6)?),
                gaps: Vec::new(),
            };
            Ok((
                (row.try_get(0)?, row.try_get(1)?),
                Stored {
                    started_at: row.try_get(2)?,
                    ledger,
                },
            ))
        })
        .collect()
}

/// Loads the gaps that the batch's numbers may fall into.
async fn load_gaps(
    connection: &mut PgConnection,
    heard: &BTreeMap<BootKey, Heard>,
    stored: &mut BTreeMap<BootKey, Stored>,
) -> Result<(), Error> {
    let late: BTreeMap<BootKey, (u64, u64)> = heard
        .iter()
        .filter_map(|(key, heard)| {
            let numbers: BTreeSet<u64> = heard.numbers.iter().map(|(seq, _)| *seq).collect();
            let (first, last) = (*numbers.first()?, *numbers.last()?);
            let highest = stored.get(key)?.ledger.highest?.0;
            (first <= highest).then_some((*key, (first, last)))
        })
        .collect();
    if late.is_empty() {
        return Ok(());
    }
    let sql = "SELECT g.server_id, g.boot_id, g.from_seq, g.to_seq, g.after_time, g.before_time
        FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::bigint[]) AS t (server_id, boot_id, first, last)
        JOIN event_gap g ON g.server_id = t.server_id AND g.boot_id = t.boot_id AND g.from_seq <= t.last AND g.to_seq >= t.first
        ORDER BY g.from_seq";
    let rows = sqlx::query(sql)
        .bind(late.keys().map(|key| key.0).collect::<Vec<_>>())
        .bind(late.keys().map(|key| key.1).collect::<Vec<_>>())
        .bind(late.values().map(|range| signed(range.0)).collect::<Vec<_>>())
        .bind(late.values().map(|range| signed(range.1)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    for row in rows {
        let gap = Gap {
            from_seq: unsigned(row.try_get(2)?),
            to_seq: unsigned(row.try_get(3)?),
            after_time: row.try_get(4)?,
            before_time: row.try_get(5)?,
        };
        if let Some(boot) = stored.get_mut(&(row.try_get(0)?, row.try_get(1)?)) {
            boot.ledger.gaps.push(gap);
        }
    }
    Ok(())
}

async fn write(
    connection: &mut PgConnection,
    changed: &[BootKey],
    stored: &BTreeMap<BootKey, Stored>,
) -> Result<(), Error> {
    let sql = "INSERT INTO server_boot (server_id, boot_id, started_at, lowest_seq, lowest_seq_at, highest_seq, highest_seq_at)
        SELECT * FROM unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::timestamptz[])
        ON CONFLICT (server_id, boot_id) DO UPDATE SET started_at = excluded.started_at, lowest_seq = excluded.lowest_seq,
            lowest_seq_at = excluded.lowest_seq_at, highest_seq = excluded.highest_seq, highest_seq_at = excluded.highest_seq_at";
    let boots: Vec<&Stored> = changed.iter().map(|key| &stored[key]).collect();
    sqlx::query(sql)
        .bind(changed.iter().map(|key| key.0).collect::<Vec<_>>())
        .bind(changed.iter().map(|key| key.1).collect::<Vec<_>>())
        .bind(boots.iter().map(|boot| boot.started_at).collect::<Vec<_>>())
        .bind(
            boots
                .iter()
                .map(|boot| boot.ledger.lowest.map(|number| signed(number.0)))
                .collect::<Vec<_>>(),
        )
        .bind(
            boots
                .iter()
                .map(|boot| boot.ledger.lowest.map(|number| number.1))
                .collect::<Vec<_>>(),
        )
        .bind(
            boots
                .iter()
                .map(|boot| boot.ledger.highest.map(|number| signed(number.0)))
                .collect::<Vec<_>>(),
        )
        .bind(
            boots
                .iter()
                .map(|boot| boot.ledger.highest.map(|number| number.1))
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_gaps(connection: &mut PgConnection, gaps: &[(BootKey, Gap)]) -> Result<(), Error> {
    if gaps.is_empty() {
        return Ok(());
    }
    let sql =
        "DELETE FROM event_gap g USING unnest($1::int[], $2::uuid[], $3::bigint[]) AS t (server_id, boot_id, from_seq)
        WHERE g.server_id = t.server_id AND g.boot_id = t.boot_id AND g.from_seq = t.from_seq";
    sqlx::query(sql)
        .bind(gaps.iter().map(|(key, _)| key.0).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(key, _)| key.1).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(_, gap)| signed(gap.from_seq)).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_gaps(connection: &mut PgConnection, gaps: &[(BootKey, Gap)]) -> Result<(), Error> {
    if gaps.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO event_gap (server_id, boot_id, from_seq, to_seq, after_time, before_time)
        SELECT * FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])";
    sqlx::query(sql)
        .bind(gaps.iter().map(|(key, _)| key.0).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(key, _)| key.1).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(_, gap)| signed(gap.from_seq)).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(_, gap)| signed(gap.to_seq)).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(_, gap)| gap.after_time).collect::<Vec<_>>())
        .bind(gaps.iter().map(|(_, gap)| gap.before_time).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
