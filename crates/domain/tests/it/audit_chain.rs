//! Whatever is done to an audit log, its verifier finds it.

use domain::audit_chain::{
    BEFORE_THE_FIRST, COLUMNS, ChainedEntry, Checkpoint, Coverage, Fault, Hash, Head, PublicKey, Record, Report,
    SigningKey, Verifier, end_cells, entry_cells, record_from_cells,
};
use proptest::prelude::*;
use proptest::sample::Index;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

/// Computes the hashes of these entries, from the first to the last.
fn chain(mut entries: Vec<ChainedEntry>) -> Vec<ChainedEntry> {
    relink(&mut entries, BEFORE_THE_FIRST);
    entries
}

fn relink(entries: &mut [ChainedEntry], mut previous: Hash) {
    for entry in entries {
        entry.previous_hash = previous;
        entry.entry_hash = entry.hash();
        previous = entry.entry_hash;
    }
}

fn entries(count: i64) -> Vec<ChainedEntry> {
    let entry = |id: i64| ChainedEntry {
        id,
        created_at: format!("2026-02-13T12:00:00.{id:06}Z"),
        actor_name: "admin".to_owned(),
        action: "login".to_owned(),
        object_type: "portal_user".to_owned(),
        details: "{}".to_owned(),
        ..ChainedEntry::default()
    };
    chain((1..=count).map(entry).collect())
}

fn head(entries: &[ChainedEntry]) -> Head {
    entries.last().map_or(
        Head {
            last_id: 0,
            entry_hash: BEFORE_THE_FIRST,
        },
        |last| Head {
            last_id: last.id,
            entry_hash: last.entry_hash,
        },
    )
}

fn verify(entries: &[ChainedEntry], head: Option<Head>) -> Report {
    check(Verifier::new(Coverage::Whole, Vec::new(), &[]), entries, head)
}

fn check(mut verifier: Verifier, entries: &[ChainedEntry], head: Option<Head>) -> Report {
    entries.iter().for_each(|entry| verifier.push(entry));
    verifier.finish(head)
}

fn found(report: &Report) -> Option<(i64, Fault)> {
    report.first_bad.as_ref().map(|bad| (bad.id, bad.fault))
}

fn signing_key() -> SigningKey {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8(der.as_ref()).unwrap()
}

fn signed(key: &SigningKey, entry: &ChainedEntry) -> Checkpoint {
    key.sign(entry.id, entry.entry_hash, "2026-02-13T12:00:00.000Z".to_owned())
}

fn against(key: &SigningKey, checkpoints: Vec<Checkpoint>) -> Verifier {
    Verifier::new(Coverage::Whole, checkpoints, &[key.public_key().clone()])
}

#[test]
fn a_chain_that_nobody_touched_is_verified_to_its_end() {
    let log = entries(20);
    let report = verify(&log, Some(head(&log)));
    assert_eq!((report.entries, report.verified_to, report.first_bad), (20, 20, None));
    let empty = verify(&[], Some(head(&[])));
    assert_eq!((empty.entries, empty.verified_to, empty.first_bad), (0, 0, None));
}

#[test]
fn an_edited_entry_is_named() {
    let mut log = entries(20);
    let end = head(&log);
    log[6].actor_name = "nobody".to_owned();
    let report = verify(&log, Some(end));
    assert_eq!((found(&report), report.verified_to), (Some((7, Fault::Edited)), 6));
}

#[test]
fn an_edited_entry_whose_hash_was_computed_anew_is_named_also_when_it_is_the_last() {
    for position in [0, 6, 18, 19] {
        let mut log = entries(20);
        let end = head(&log);
        log[position].details = r#"{"nothing":"happened"}"#.to_owned();
        log[position].entry_hash = log[position].hash();
        let report = verify(&log, Some(end));
        assert_eq!(found(&report), Some((log[position].id, Fault::Edited)));
        assert_eq!(report.verified_to, log[position].id - 1);
    }
}

