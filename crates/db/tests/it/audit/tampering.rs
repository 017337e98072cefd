//! What the database's owner could do to the log, and how the verifier tells it.

use db::audit::{Trusted, checkpoints, verify};
use domain::audit_chain::{Checkpoint, Fault, SigningKey};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use super::Log;

const REHASH_4: &str = "UPDATE audit_log a SET entry_hash = audit_entry_hash(a) WHERE id = 4;";
/// Computes every hash from the fifth entry on anew, and the head.
const RECHAIN: &str = "DO $$ DECLARE entry audit_log; previous bytea; BEGIN
    SELECT entry_hash INTO previous FROM audit_log WHERE id = 4;
    FOR entry IN SELECT * FROM audit_log WHERE id > 4 ORDER BY id LOOP
        entry.previous_hash := previous;
        previous := audit_entry_hash(entry);
        UPDATE audit_log SET previous_hash = entry.previous_hash, entry_hash = previous WHERE id = entry.id;
    END LOOP;
    UPDATE audit_head SET entry_hash = previous, last_id = (SELECT max(id) FROM audit_log); END $$;";
const HEAD_BACK: &str = "UPDATE audit_head SET (last_id, entry_hash) =
    (SELECT id, entry_hash FROM audit_log ORDER BY id DESC LIMIT 1);";
/// Makes room for a fifth entry.
const SHIFT: &str =
    "UPDATE audit_log SET id = id + 1000 WHERE id >= 5; UPDATE audit_log SET id = id - 999 WHERE id > 1000;";
const FORGE: &str =
    "INSERT INTO audit_log SELECT 5, created_at, NULL, 'forger', action, object_type, object_id, details_json,
    NULL, NULL, NULL, entry_hash, entry_hash FROM audit_log WHERE id = 4;";
const HASH_5: &str = "UPDATE audit_log a SET entry_hash = audit_entry_hash(a) WHERE id = 5;";

fn signing_key() -> SigningKey {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8(der.as_ref()).unwrap()
}

/// Tampers as the owner with a log of ten entries; gives the first bad one.
async fn tampered(sql: &str) -> Option<(i64, Fault)> {
    let log = Log::with(10).await;
    log.database.sql(sql).await;
    let bad = log.verify().await.first_bad;
    bad.map(|bad| (bad.id, bad.fault))
}

#[tokio::test]
async fn every_edit_is_found() {
    for edit in [
        "actor_name = 'nobody'",
        "created_at = created_at + '1 microsecond'",
        "created_at = 'infinity'",
        "details_json = '{\"n\": 4}'",
        "ip_address = '203.0.113.5/24'",
        "ip_address = NULL",
        "user_agent = ''",
        "request_id = ''",
        "object_id = NULL",
        "previous_hash = entry_hash",
        "entry_hash = previous_hash",
    ] {
        let edit = format!("UPDATE audit_log SET {edit} WHERE id = 4");
        assert_eq!(tampered(&edit).await, Some((4, Fault::Edited)), "{edit}");
    }
}

#[tokio::test]
async fn an_edit_with_its_hash_computed_anew_is_found() {
    let edit = format!("UPDATE audit_log SET actor_name = 'nobody' WHERE id = 4; {REHASH_4}");
    assert_eq!(tampered(&edit).await, Some((4, Fault::Edited)));
    let last = "UPDATE audit_log SET actor_name = 'nobody' WHERE id = 10;
        UPDATE audit_log a SET entry_hash = audit_entry_hash(a) WHERE id = 10;";
    assert_eq!(tampered(last).await, Some((10, Fault::Edited)));
}

#[tokio::test]
async fn every_deletion_is_found() {
    let delete = "DELETE FROM audit_log WHERE id = 4;";
    assert_eq!(tampered(delete).await, Some((4, Fault::Deleted)));
    let renumber =
        "UPDATE audit_log SET id = id + 1000 WHERE id > 4; UPDATE audit_log SET id = id - 1001 WHERE id > 1000;";
    let closed = format!("{delete}{renumber}{HEAD_BACK}");
    assert_eq!(tampered(&closed).await, Some((4, Fault::Deleted)));
    assert_eq!(
        tampered("DELETE FROM audit_log WHERE id < 4").await,
        Some((1, Fault::Deleted))
    );
}

#[tokio::test]
async fn entries_that_changed_places_are_found() {
    let swap = "UPDATE audit_log SET id = 1000 WHERE id = 4; UPDATE audit_log SET id = 4 WHERE id = 7;
        UPDATE audit_log SET id = 7 WHERE id = 1000;";
    assert_eq!(tampered(swap).await, Some((4, Fault::Reordered)));
}

