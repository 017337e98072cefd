//! From a change in the portal to a proof on another machine.

use std::path::{Path, PathBuf};

use serde_json::json;
use test_support::{Stack, eventually};

use crate::program::{Ended, audit, file, text};

/// A stack that signs every second, and this many changes.
async fn stack_with_changes(changes: usize) -> Stack {
    let stack = Stack::builder()
        .with("auth", "AUDIT_CHECKPOINT_SECONDS", "1")
        .start()
        .await;
    for n in 0..changes {
        let server = json!({"name": format!("vpn-{n}"), "description": "=1+1, \"quoted\"\nand more"});
        stack.api().post("/api/servers", &server).await.expect(201);
    }
    stack
}

/// Waits until the last entry is signed; gives the file of checkpoints.
async fn signed(stack: &Stack) -> PathBuf {
    let unsigned = "SELECT last_id - (SELECT coalesce(max(id), 0) FROM audit_checkpoint) FROM audit_head";
    eventually("the head to be signed", async || {
        (stack.database().count(unsigned).await == 0).then_some(())
    })
    .await;
    beside_the_key(stack, "audit-checkpoints.jsonl")
}

fn beside_the_key(stack: &Stack, extension: &str) -> PathBuf {
    Path::new(stack.variable("AUTH_SIGNING_KEY_FILE")).with_extension(extension)
}

fn public_key(stack: &Stack) -> String {
    let key = audit(&["public-key", text(&beside_the_key(stack, "audit.pem"))], None);
    assert_eq!((key.code, key.output.len()), (0, 64), "{key:?}");
    key.output
}

#[tokio::test]
async fn an_export_is_verified_offline_against_checkpoints_that_were_kept_elsewhere() {
    let stack = stack_with_changes(3).await;
    let (checkpoints, key) = (signed(&stack).await, public_key(&stack));
    for format in ["csv", "json"] {
        let reply = stack
            .api()
            .try_get(&format!("/api/audit-logs/export?format={format}"))
            .await
            .expect(200);
        let whole = file("export", &reply.body);
        let trusted = ["--checkpoints", text(&checkpoints), "--public-key", &key];
        let verify = |export: &Path| {
            let mut arguments = vec!["verify", "--export", text(export)];
            arguments.extend(trusted);
            audit(&arguments, None)
        };
        let good = verify(&whole);
        assert_eq!((good.code, good.errors.as_str()), (0, ""), "{good:?}");
        assert!(good.output.contains("are as they were written"), "{good:?}");
        assert!(good.output.contains("vouch for it to entry"), "{good:?}");

        let edited = verify(&file("edited", &reply.body.replacen("vpn-1", "vpn-9", 1)));
        assert_eq!(edited.code, 1, "{edited:?}");
        assert!(edited.output.contains("was edited"), "{edited:?}");

        let filtered = stack
            .api()
            .try_get(&format!("/api/audit-logs/export?format={format}&action=create"))
            .await;
        let filtered = file("filtered", &filtered.expect(200).body);
        let as_whole = verify(&filtered);
        assert_eq!(as_whole.code, 1, "{as_whole:?}");
        let as_subset = audit(&["verify", "--subset", "--export", text(&filtered)], None);
        assert_eq!(as_subset.code, 0, "{as_subset:?}");
    }
}

#[tokio::test]
async fn a_database_is_verified_against_its_own_checkpoints_or_against_those_that_were_kept() {
    let stack = stack_with_changes(3).await;
    let (checkpoints, key) = (signed(&stack).await, public_key(&stack));
    let database = stack.database();
    let url = database.url_of("audit");
    let with_own = || audit(&["verify"], Some(&url));
    let with_kept = || {
        let arguments = ["verify", "--checkpoints", text(&checkpoints), "--public-key", &key];
        audit(&arguments, Some(&url))
    };
    for good in [with_own(), with_kept()] {
        assert_eq!(good.code, 0, "{good:?}");
    }
    let end = database.count("SELECT last_id FROM audit_head").await;
    // The owner cuts the tail off and everything in the database that could tell.
    database
        .sql(
            "DELETE FROM audit_checkpoint; DELETE FROM audit_log WHERE id > 2;
             UPDATE audit_head SET (last_id, entry_hash) = (SELECT id, entry_hash FROM audit_log WHERE id = 2)",
        )
        .await;
    assert_eq!(with_own().code, 0, "the database alone cannot tell");
    let Ended { code, output, .. } = with_kept();
    assert_eq!(code, 1);
    assert!(
        output.starts_with(&format!(
            "The entries from 3 on were cut off: entry {end} was signed at "
        )),
        "{output}"
    );
}

#[tokio::test]
async fn an_end_that_does_not_go_on_from_what_was_signed_stays_unsigned() {
    let stack = stack_with_changes(2).await;
    signed(&stack).await;
    let database = stack.database();
    let before = database.count("SELECT max(id) FROM audit_checkpoint").await;
    // Forged behind the signed end, with a hash that does not fit, and the head with it.
    database
        .sql(
            "WITH forged AS (
                 INSERT INTO audit_log SELECT id + 1, created_at, NULL, 'forger', action, object_type, object_id, details_json,
                     NULL, NULL, NULL, entry_hash, previous_hash FROM audit_log ORDER BY id DESC LIMIT 1
                 RETURNING id, entry_hash)
             UPDATE audit_head SET (last_id, entry_hash) = (SELECT id, entry_hash FROM forged)",
        )
        .await;
    eventually("auth to refuse its signature", async || {
        stack
            .auth()
            .log()
            .contains("does not go on from what was signed")
            .then_some(())
    })
    .await;
    assert_eq!(database.count("SELECT max(id) FROM audit_checkpoint").await, before);
}

#[tokio::test]
async fn a_restarted_auth_goes_on_from_its_file() {
    let stack = stack_with_changes(1).await;
    let checkpoints = signed(&stack).await;
    stack.auth().restart().await;
    stack
        .api()
        .post("/api/servers", &json!({"name": "later"}))
        .await
        .expect(201);
    signed(&stack).await;
    let lines = std::fs::read_to_string(&checkpoints).unwrap();
    let ids: Vec<i64> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"]
                .as_i64()
                .unwrap()
        })
        .collect();
    assert!(
        ids.len() >= 2 && ids.is_sorted_by(|before, after| before < after),
        "{ids:?}"
    );
}

#[test]
fn what_cannot_be_told_is_neither_good_nor_bad() {
    let nothing = audit(&["verify"], None);
    assert_eq!((nothing.code, nothing.output.as_str()), (2, ""), "{nothing:?}");
    let other = file("other.csv", "a,b\r\n1,2\r\n");
    let other = audit(&["verify", "--export", text(&other)], None);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.errors.contains("is not an export of the audit log"), "{other:?}");
}