#[test]
fn deleted_entries_are_named_also_when_the_others_are_renumbered() {
    let mut log = entries(20);
    let end = head(&log);
    log.drain(6..9);
    let report = verify(&log, Some(end));
    assert_eq!(found(&report), Some((7, Fault::Deleted)));
    assert_eq!(
        report.first_bad.unwrap().to_string(),
        "Entries 7 to 9 were deleted: entry 10 stands in their place."
    );
    log.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
    assert_eq!(found(&verify(&log, Some(end))), Some((7, Fault::Deleted)));
}

#[test]
fn swapped_entries_are_named_whether_their_numbers_moved_with_them_or_not() {
    let mut log = entries(20);
    let end = head(&log);
    log.swap(6, 11);
    assert_eq!(found(&verify(&log, Some(end))), Some((7, Fault::Reordered)));
    log.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
    assert_eq!(found(&verify(&log, Some(end))), Some((7, Fault::Reordered)));
}

#[test]
fn an_inserted_entry_is_named_whether_its_hash_is_right_or_not() {
    for (is_chained, is_shifted) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut log = entries(20);
        let end = head(&log);
        let mut forged = log[6].clone();
        forged.actor_name = "forger".to_owned();
        if is_chained {
            forged.entry_hash = forged.hash();
        }
        log.insert(6, forged);
        if is_shifted {
            log.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
        }
        let report = verify(&log, Some(end));
        assert_eq!(found(&report), Some((7, Fault::Inserted)), "{is_chained} {is_shifted}");
        assert_eq!(report.verified_to, 6);
    }
}

#[test]
fn a_cut_off_tail_is_named_by_the_head_or_by_a_checkpoint() {
    let log = entries(20);
    let cut = &log[..15];
    assert_eq!(
        found(&verify(cut, Some(head(&log)))),
        Some((16, Fault::CutOff)),
        "the head was left as it was"
    );
    let key = signing_key();
    let report = check(against(&key, vec![signed(&key, &log[17])]), cut, Some(head(cut)));
    assert_eq!(found(&report), Some((16, Fault::CutOff)), "the head was moved back too");
    let everything = check(against(&key, vec![signed(&key, &log[17])]), &[], Some(head(&[])));
    assert_eq!(found(&everything), Some((1, Fault::CutOff)));
}

#[test]
fn a_chain_that_was_computed_anew_to_its_end_is_told_by_a_checkpoint() {
    let key = signing_key();
    let mut log = entries(20);
    let checkpoints = vec![signed(&key, &log[17]), signed(&key, &log[3])];
    log[6].actor_name = "nobody".to_owned();
    let previous = log[5].entry_hash;
    relink(&mut log[6..], previous);
    let end = Some(head(&log));
    assert_eq!(found(&verify(&log, end)), None, "the chain alone cannot tell");
    let report = check(against(&key, checkpoints), &log, end);
    assert_eq!(found(&report), Some((18, Fault::Rewritten)));
    assert_eq!((report.verified_to, report.signed_to), (4, 4));
}

#[test]
fn a_checkpoint_counts_only_with_the_signature_of_a_trusted_key() {
    let (key, other) = (signing_key(), signing_key());
    let log = entries(20);
    let report = check(against(&key, vec![signed(&other, &log[4])]), &log, None);
    assert_eq!(found(&report), Some((5, Fault::BadCheckpoint)));
    let mut altered = signed(&key, &log[4]);
    altered.id = 6;
    let report = check(against(&key, vec![altered]), &log, None);
    assert_eq!(found(&report), Some((6, Fault::BadCheckpoint)));
}

#[test]
fn a_checkpoint_survives_its_way_through_a_line_of_json() {
    let key = signing_key();
    let checkpoint = signed(&key, &entries(1)[0]);
    let line = serde_json::to_string(&checkpoint).unwrap();
    let read: Checkpoint = serde_json::from_str(&line).unwrap();
    assert_eq!(read, checkpoint);
    assert!(read.is_signed_by(&[PublicKey::new(key.public_key().public_key)]));
}

