//! One connection's work.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::bodies::Bodies;
use super::connection::{Connection, Response};
use super::{Compression, LoadSettings, Shared};
use crate::requested;

/// Between two attempts when the server names no time.
const PAUSE: Duration = Duration::from_millis(250);
/// A request that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long attempts are repeated after the load is over.
const LAST_ATTEMPTS: Duration = Duration::from_secs(60);

/// What one connection has done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub requests: u64,
    pub events_sent: u64,
    /// As the answers count them.
    pub events_accepted: u64,
    pub bytes_sent: u64,
    pub statuses: BTreeMap<u16, u64>,
    pub connection_errors: u64,
    /// Microseconds of each accepted request.
    pub latencies: Vec<u32>,
}

pub(super) struct Worker {
    connection: Connection,
    bodies: Bodies,
    head: String,
    shared: Arc<Shared>,
    batch_size: usize,
    /// Index of the server that this connection speaks for.
    server: usize,
    /// Between two requests of this connection.
    interval: Option<Duration>,
    first_due: Duration,
    retry: bool,
    tally: Tally,
}

impl Worker {
    pub(super) fn new(
        settings: &LoadSettings,
        lane: usize,
        connection: Connection,
        bodies: Bodies,
        shared: Arc<Shared>,
    ) -> Self {
        let server = lane % settings.keys.len();
        let seconds = settings.rate.map(|rate| settings.batch_size as f64 / rate);
        let interval = seconds.map(|seconds| Duration::from_secs_f64(seconds * settings.connections as f64));
        Self {
            head: connection.head(&headers(settings, server)),
            connection,
            bodies,
            shared,
            batch_size: settings.batch_size,
            server,
            interval,
            first_due: Duration::from_secs_f64(seconds.unwrap_or_default() * lane as f64),
            retry: settings.retry,
            tally: Tally::default(),
        }
    }

    pub(super) async fn run(mut self, stop: watch::Receiver<bool>) -> Tally {
        tokio::select! {
            () = self.send_all() => {}
            () = requested(stop) => {}
        }
        self.tally
    }

    async fn send_all(&mut self) {
        let mut due = self.shared.begun + self.first_due;
        while !self.shared.is_over() {
            let filling = self.bodies.is_filling();
            if filling {
                due = Instant::now() + self.first_due;
            } else if self.interval.is_some() {
                tokio::time::sleep_until(due.into()).await;
            }
            let count = self.shared.claim(self.batch_size);
            if count == 0 || self.shared.is_over() {
                return;
            }
            let seq = self.shared.sequences[self.server].fetch_add(count as u64, Ordering::Relaxed);
            let Ok(body) = self.bodies.next(count, seq) else { return };
            self.connection.prepare(&self.head, body);
            // With a rate, a request counts from when it was due: being late is the server's doing.
            let begun = if self.interval.is_some() && !filling {
                due
            } else {
                Instant::now()
            };
            self.send(count, begun).await;
            due += self.interval.unwrap_or_default();
        }
    }

    async fn send(&mut self, count: usize, begun: Instant) {
        self.tally.events_sent += count as u64;
        loop {
            self.tally.requests += 1;
            self.tally.bytes_sent += self.connection.request_size() as u64;
            let result = tokio::time::timeout(TIMEOUT, self.connection.exchange()).await;
            let pause = match result.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(response) if self.record(&response, count, begun) => return,
                Ok(response) => response.retry_after.map_or(PAUSE, Duration::from_secs),
                Err(_) => {
                    self.tally.connection_errors += 1;
                    PAUSE
                }
            };
            let late = self
                .shared
                .end
                .is_some_and(|end| self.shared.begun.elapsed() > end + LAST_ATTEMPTS);
            if !self.retry || late {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Whether the request was accepted.
    fn record(&mut self, response: &Response, count: usize, begun: Instant) -> bool {
        *self.tally.statuses.entry(response.status).or_default() += 1;
        let accepted = (200..300).contains(&response.status);
        if accepted {
            self.tally.events_accepted += accepted_events(&response.body).unwrap_or(count as u64);
            self.tally
                .latencies
                .push(begun.elapsed().as_micros().try_into().unwrap_or(u32::MAX));
        }
        accepted
    }
}

fn headers(settings: &LoadSettings, server: usize) -> String {
    let mut headers = format!("authorization: Bearer {}\r\n", settings.keys[server].key);
    if settings.respond_async {
        headers.push_str("prefer: respond-async\r\n");
    }
    headers.push_str(match settings.compression {
        None => "",
        Some(Compression::Zstd) => "content-encoding: zstd\r\n",
        Some(Compression::Gzip) => "content-encoding: gzip\r\n",
    });
    headers
}

/// The number after `"events_accepted":`, without reading the rest of the answer.
fn accepted_events(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?;
    let rest = text.split_once("\"events_accepted\":")?.1.trim_start();
    let digits = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepted_count_is_found_in_any_answer() {
        assert_eq!(
            accepted_events(br#"{"status":"ok","events_received":10,"events_accepted": 9,"x":1}"#),
            Some(9)
        );
        assert_eq!(accepted_events(br#"{"status":"accepted"}"#), None);
    }
}
