use std::ops::{Range, RangeInclusive};

use db::apply::{Outcome, rebuild};
use domain::history::{Shape, draw};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Bench, expected, request};

/// Random histories in random batches, each with some events twice, equal the pure timeline after every batch.
async fn equals_the_pure_timeline(seeds: Range<u64>, events: usize, sizes: RangeInclusive<usize>) {
    let mut bench = Bench::new().await;
    for seed in seeds {
        let mut rng = StdRng::seed_from_u64(seed);
        let duplicate_cn = seed % 2 == 0;
        let name = format!("vpn-{seed}");
        let server = bench.server(&name, duplicate_cn).await;
        let history = draw(Shape::new(seed, events));
        let mut arrived = Vec::new();
        while arrived.len() < history.len() {
            let size = rng.random_range(sizes.clone()).min(history.len() - arrived.len());
            let mut batch = history[arrived.len()..arrived.len() + size].to_vec();
            arrived.extend_from_slice(&batch);
            batch.push(arrived[rng.random_range(0..arrived.len())].clone());
            bench.apply(&[request(server, &name, batch)]).await;
            let (stored, expected) = (bench.stored(&name).await, expected(&name, duplicate_cn, &arrived));
            let wrong: Vec<_> = stored.iter().filter(|line| !expected.contains(line)).collect();
            let missing: Vec<_> = expected.iter().filter(|line| !stored.contains(line)).collect();
            assert!(
                wrong.is_empty() && missing.is_empty(),
                "seed {seed} after {} events: stored {wrong:#?}, expected {missing:#?}",
                arrived.len()
            );
        }
        assert!(
            rebuild(&bench.db, Some(&name), false).await.unwrap().is_empty(),
            "seed {seed}: rebuild differs"
        );
    }
}

#[tokio::test]
async fn short_random_histories_in_random_batches_equal_the_pure_timeline() {
    equals_the_pure_timeline(0..150, 8, 1..=6).await;
}

#[tokio::test]
async fn long_random_histories_in_random_batches_equal_the_pure_timeline() {
    equals_the_pure_timeline(1000..1016, 60, 1..=6).await;
}

/// Many rows enter their tables in another way than few do.
#[tokio::test]
async fn histories_in_large_batches_equal_the_pure_timeline() {
    equals_the_pure_timeline(2000..2003, 3_600, 900..=1_200).await;
}

#[tokio::test]
async fn a_request_is_told_what_became_of_its_events() {
    let mut bench = Bench::new().await;
    let server = bench.server("vpn-1", false).await;
    let history = draw(Shape {
        seed: 7,
        events: 30,
        shared_percent: 0,
        boots: 0,
    });
    let applied = bench.apply(&[request(server, "vpn-1", history.clone())]).await;
    let connects = history
        .iter()
        .filter(|event| event.event_type.as_str() == "SESSION_CONNECTED")
        .count();
    assert_eq!(applied.outcomes[0].sessions_created, u32::try_from(connects).unwrap());
    assert_eq!(applied.outcomes[0].duplicates, 0);
    let again = bench.apply(&[request(server, "vpn-1", history)]).await;
    assert_eq!(
        again.outcomes,
        [Outcome {
            sessions_created: 0,
            sessions_updated: 0,
            duplicates: 30
        }]
    );
    assert!(again.changes.is_empty());
}
