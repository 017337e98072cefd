//! How long things took, counted in buckets by many tasks at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets grow by 1/16 of a power of two: figures are right to about 6 %.
const STEPS: u32 = 16;
const BUCKETS: usize = 40 * STEPS as usize;

#[derive(Debug)]
pub(crate) struct Latencies(Vec<AtomicU64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn add(&self, micros: u64) {
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// The value that this share of all stays below, milliseconds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        upper_micros(found.unwrap_or_default()) / 1_000.0
    }
}

fn bucket(micros: u64) -> usize {
    let exact = ((micros as f64 + 1.0).log2() * f64::from(STEPS)) as usize;
    exact.min(BUCKETS - 1)
}

fn upper_micros(bucket: usize) -> f64 {
    2f64.powf((bucket as f64 + 1.0) / f64::from(STEPS)) - 1.0
}
