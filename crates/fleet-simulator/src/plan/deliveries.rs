//! What an agent sends, and when it arrives: batches, with the troubles of real networks.

use std::collections::BTreeMap;
use std::mem::take;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::dice::Dice;
use super::server::{Planned, PlannedFact};
use super::{Faults, FleetSettings};
use agent_api::{Event, Heartbeat};

/// An agent sends no larger batches.
const LARGEST_BATCH: usize = 500;
/// How long a delayed batch stays behind.
const DELAY_SECONDS: (f64, f64) = (20.0, 900.0);

/// One request, or one that is lost on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// When it is sent, by the server's clock.
    pub at: OffsetDateTime,
    pub parcel: Parcel,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Parcel {
    Events {
        boot_id: Uuid,
        events: Vec<Event>,
    },
    Heartbeat(Heartbeat),
    /// These are never sent, not even later: their numbers are a gap.
    Lost {
        boot_id: Uuid,
        events: Vec<Event>,
    },
}

/// The deliveries of one agent in the order of time, as long as its plan goes on.
#[derive(Debug)]
pub struct Deliveries<P> {
    plan: P,
    dice: Dice,
    faults: Faults,
    flush: Duration,
    /// Collected, and not sent yet.
    batch: Vec<Event>,
    boot_id: Uuid,
    batch_due: OffsetDateTime,
    /// By the time and the order in which they were made up.
    outbox: BTreeMap<(OffsetDateTime, u64), Parcel>,
    sent: u64,
    /// Nothing will be put into the outbox for a time before this.
    certain_until: OffsetDateTime,
}

impl<P: Iterator<Item = Planned>> Deliveries<P> {
    pub(super) fn new(settings: &FleetSettings, index: usize, plan: P) -> Self {
        Self {
            plan,
            dice: Dice::new(settings.stream_seed(index, "deliveries")),
            faults: settings.faults,
            flush: Duration::seconds_f64(settings.flush_seconds),
            batch: Vec::new(),
            boot_id: Uuid::nil(),
            batch_due: settings.start,
            outbox: BTreeMap::new(),
            sent: 0,
            certain_until: settings.start,
        }
    }

    fn collect(&mut self, planned: Planned) {
        self.certain_until = planned.at;
        if planned.at >= self.batch_due || planned.boot_id != self.boot_id || self.batch.len() >= LARGEST_BATCH {
            self.send_batch(planned.at.min(self.batch_due));
        }
        match planned.fact {
            PlannedFact::Heartbeat(heartbeat) => self.put(planned.at, Parcel::Heartbeat(heartbeat)),
            PlannedFact::Event(event) => {
                if self.batch.is_empty() {
                    self.batch_due = planned.at + self.flush;
                    self.boot_id = planned.boot_id;
                }
                self.batch.push(event);
            }
        }
    }

    fn send_batch(&mut self, at: OffsetDateTime) {
        let mut events = take(&mut self.batch);
        let boot_id = self.boot_id;
        if events.is_empty() {
            return;
        }
        if self.dice.chance(self.faults.lost) {
            return self.put(at, Parcel::Lost { boot_id, events });
        }
        if self.dice.chance(self.faults.shuffled) {
            self.dice.shuffle(&mut events);
        }
        if self.dice.chance(self.faults.doubled) {
            let again = at + self.delay();
            self.put(
                again,
                Parcel::Events {
                    boot_id,
                    events: events.clone(),
                },
            );
        }
        let late = self.dice.chance(self.faults.late);
        let at = if late { at + self.delay() } else { at };
        self.put(at, Parcel::Events { boot_id, events });
    }

    fn delay(&mut self) -> Duration {
        Duration::seconds_f64(self.dice.between(DELAY_SECONDS.0, DELAY_SECONDS.1))
    }

    fn put(&mut self, at: OffsetDateTime, parcel: Parcel) {
        self.sent += 1;
        self.outbox.insert((at, self.sent), parcel);
    }

    fn take_certain(&mut self) -> Option<Delivery> {
        let earliest = self.outbox.first_entry()?;
        // What is still collected may be due before it.
        let certain = self.certain_until.min(if self.batch.is_empty() {
            self.certain_until
        } else {
            self.batch_due
        });
        (earliest.key().0 <= certain).then(|| Delivery {
            at: earliest.key().0,
            parcel: earliest.remove(),
        })
    }
}

impl<P: Iterator<Item = Planned>> Iterator for Deliveries<P> {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        loop {
            if let Some(delivery) = self.take_certain() {
                return Some(delivery);
            }
            match self.plan.next() {
                Some(planned) => self.collect(planned),
                None => {
                    self.send_batch(self.batch_due);
                    let ((at, _), parcel) = self.outbox.pop_first()?;
                    return Some(Delivery { at, parcel });
                }
            }
        }
    }
}
