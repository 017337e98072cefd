//! Lists at 1,000,000 sessions: every query uses an index, every page is right and comes soon.

use std::time::{Duration, Instant};

use db::entities::enums::{BusinessStatus, SessionStatus, UserType};
use db::paging::{From, NameCursor, PageRequest, TimeCursor};
use db::sessions::{self, SessionFilter, SessionOrder, SessionSort};
use db::usage::{self, UsageFilter};
use db::vpn_users::{self, LastSeen, UserFilter, UserOrder, UserSort, VpnStatus};
use db::{Db, ReaderConfig, activity};
use serde_json::{Value, json};
use test_support::TestDatabase;
use time::macros::datetime;
use uuid::Uuid;

use crate::rig::Rig;

async fn million() -> TestDatabase {
    let database = TestDatabase::create().await;
    database.sql(include_str!("million.sql")).await;
    database.sql("VACUUM ANALYZE").await;
    database
}

async fn reader(database: &TestDatabase) -> Db {
    let config = ReaderConfig {
        url: database.url.clone(),
        pool_size: 2,
        connect_timeout: Duration::from_secs(5),
        statement_timeout: Some(Duration::from_secs(10)),
    };
    Db::connect_reader(&config).await.unwrap()
}

/// Every filter alone, and pairs that an index could miss.
fn filters() -> Vec<SessionFilter> {
    let any = SessionFilter::default;
    let status = |status| SessionFilter {
        statuses: vec![status],
        ..any()
    };
    let network = |text: &str| SessionFilter {
        network: Some(text.parse().unwrap()),
        ..any()
    };
    let search = |text: &str| SessionFilter {
        search: Some(text.to_owned()),
        ..any()
    };
    let user_type = |user_type| SessionFilter {
        user_types: vec![user_type],
        ..any()
    };
    let servers = |server_ids: &[i32]| SessionFilter {
        server_ids: server_ids.to_vec(),
        ..any()
    };
    let month = SessionFilter {
        connected_from: Some(datetime!(2025-12-01 0:00 UTC)),
        connected_before: Some(datetime!(2026-01-01 0:00 UTC)),
        ..any()
    };
    let mut filters = vec![
        any(),
        status(SessionStatus::Active),
        status(SessionStatus::Disconnected),
        status(SessionStatus::Timeout),
        SessionFilter {
            statuses: vec![SessionStatus::Active, SessionStatus::Timeout],
            ..any()
        },
        SessionFilter {
            statuses: vec![SessionStatus::Active, SessionStatus::Disconnected],
            ..any()
        },
        servers(&[3]),
        servers(&[3, 4, 5]),
        servers(&(1..=40).collect::<Vec<_>>()),
        SessionFilter {
            real_network: Some("198.51.7.0/24".parse().unwrap()),
            ..any()
        },
        SessionFilter {
            virtual_network: Some("10.8.0.7".parse().unwrap()),
            ..any()
        },
        SessionFilter {
            virtual_network: Some("fd00::/64".parse().unwrap()),
            ..any()
        },
        SessionFilter {
            ids: (1..500).map(Uuid::from_u128).collect(),
            ..any()
        },
        SessionFilter {
            vpn_user_id: Some(77),
            ..any()
        },
        SessionFilter {
            vpn_user_id: Some(987_654),
            ..any()
        },
        user_type(UserType::Internal),
        user_type(UserType::Guest),
        search("user77@"),
        search("user1"),
        search("example"),
        search("7"),
        network("198.51.7.7"),
        network("198.51.7.0/24"),
        network("10.8.0.7"),
        network("10.8.0.0/16"),
        network("10.8.3.0/24"),
        network("0.0.0.0/0"),
        network("fd00::1234"),
        network("fd00::/64"),
        network("2001:db8::1"),
        month.clone(),
        SessionFilter {
            connected_from: Some(datetime!(2026-02-13 0:00 UTC)),
            ..any()
        },
        SessionFilter {
            connected_before: Some(datetime!(2025-03-01 0:00 UTC)),
            ..any()
        },
    ];
    filters.extend([
        SessionFilter {
            server_ids: vec![3],
            statuses: vec![SessionStatus::Active],
            ..any()
        },
        SessionFilter {
            server_ids: vec![3, 4],
            statuses: vec![SessionStatus::Timeout],
            ..month.clone()
        },
        SessionFilter {
            server_ids: vec![3],
            statuses: vec![SessionStatus::Disconnected],
            ..month.clone()
        },
        SessionFilter {
            user_types: vec![UserType::Guest],
            statuses: vec![SessionStatus::Active],
            ..any()
        },
        SessionFilter {
            user_types: vec![UserType::External],
            ..month.clone()
        },
        SessionFilter {
            search: Some("user12".to_owned()),
            statuses: vec![SessionStatus::Timeout],
            ..any()
        },
        SessionFilter {
            search: Some("user12".to_owned()),
            server_ids: vec![7],
            ..month.clone()
        },
        SessionFilter {
            network: Some("10.8.0.0/24".parse().unwrap()),
            server_ids: vec![7],
            ..any()
        },
        SessionFilter {
            network: Some("10.8.0.0/20".parse().unwrap()),
            ..month.clone()
        },
        SessionFilter {
            network: Some("198.51.0.0/16".parse().unwrap()),
            statuses: vec![SessionStatus::Active],
            ..any()
        },
        SessionFilter {
            vpn_user_id: Some(77),
            statuses: vec![SessionStatus::Disconnected],
            ..month
        },
    ]);
    filters
}