#[test]
fn some_entries_are_checked_by_themselves_and_against_their_neighbours() {
    let log = entries(20);
    let some = |entries: &[ChainedEntry]| check(Verifier::new(Coverage::Some, Vec::new(), &[]), entries, None);
    let mut kept: Vec<_> = [3, 4, 9, 17].map(|position: usize| log[position].clone()).into();
    assert_eq!(found(&some(&kept)), None);
    kept[2].action = "logout".to_owned();
    assert_eq!(found(&some(&kept)), Some((10, Fault::Edited)));
    kept[2] = log[9].clone();
    kept[0].action = "logout".to_owned();
    kept[0].entry_hash = kept[0].hash();
    assert_eq!(found(&some(&kept)), Some((4, Fault::Edited)));
    kept[0] = log[3].clone();
    kept.swap(2, 3);
    assert_eq!(found(&some(&kept)), Some((10, Fault::Reordered)));
}

#[test]
fn a_chain_can_be_verified_from_an_entry_on() {
    let log = entries(20);
    let behind = || Verifier::behind(head(&log[..10]));
    assert_eq!(check(behind(), &log[10..], Some(head(&log))).verified_to, 20);
    assert_eq!(found(&check(behind(), &log[11..], None)), Some((11, Fault::Deleted)));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,4}",
        "[=+@'\\-][a-z]{0,3}",
        "[\"',;\\r\\n\\t ü]{0,6}",
        Just(String::new())
    ]
}

prop_compose! {
    fn any_entry()(
        created_at in text(),
        actor_portal_user_id in any::<Option<i64>>(),
        texts in prop::array::uniform4(text()),
        optional in prop::array::uniform4(prop::option::of(text())),
    ) -> ChainedEntry {
        let [actor_name, action, object_type, details] = texts;
        let [object_id, ip_address, user_agent, request_id] = optional;
        ChainedEntry { created_at, actor_portal_user_id, actor_name, action, object_type, object_id, details, ip_address,
            user_agent, request_id, ..ChainedEntry::default() }
    }
}

fn any_log() -> impl Strategy<Value = Vec<ChainedEntry>> {
    prop::collection::vec(any_entry(), 1..12).prop_map(|mut entries| {
        entries.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
        chain(entries)
    })
}

/// One way to change a log.
#[derive(Debug, Clone)]
enum Tampering {
    Field {
        at: Index,
        field: usize,
        is_rehashed: bool,
    },
    Delete {
        at: Index,
        is_renumbered: bool,
    },
    Swap {
        at: Index,
        with: Index,
        is_renumbered: bool,
    },
    Insert {
        at: Index,
        entry: Box<ChainedEntry>,
        is_chained: bool,
        is_renumbered: bool,
    },
    CutOff {
        at: Index,
    },
}

fn any_tampering() -> impl Strategy<Value = Tampering> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0_usize..13, any::<bool>()).prop_map(|(at, field, is_rehashed)| Tampering::Field {
            at,
            field,
            is_rehashed
        }),
        (at(), any::<bool>()).prop_map(|(at, is_renumbered)| Tampering::Delete { at, is_renumbered }),
        (at(), at(), any::<bool>()).prop_map(|(at, with, is_renumbered)| Tampering::Swap {
            at,
            with,
            is_renumbered
        }),
        (at(), any_entry(), any::<bool>(), any::<bool>()).prop_map(|(at, entry, is_chained, is_renumbered)| {
            Tampering::Insert {
                at,
                entry: Box::new(entry),
                is_chained,
                is_renumbered,
            }
        }),
        at().prop_map(|at| Tampering::CutOff { at }),
    ]
}