#[tokio::test]
async fn entries_that_were_put_in_between_or_behind_are_found() {
    let forged = format!("{SHIFT}{FORGE}{HEAD_BACK}");
    assert_eq!(tampered(&forged).await, Some((5, Fault::Inserted)), "with a wrong hash");
    let forged = format!("{SHIFT}{FORGE}{HASH_5}{HEAD_BACK}");
    assert_eq!(
        tampered(&forged).await,
        Some((5, Fault::Inserted)),
        "with the right hash"
    );
    let behind =
        "INSERT INTO audit_log SELECT 11, created_at, NULL, 'forger', action, object_type, object_id, details_json,
            NULL, NULL, NULL, entry_hash, entry_hash FROM audit_log WHERE id = 10;
        UPDATE audit_log a SET entry_hash = audit_entry_hash(a) WHERE id = 11;";
    assert_eq!(tampered(behind).await, Some((11, Fault::Inserted)), "behind the head");
}

#[tokio::test]
async fn a_cut_off_tail_is_found_by_the_head() {
    assert_eq!(
        tampered("DELETE FROM audit_log WHERE id > 7").await,
        Some((8, Fault::CutOff))
    );
    assert_eq!(tampered("TRUNCATE audit_log").await, Some((1, Fault::CutOff)));
}

/// A log of ten entries whose head was signed at the eighth, and the checkpoint as it was kept elsewhere.
async fn signed(key: &SigningKey) -> (Log, Checkpoint) {
    let log = Log::with(8).await;
    checkpoints::publish_key(&log.db, key.public_key()).await.unwrap();
    let head = checkpoints::head(&log.db).await.unwrap();
    let checkpoint = key.sign(head.last_id, head.entry_hash, "2026-02-13T12:00:00.123Z".to_owned());
    checkpoints::insert(&log.db, &checkpoint).await.unwrap();
    checkpoints::insert(&log.db, &checkpoint).await.unwrap();
    log.append("user9", db::audit::Action::Login, serde_json::json!({}))
        .await;
    log.append("user10", db::audit::Action::Login, serde_json::json!({}))
        .await;
    assert_eq!(checkpoints::latest(&log.db).await.unwrap().as_ref(), Some(&checkpoint));
    (log, checkpoint)
}

#[tokio::test]
async fn what_leaves_no_trace_in_the_log_is_found_by_a_checkpoint() {
    let key = signing_key();
    let edit = "UPDATE audit_log SET actor_name = 'nobody' WHERE id = 6;";
    for (sql, expected) in [
        (String::new(), None),
        (format!("{edit}{RECHAIN}"), Some((8, Fault::Rewritten))),
        (
            format!("DELETE FROM audit_log WHERE id > 5; {HEAD_BACK}"),
            Some((6, Fault::CutOff)),
        ),
    ] {
        let (log, _) = signed(&key).await;
        if !sql.is_empty() {
            log.database.sql(&sql).await;
        }
        let report = log.verify().await;
        assert_eq!(report.first_bad.map(|bad| (bad.id, bad.fault)), expected, "{sql}");
        if expected.is_none() {
            assert_eq!((report.checkpoints, report.signed_to, report.verified_to), (1, 8, 10));
        }
    }
}

#[tokio::test]
async fn checkpoints_that_were_removed_or_forged_in_the_database_do_not_matter_to_who_keeps_his_own() {
    let (key, forger) = (signing_key(), signing_key());
    let (log, kept) = signed(&key).await;
    let sql =
        format!("UPDATE audit_log SET actor_name = 'nobody' WHERE id = 6; {RECHAIN} DELETE FROM audit_checkpoint");
    log.database.sql(&sql).await;
    checkpoints::publish_key(&log.db, forger.public_key()).await.unwrap();
    let head = checkpoints::head(&log.db).await.unwrap();
    let forged = forger.sign(head.last_id, head.entry_hash, kept.signed_at.clone());
    checkpoints::insert(&log.db, &forged).await.unwrap();
    assert_eq!(
        log.verify().await.first_bad,
        None,
        "the database alone has nothing to tell"
    );
    let trusted = Trusted {
        checkpoints: vec![kept],
        keys: vec![key.public_key().clone()],
    };
    let bad = verify(&log.db, trusted).await.unwrap().first_bad.unwrap();
    assert_eq!((bad.id, bad.fault), (8, Fault::Rewritten));
    let trusted = Trusted {
        checkpoints: Vec::new(),
        keys: vec![key.public_key().clone()],
    };
    let bad = verify(&log.db, trusted).await.unwrap().first_bad.unwrap();
    assert_eq!((bad.id, bad.fault), (10, Fault::BadCheckpoint));
}
