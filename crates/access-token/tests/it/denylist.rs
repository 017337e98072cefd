//! The denylist without HTTP: what one process revokes, another one knows.

use std::time::{Duration, Instant};

use access_token::{Caller, DenylistUnavailable};
use domain::revocation::Revocation;
use domain::role::ANY_ROLE;
use futures_util::{FutureExt, StreamExt};
use service_kit::Shutdown;
use test_support::{PrivateServers, eventually_within, redis_command, shared_servers};
use uuid::Uuid;

use crate::support::{TestDenylist, claims};

const SOON: Duration = Duration::from_secs(1);

fn caller(session: u128, token_version: i32) -> Caller {
    let claims = access_token::Claims {
        sid: Uuid::from_u128(session),
        token_version,
        ..claims(ANY_ROLE)
    };
    claims.try_into().expect("good claims")
}

fn session(id: u128) -> Revocation {
    Revocation::PortalSession(Uuid::from_u128(id))
}

#[tokio::test]
async fn a_copy_learns_from_redis_within_a_second_when_the_bus_is_silent() {
    let list = TestDenylist::new().await;
    let copy = list.elsewhere();
    let (_stop, shutdown) = Shutdown::pair();
    tokio::spawn(copy.clone().reconcile(shutdown));
    eventually_within(SOON, "the copy to be complete", async || copy.is_loaded().then_some(())).await;
    let mut changes = copy.changes();

    list.denylist.deny(session(9)).await.unwrap();

    let asked = Instant::now();
    changes.changed().await.unwrap();
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    assert!(copy.is_denied(&caller(9, 1)));
    assert!(!copy.is_denied(&caller(8, 1)));
}

#[tokio::test]
async fn what_comes_over_the_bus_counts_at_once() {
    let list = TestDenylist::new().await;
    let (_stop, shutdown) = Shutdown::pair();
    let told = futures_util::stream::iter([session(9)]).chain(futures_util::stream::pending());
    let mut changes = list.denylist.changes();
    tokio::spawn(list.denylist.clone().follow(told, shutdown));
    changes.changed().await.unwrap();
    assert!(list.denylist.is_denied(&caller(9, 1)));
    // Once is enough: nothing changes when it is told again.
    list.denylist.apply(session(9));
    assert!(changes.changed().now_or_never().is_none());
}

#[tokio::test]
async fn an_older_version_told_late_revokes_nothing_more_and_forgives_nothing() {
    let list = TestDenylist::new().await;
    let version = |token_version| Revocation::PortalUser { id: 7, token_version };
    for token_version in [3, 2] {
        list.denylist.deny(version(token_version)).await.unwrap();
    }
    let copy = list.elsewhere();
    copy.refresh().await.unwrap();
    for denylist in [&list.denylist, &copy] {
        assert!(denylist.is_denied(&caller(1, 2)));
        assert!(!denylist.is_denied(&caller(1, 3)));
        assert!(denylist.check(&caller(1, 2)).await.unwrap());
        assert!(!denylist.check(&caller(1, 3)).await.unwrap());
    }
}

#[tokio::test]
async fn every_entry_expires_when_no_token_can_be_meant_any_more() {
    let list = TestDenylist::new().await;
    list.denylist.deny(session(9)).await.unwrap();
    list.denylist
        .deny(Revocation::PortalUser {
            id: 7,
            token_version: 2,
        })
        .await
        .unwrap();
    let url = &shared_servers().redis_url;
    let prefix = &list.config.redis_prefix;
    for key in [&format!("session:{}", Uuid::from_u128(9)), "user:7", "log"] {
        let seconds = redis_command(url, &["TTL", &format!("{prefix}:denied:{key}")]).await;
        let seconds: i64 = seconds[0].parse().unwrap();
        assert!((86_000..=86_460).contains(&seconds), "{key} lives for {seconds} s");
    }
}

#[tokio::test]
async fn a_restarted_redis_counts_as_incomplete_until_it_is_filled() {
    let servers = PrivateServers::start().await;
    let list = TestDenylist::at(&servers.redis_url()).await;
    assert!(list.denylist.is_filled().await.unwrap());

    servers.redis.kill().await;
    assert!(matches!(
        list.elsewhere().check(&caller(1, 1)).await,
        Err(DenylistUnavailable::Redis(_))
    ));
    servers.redis.start().await;

    let filled = eventually_within(SOON, "Redis to answer", async || list.denylist.is_filled().await.ok()).await;
    assert!(!filled, "the last second before the crash may be lost");
    list.denylist.fill(&[session(9)]).await.unwrap();
    assert!(list.denylist.is_filled().await.unwrap());
    let copy = list.elsewhere();
    copy.refresh().await.unwrap();
    assert!(copy.is_denied(&caller(9, 1)));
}

#[tokio::test]
async fn a_copy_reads_all_of_a_list_that_was_filled_anew() {
    let servers = PrivateServers::start().await;
    let list = TestDenylist::at(&servers.redis_url()).await;
    let copy = list.elsewhere();
    list.denylist.deny(session(1)).await.unwrap();
    copy.refresh().await.unwrap();

    redis_command(&servers.redis_url(), &["FLUSHALL"]).await;
    assert!(matches!(copy.refresh().await, Err(DenylistUnavailable::Emptied)));
    assert!(copy.is_denied(&caller(1, 1)), "what is known stays known");
    let many: Vec<Revocation> = (2..12_002).map(session).collect();
    list.denylist.fill(&many).await.unwrap();

    copy.refresh().await.unwrap();
    for id in [1, 2, 5_003, 12_001] {
        assert!(copy.is_denied(&caller(id, 1)), "{id}");
    }
}