impl Tampering {
    fn apply(&self, log: &mut Vec<ChainedEntry>) {
        let is_renumbered = match self {
            Self::Field { at, field, is_rehashed } => {
                let at = at.index(log.len());
                let entry = &mut log[at];
                alter(entry, *field);
                if *is_rehashed && *field != 12 {
                    entry.entry_hash = entry.hash();
                }
                false
            }
            Self::Delete { at, is_renumbered } => {
                log.remove(at.index(log.len()));
                *is_renumbered
            }
            Self::Swap {
                at,
                with,
                is_renumbered,
            } => {
                let (at, with) = (at.index(log.len()), with.index(log.len()));
                log.swap(at, with);
                *is_renumbered
            }
            Self::Insert {
                at,
                entry,
                is_chained,
                is_renumbered,
            } => {
                let at = at.index(log.len());
                let mut entry = ChainedEntry {
                    id: log[at].id,
                    previous_hash: log[at].previous_hash,
                    ..(**entry).clone()
                };
                if *is_chained {
                    entry.entry_hash = entry.hash();
                }
                log.insert(at, entry);
                *is_renumbered
            }
            Self::CutOff { at } => {
                log.truncate(at.index(log.len()));
                false
            }
        };
        if is_renumbered {
            log.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
        }
    }
}

fn alter(entry: &mut ChainedEntry, field: usize) {
    let other = |text: &mut String| text.push('x');
    let flip = |text: &mut Option<String>| *text = text.take().map_or(Some(String::new()), |_| None);
    match field {
        0 => entry.id += 1,
        1 => other(&mut entry.created_at),
        2 => entry.actor_portal_user_id = entry.actor_portal_user_id.map_or(Some(1), |_| None),
        3 => other(&mut entry.actor_name),
        4 => other(&mut entry.action),
        5 => other(&mut entry.object_type),
        6 => flip(&mut entry.object_id),
        7 => other(&mut entry.details),
        8 => flip(&mut entry.ip_address),
        9 => flip(&mut entry.user_agent),
        10 => flip(&mut entry.request_id),
        11 => entry.previous_hash[0] ^= 1,
        _ => entry.entry_hash[31] ^= 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_single_tampering_is_found_and_nothing_behind_it_is_vouched_for(log in any_log(), tampering in any_tampering()) {
        let mut tampered = log.clone();
        tampering.apply(&mut tampered);
        let report = verify(&tampered, Some(head(&log)));
        if tampered == log {
            prop_assert_eq!(report.first_bad, None);
        } else {
            let intact = log.iter().zip(&tampered).take_while(|(before, after)| before == after).count();
            let bad = report.first_bad.expect("the tampering is found");
            prop_assert!(report.verified_to <= intact as i64, "{} of {intact}: {bad}", report.verified_to);
            prop_assert!(bad.id >= 1);
        }
    }

    #[test]
    fn what_was_done_before_a_checkpoint_is_found_even_when_all_hashes_and_the_head_are_computed_anew(
        log in any_log(), tampering in any_tampering(),
    ) {
        let key = signing_key();
        let checkpoint = signed(&key, log.last().unwrap());
        let mut tampered = log.clone();
        tampering.apply(&mut tampered);
        tampered.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
        let mut tampered = chain(tampered);
        tampered.truncate(log.len());
        let report = check(against(&key, vec![checkpoint]), &tampered, Some(head(&tampered)));
        prop_assert_eq!(report.first_bad.is_none(), tampered == log);
    }

    #[test]
    fn an_exported_row_is_read_back_exactly_and_runs_in_no_spreadsheet(log in any_log()) {
        for entry in &log {
            let cells = entry_cells(entry);
            for cell in &cells[2..] {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) || cell.parse::<i64>().is_ok());
            }
            let read = record_from_cells(cells.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(read, Record::Entry(Box::new(entry.clone())));
        }
        let end = head(&log);
        let cells = end_cells(end, "2026-02-13T12:00:00.000Z", "Complete");
        prop_assert_eq!(record_from_cells(cells.iter().map(String::as_str)).unwrap(), Record::End(end));
    }
}

#[test]
fn a_row_that_is_no_row_is_refused_with_its_column() {
    let cells = entry_cells(&entries(1)[0]);
    for (column, wrong) in [(0, "entries"), (1, "one"), (3, "me"), (12, "00"), (13, "zz")] {
        let mut cells = cells.clone();
        cells[column] = wrong.to_owned();
        let refusal = record_from_cells(cells.iter().map(String::as_str)).unwrap_err();
        assert_eq!(refusal.0, COLUMNS[column]);
    }
    assert_eq!(record_from_cells(["entry", "1"]).unwrap_err().0, "created_at_utc");
}
