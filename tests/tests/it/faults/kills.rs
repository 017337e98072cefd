use domain::history::{Shape, draw};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use test_support::{Process, Stack};
use time::Duration;

use super::delivery::History;
use super::stored::assert_all_is_stored;
use super::storm::Storm;
use super::working_day::working_day;

const SEED: u64 = 20_000;

#[tokio::test]
async fn ingest_and_processor_killed_ten_times_during_20000_events_lose_and_double_nothing() {
    let stack = Stack::builder()
        .private_servers()
        .ingests(2)
        .processors(2)
        .with("*", "BUS_ACK_WAIT_SECONDS", "3")
        .with("ingest", "INGEST_RESULT_WAIT_MS", "500")
        .start()
        .await;
    let histories = fleet();
    let victims = victims(&stack);
    let storm = Storm {
        seed: SEED,
        strikes: victims.len(),
        largest_batch: 40,
    };
    let weather = storm
        .rage(&stack, 2, &histories, async |number, struck| {
            victims[number].kill();
            struck();
            victims[number].start();
            victims[number].ready().await;
        })
        .await;
    report(&format!("{weather}, {} kills", victims.len()));
    assert_eq!((weather.events, victims.len()), (20_000, 10));
    assert!(weather.resent > 0, "no kill has hit a request in hand");
    assert_all_is_stored(&stack, &histories).await;
}

#[tokio::test]
async fn nats_postgresql_and_redis_crash_in_turn_under_load_and_nothing_is_lost() {
    let stack = Stack::builder()
        .private_servers()
        .processors(2)
        .with("*", "BUS_ACK_WAIT_SECONDS", "3")
        .with("ingest", "INGEST_RESULT_WAIT_MS", "500")
        .start()
        .await;
    let histories = [working_day(1, 2_000), working_day(2, 2_000), collisions(3, 200)];
    let servers = stack.servers();
    let victims = [
        &servers.nats,
        &servers.postgres,
        &servers.redis,
        &servers.nats,
        &servers.postgres,
    ];
    let storm = Storm {
        seed: SEED + 1,
        strikes: victims.len(),
        largest_batch: 20,
    };
    let weather = storm
        .rage(&stack, 1, &histories, async |number, struck| {
            victims[number].kill().await;
            struck();
            victims[number].start().await;
        })
        .await;
    report(&format!("{weather}, {} crashes of servers", victims.len()));
    assert_all_is_stored(&stack, &histories).await;
}

/// Ordinary days, and short histories in which everything collides.
fn fleet() -> Vec<History> {
    let days = (100..104).map(|seed| working_day(seed, 4_000));
    days.chain((200..216).map(|seed| collisions(seed, 250))).collect()
}

/// Shuffled events of few users within twenty minutes.
fn collisions(seed: u64, events: usize) -> History {
    let mut events = draw(Shape::new(seed, events));
    // Not after today, whenever this runs.
    let earlier = Duration::days(300);
    for event in &mut events {
        event.event_time -= earlier;
        for facts in &mut event.sessions {
            facts.connected_at = facts.connected_at.map(|at| at - earlier);
        }
    }
    History {
        server: format!("vpn-{seed}"),
        duplicate_cn: false,
        events,
    }
}

/// Who is killed, in the order of the kills: five times an ingest, five times a processor.
fn victims(stack: &Stack) -> Vec<&Process> {
    let mut victims: Vec<&Process> = (0..5)
        .flat_map(|kill| [stack.ingest(kill % 2), stack.processor(kill % 2)])
        .collect();
    victims.shuffle(&mut StdRng::seed_from_u64(SEED));
    victims
}

#[expect(clippy::print_stderr, reason = "the figures belong to the report of the test run")]
fn report(figures: &str) {
    eprintln!("{figures}");
}
