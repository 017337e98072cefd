//! Exports that somebody changed on their way.

use domain::audit_chain::{BEFORE_THE_FIRST, COLUMNS, ChainedEntry, Head, end_cells, entry_cells};

use crate::program::{audit, file, text};

fn entries(count: i64) -> Vec<ChainedEntry> {
    let mut previous = BEFORE_THE_FIRST;
    let mut entry = |id: i64| {
        let mut entry = ChainedEntry {
            id,
            created_at: format!("2026-02-13T12:00:00.{id:06}Z"),
            actor_name: format!("=user{id}"),
            action: "login".to_owned(),
            object_type: "portal_user".to_owned(),
            object_id: Some(String::new()),
            details: "{\"line\":\"a\\nb\"}".to_owned(),
            user_agent: Some("several\r\nlines, \"quoted\"".to_owned()),
            previous_hash: previous,
            ..ChainedEntry::default()
        };
        entry.entry_hash = entry.hash();
        previous = entry.entry_hash;
        entry
    };
    (1..=count).map(&mut entry).collect()
}

/// A CSV of these entries that says it ends with `end`.
fn csv(entries: &[ChainedEntry], end: Option<&ChainedEntry>) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for entry in entries {
        writer.write_record(entry_cells(entry)).unwrap();
    }
    if let Some(end) = end {
        let head = Head {
            last_id: end.id,
            entry_hash: end.entry_hash,
        };
        writer
            .write_record(end_cells(head, "2026-02-13T12:00:00.000Z", "Complete"))
            .unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn verify(csv: &str) -> (i32, String) {
    let ended = audit(&["verify", "--export", text(&file("export.csv", csv))], None);
    (ended.code, ended.output)
}

#[test]
fn each_tampering_is_named_and_ends_with_1() {
    let whole = entries(9);
    let end = whole.last();
    let (code, sentence) = verify(&csv(&whole, end));
    assert_eq!(code, 0, "{sentence}");
    assert!(sentence.contains("no checkpoint was compared"), "{sentence}");

    let changed = |change: fn(&mut Vec<ChainedEntry>)| {
        let mut entries = whole.clone();
        change(&mut entries);
        verify(&csv(&entries, end))
    };
    let forge = |entries: &mut Vec<ChainedEntry>| {
        let mut forged = entries[3].clone();
        forged.actor_name = "forger".to_owned();
        forged.entry_hash = forged.hash();
        entries.insert(3, forged);
    };
    for ((code, sentence), expected) in [
        (changed(|entries| entries[3].actor_name.push('x')), "Entry 4 was edited"),
        (changed(|entries| entries[3].object_id = None), "Entry 4 was edited"),
        (changed(|entries| drop(entries.remove(3))), "Entry 4 was deleted"),
        (changed(|entries| entries.swap(3, 5)), "Entry 4 was moved"),
        (changed(forge), "Entry 4 was inserted"),
        (
            changed(|entries| entries.truncate(6)),
            "The entries from 7 on were cut off",
        ),
        (
            verify(&csv(&whole[..6], None)),
            "The entries from 7 on were cut off: the export has no end.",
        ),
    ] {
        assert_eq!(code, 1, "{sentence}");
        assert!(sentence.starts_with(expected), "{sentence}");
    }
}
