use std::time::Duration;

use db::audit::{self, Action, AuditFilter, Entry};
use db::paging::{From, PageRequest, TimeCursor};
use db::servers_registry::{self, NewServer};
use db::{Db, ReaderConfig};
use domain::audit_chain::ChainedEntry;
use serde_json::json;
use test_support::TestDatabase;
use time::macros::datetime;

use super::{Log, actor_from, connect, entry};

#[tokio::test]
async fn four_replicas_that_append_at_once_leave_one_chain_without_gaps() {
    let database = TestDatabase::create().await;
    let mut writers = Vec::new();
    for replica in 0..4 {
        let db = connect(&database).await;
        for n in 0..25 {
            let db = db.clone();
            writers.push(tokio::spawn(async move {
                let actor = actor_from(&format!("replica{replica}"), "10.0.0.1");
                // All but one of these names are taken, so most of these transactions come to nothing.
                let new = NewServer {
                    name: format!("vpn-{n}"),
                    description: String::new(),
                    duplicate_cn: false,
                };
                servers_registry::create(&db, new, actor.clone()).await.unwrap();
                audit::record(&db, actor, entry(Action::Login, json!({"n": n})))
                    .await
                    .unwrap();
            }));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let log = Log {
        db: connect(&database).await,
        database,
    };
    let report = log.verify().await;
    assert_eq!((report.entries, report.verified_to, report.first_bad), (125, 125, None));
    let gapless = "SELECT count(*) FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS n FROM audit_log) x WHERE id = n";
    assert_eq!(log.database.count(gapless).await, 125, "numbers and times go together");
}

#[tokio::test]
async fn what_a_stranger_typed_never_keeps_its_entry_from_being_written() {
    let log = Log::new().await;
    let mut actor = actor_from("\0' OR 1=1; --\u{202e}", "::ffff:10.0.0.1");
    actor.user_agent = Some(String::new());
    actor.request_id = Some("\0".to_owned());
    let odd = Entry {
        object_id: Some("\0\n".to_owned()),
        ..entry(
            Action::LoginFailed,
            json!({"z": "\0\\ü\u{1f600}", "a": [1.5, -0.0, 1e300, null, true]}),
        )
    };
    audit::record(&log.db, actor, odd).await.unwrap();
    let report = log.verify().await;
    assert_eq!((report.verified_to, report.first_bad), (1, None));
    let details = log.database.sql("SELECT details_json FROM audit_log").await;
    assert!(
        details.starts_with(r#"{"a":[1.5,-0.0,1e+300,null,true],"z":"\u0000\\ü"#),
        "{details}"
    );
}

async fn ids(log: &Log, filter: AuditFilter) -> Vec<i64> {
    let request = PageRequest {
        from: From::Page(1),
        per_page: 100,
    };
    let page = audit::list(&log.db, &filter, false, &request).await.unwrap();
    assert_eq!(page.total.rows, page.rows.len() as u64);
    page.rows.iter().map(|entry| entry.id).collect()
}

#[tokio::test]
async fn every_filter_finds_its_entries() {
    let log = Log::new().await;
    let other = |object_type, object_id: &str, details| Entry {
        action: Action::Update,
        object_type,
        object_id: Some(object_id.to_owned()),
        details,
    };
    let changes = [
        ("Admin", "10.8.0.2", entry(Action::Login, json!({}))),
        (
            "admin",
            "10.8.1.2",
            other("vpn_server", "7", json!({"after": {"description": "100% Paris"}})),
        ),
        (
            "auditor",
            "2001:db8::1",
            other("vpn_server", "8", json!({"after": {"description": "1000 Lyon"}})),
        ),
    ];
    for (name, address, entry) in changes {
        audit::record(&log.db, actor_from(name, address), entry).await.unwrap();
    }
    let everything = AuditFilter::default;
    let cases = [
        (
            AuditFilter {
                actor: Some("ADMIN".to_owned()),
                ..everything()
            },
            vec![1, 2],
        ),
        (
            AuditFilter {
                actions: vec![Action::Update],
                ..everything()
            },
            vec![2, 3],
        ),
        (
            AuditFilter {
                actions: vec![Action::Update, Action::Login],
                ..everything()
            },
            vec![1, 2, 3],
        ),
        (
            AuditFilter {
                object_types: vec!["vpn_server".to_owned()],
                ..everything()
            },
            vec![2, 3],
        ),
        (
            AuditFilter {
                object_id: Some("7".to_owned()),
                ..everything()
            },
            vec![1, 2],
        ),
        (
            AuditFilter {
                network: "10.8.1.2".parse().ok(),
                ..everything()
            },
            vec![2],
        ),
        (
            AuditFilter {
                network: "10.8.0.0/16".parse().ok(),
                ..everything()
            },
            vec![1, 2],
        ),
        (
            AuditFilter {
                network: "2001:db8::/32".parse().ok(),
                ..everything()
            },
            vec![3],
        ),
        (
            AuditFilter {
                text: Some("paris".to_owned()),
                ..everything()
            },
            vec![2],
        ),
        (
            AuditFilter {
                text: Some("100%".to_owned()),
                ..everything()
            },
            vec![2],
        ),
        (
            AuditFilter {
                from: Some(datetime!(2000-01-01 0:00 UTC)),
                ..everything()
            },
            vec![1, 2, 3],
        ),
        (
            AuditFilter {
                before: Some(datetime!(2000-01-01 0:00 UTC)),
                ..everything()
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&log, filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_walk_by_cursor_sees_every_entry_once_and_each_as_it_was_hashed() {
    let log = Log::with(23).await;
    let mut from = From::Page(1);
    let mut walked: Vec<ChainedEntry> = Vec::new();
    loop {
        let request: PageRequest<TimeCursor<i64>> = PageRequest { from, per_page: 5 };
        let page = audit::list(&log.db, &AuditFilter::default(), true, &request)
            .await
            .unwrap();
        walked.extend(page.rows);
        match page.next {
            Some(cursor) => from = From::Cursor(cursor),
            None => break,
        }
    }
    let ids: Vec<i64> = walked.iter().map(|entry| entry.id).collect();
    assert_eq!(ids, (1..=23).rev().collect::<Vec<_>>());
    assert!(walked.iter().all(|entry| entry.hash() == entry.entry_hash));
}

#[tokio::test]
async fn each_filter_is_served_by_an_index() {
    let log = Log::new().await;
    // Each index with the filter that it is for; many entries, so that the planner has a choice.
    log.database
        .sql(
            // Committed now and then: a head that moved thousands of times in one transaction is found ever more slowly.
            "DO $$ BEGIN FOR n IN 1..6000 LOOP
                 PERFORM append_audit_entry(NULL, 'user' || n % 500, (ARRAY['login','logout','update'])[1 + n % 3], 'portal_user',
                     (n % 900)::text, json_build_object('n', md5(n::text))::text, ('10.' || n % 200 || '.0.1')::inet, NULL, NULL);
                 IF n % 200 = 0 THEN COMMIT; END IF;
             END LOOP; END $$",
        )
        .await;
    log.database.sql("VACUUM ANALYZE audit_log").await;
    let reader = ReaderConfig {
        url: log.database.url.clone(),
        pool_size: 1,
        connect_timeout: Duration::from_secs(5),
        statement_timeout: None,
    };
    let reader = Db::connect_reader(&reader).await.unwrap();
    let everything = AuditFilter::default;
    let cases = [
        ("audit_log_by_time", everything()),
        (
            "audit_log_by_actor",
            AuditFilter {
                actor: Some("user7".to_owned()),
                ..everything()
            },
        ),
        (
            "audit_log_by_object",
            AuditFilter {
                object_id: Some("7".to_owned()),
                ..everything()
            },
        ),
        (
            "audit_log_by_ip",
            AuditFilter {
                network: "10.7.0.0/16".parse().ok(),
                ..everything()
            },
        ),
        (
            "audit_log_details",
            AuditFilter {
                text: Some("e1a7f".to_owned()),
                ..everything()
            },
        ),
    ];
    for (index, filter) in cases {
        let request = PageRequest {
            from: From::Page(1),
            per_page: 50,
        };
        let plans = audit::explain_list(&reader, &filter, &request).await.unwrap();
        let plans = serde_json::to_string(&plans).unwrap();
        assert!(plans.contains(index), "{index}: {plans}");
        assert!(!plans.contains("\"Seq Scan\""), "{index}: {plans}");
    }
    assert_eq!(log.verify().await.first_bad, None);
}