const SORTS: [SessionSort; 11] = [
    SessionSort::ConnectedAt,
    SessionSort::LastSeenAt,
    SessionSort::DisconnectedAt,
    SessionSort::DurationSeconds,
    SessionSort::BytesIn,
    SessionSort::BytesOut,
    SessionSort::RealIp,
    SessionSort::VirtualIp,
    SessionSort::CommonName,
    SessionSort::ServerInstance,
    SessionSort::SessionStatus,
];

/// Pages near and far, and a cursor where the order has one.
fn requests(sort: SessionSort) -> Vec<(bool, PageRequest<TimeCursor>)> {
    let page = |number| PageRequest {
        from: From::Page(number),
        per_page: 50,
    };
    let cursor = |descending| {
        let cursor = TimeCursor {
            descending,
            at: datetime!(2025-12-15 0:00 UTC),
            id: Uuid::from_u128(1),
        };
        PageRequest {
            from: From::Cursor(cursor),
            per_page: 500,
        }
    };
    if sort == SessionSort::ConnectedAt {
        let directions = [true, false].into_iter();
        directions
            .flat_map(|down| [page(1), page(200), page(19_999), cursor(down)].map(|request| (down, request)))
            .collect()
    } else {
        vec![(true, page(1))]
    }
}

/// Scans of whole tables in a plan.
fn whole_scans(plan: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut nodes = vec![&plan[0]["Plan"]];
    while let Some(node) = nodes.pop() {
        if node["Node Type"].as_str().is_some_and(|kind| kind.contains("Seq Scan")) {
            found.push(node["Relation Name"].as_str().unwrap_or_default().to_owned());
        }
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    found
}

async fn every_session_query_uses_an_index(db: &Db) {
    let mut explained = 0;
    for filter in filters() {
        for sort in SORTS {
            for (descending, request) in requests(sort) {
                let order = SessionOrder { sort, descending };
                for plan in sessions::explain_list(db, &filter, order, &request).await.unwrap() {
                    let scans = whole_scans(&plan);
                    let case = format!("{filter:?} {order:?} {request:?}: {plan:#}");
                    assert!(!scans.contains(&"vpn_session".to_owned()), "{case}");
                    explained += 1;
                }
            }
        }
    }
    assert!(explained > 1_500, "only {explained} plans");
}

async fn every_user_query_uses_an_index(db: &Db) {
    let any = UserFilter::default;
    let filters = [
        any(),
        UserFilter {
            search: Some("user77".to_owned()),
            ..any()
        },
        UserFilter {
            vpn_status: Some(VpnStatus::Active),
            ..any()
        },
        UserFilter {
            vpn_status: Some(VpnStatus::Inactive),
            ..any()
        },
        UserFilter {
            user_types: vec![UserType::Guest],
            ..any()
        },
        UserFilter {
            business_statuses: vec![BusinessStatus::Active],
            ..any()
        },
        UserFilter {
            last_seen: Some(LastSeen::Never),
            ..any()
        },
    ];
    let sorts = [UserSort::CommonName, UserSort::LastVpnSeenAt, UserSort::CertExpiryAt];
    let request: PageRequest<NameCursor> = PageRequest {
        from: From::Page(2),
        per_page: 50,
    };
    for filter in filters {
        for sort in sorts {
            for plan in vpn_users::explain_list(
                db,
                &filter,
                UserOrder {
                    sort,
                    descending: false,
                },
                &request,
            )
            .await
            .unwrap()
            {
                assert!(
                    !whole_scans(&plan).contains(&"vpn_session".to_owned()),
                    "{filter:?} {sort:?}: {plan:#}"
                );
            }
        }
    }
}

/// Charts, related sessions and a VPN user's days, of a week and of all time.
async fn every_chart_uses_an_index(db: &Db) {
    let latest = datetime!(2026-02-13 12:00 UTC);
    let mut plans = Vec::new();
    for days in [1, 7, 365] {
        for server_ids in [vec![], vec![3], vec![3, 4, 5]] {
            for user_types in [vec![], vec![UserType::Guest]] {
                let filter = UsageFilter {
                    from: latest - time::Duration::days(days),
                    to: latest,
                    server_ids: server_ids.clone(),
                    user_types,
                };
                plans.extend(usage::explain_reports(db, &filter).await.unwrap());
            }
            let from = latest - time::Duration::days(days.min(31));
            plans.push(activity::explain_by_hour(db, &server_ids, from, latest).await.unwrap());
        }
        let since = latest - time::Duration::days(days);
        plans.push(activity::explain_of_user(db, 77, since).await.unwrap());
    }
    let request = PageRequest {
        from: From::Page(1),
        per_page: 5,
    };
    let order = SessionOrder {
        sort: SessionSort::ConnectedAt,
        descending: true,
    };
    for row in sessions::list(db, &SessionFilter::default(), order, &request)
        .await
        .unwrap()
        .rows
    {
        plans.extend(sessions::explain_related(db, &row.session, 10).await.unwrap());
    }
    for plan in &plans {
        let scans = whole_scans(plan);
        let big = |scan: &String| scan == "vpn_session" || scan == "usage_hour";
        assert!(!scans.iter().any(big), "{plan:#}");
    }
    assert!(plans.len() > 140, "only {} plans", plans.len());
}

async fn every_chart_comes_soon(rig: &Rig) {
    for path in [
        "/api/analytics/dashboard",
        "/api/analytics/usage?period=month&from_date=2026-01-14&to_date=2026-02-12",
        "/api/analytics/usage?period=year&group_by=server&from_date=2025-02-14&to_date=2026-02-12",
        "/api/analytics/activity?from_date=2026-02-12&to_date=2026-02-12",
        "/api/analytics/top-users?from_date=2025-02-14&to_date=2026-02-12",
        "/api/search?q=user77",
        "/api/search?q=10.8.0.7",
        "/api/vpn-users/77/activity?days=366",
        "/api/vpn-users/77",
    ] {
        let started = Instant::now();
        rig.get(path).await;
        let took = started.elapsed();
        assert!(took < Duration::from_secs(9), "{path} took {took:?}");
    }
}

/// The rows of a page, as PostgreSQL itself finds them.
async fn expected(database: &TestDatabase, offset: u64) -> Vec<String> {
    let query = format!("SELECT id FROM vpn_session ORDER BY connected_at DESC, id DESC LIMIT 50 OFFSET {offset}");
    database.sql(&query).await.lines().map(str::to_owned).collect()
}

async fn every_page_is_right(rig: &Rig) {
    for page in [1, 2, 201, 4_001, 4_002, 9_999, 10_001, 15_000, 19_999, 20_000] {
        let started = Instant::now();
        let list = rig.get(&format!("/api/sessions?page={page}")).await;
        let took = started.elapsed();
        let shown: Vec<&str> = list["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["id"].as_str().unwrap())
            .collect();
        assert_eq!(shown, expected(&rig.database, (page - 1) * 50).await, "page {page}");
        assert!(took < Duration::from_secs(2), "page {page} took {took:?}");
        let total = list["total"].as_u64().unwrap();
        assert!(total.abs_diff(1_000_000) < 50_000, "page {page} of about {total}");
        assert_eq!(list["next_cursor"].is_null(), page == 20_000, "page {page}");
    }
    let past_the_end = rig.get("/api/sessions?page=20001").await;
    assert_eq!(
        (&past_the_end["sessions"], &past_the_end["total"]),
        (&json!([]), &json!(1_000_000))
    );
}

async fn totals_are_exact_until_they_are_estimates(rig: &Rig) {
    for (query, total) in [
        ("status=active", 3_000),
        ("user_id=77", 200),
        ("server_instance=vpn-1&status=active", 75),
    ] {
        let list = rig.get(&format!("/api/sessions?{query}")).await;
        assert_eq!(
            (&list["total"], &list["total_is_estimate"]),
            (&json!(total), &json!(false)),
            "{query}"
        );
    }
    let list = rig.get("/api/sessions?server_instance=vpn-1").await;
    assert_eq!(list["total_is_estimate"], true);
    assert!(
        list["total"].as_u64().unwrap().abs_diff(25_000) < 5_000,
        "{}",
        list["total"]
    );
    assert_eq!(
        rig.get("/api/sessions?sort=-bytes_in&status=active").await["total"],
        3_000
    );
    rig.refuses("/api/sessions?sort=-bytes_in", "invalid_parameter", "sort")
        .await;
}

async fn an_export_has_no_row_cap(rig: &Rig) {
    let reply = rig
        .get_as(
            &[domain::role::Role::Viewer],
            "/api/sessions/export?server_instance=vpn-1",
        )
        .await
        .expect(200);
    let sessions = reply.body.lines().filter(|line| line.starts_with("session,")).count();
    assert_eq!(sessions, 25_000);
    assert!(reply.body.trim_end().lines().last().unwrap().starts_with("end,"));
}

async fn exports_that_nobody_reads_on_make_room_for_others(rig: &Rig) {
    for _ in 0..8 {
        rig.abandon("/api/sessions/export").await;
    }
    an_export_has_no_row_cap(rig).await;
}

#[tokio::test]
async fn lists_of_a_million_sessions_are_right_and_use_indexes() {
    let database = million().await;
    let db = reader(&database).await;
    every_session_query_uses_an_index(&db).await;
    every_user_query_uses_an_index(&db).await;
    every_chart_uses_an_index(&db).await;
    let rig = Rig::on(database).await;
    every_chart_comes_soon(&rig).await;
    every_page_is_right(&rig).await;
    totals_are_exact_until_they_are_estimates(&rig).await;
    an_export_has_no_row_cap(&rig).await;
    exports_that_nobody_reads_on_make_room_for_others(&rig).await;
}
