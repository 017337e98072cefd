//! What an agent sends, and when it arrives: batches, with the troubles of real networks.

use std::collections::{BTreeMap, HashMap};
use std::mem::take;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::dice::Dice;
use super::server::{Planned, PlannedFact, ServerPlan};
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

/// The deliveries of one agent in the order of time, without end.
#[derive(Debug)]
pub struct Deliveries {
    plan: ServerPlan,
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
}

impl Deliveries {
    pub(super) fn new(settings: &FleetSettings, index: usize, plan: ServerPlan) -> Self {
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
        }
    }

    /// The next of what is to be sent until `now`. The plan goes no further than needed, so that orders find it in the present.
    pub fn take_due(&mut self, now: OffsetDateTime) -> Option<Delivery> {
        loop {
            let next = self.plan.due();
            if !self.batch.is_empty() && self.batch_due <= next.min(now) {
                self.send_batch(self.batch_due);
                continue;
            }
            // Nothing will be put into the outbox for a time before these.
            if let Some(earliest) = self.outbox.first_entry()
                && earliest.key().0 <= next.min(now)
            {
                let at = earliest.key().0;
                return Some(Delivery {
                    at,
                    parcel: earliest.remove(),
                });
            }
            if next > now {
                return None;
            }
            self.step();
        }
    }

    /// When [`Self::take_due`] is worth calling again.
    pub fn due(&self) -> OffsetDateTime {
        let mut due = self.plan.due();
        if !self.batch.is_empty() {
            due = due.min(self.batch_due);
        }
        match self.outbox.first_key_value() {
            Some(((at, _), _)) => due.min(*at),
            None => due,
        }
    }

    /// Ends a session `now`, and tells of it at once whatever the network is like. `false`: the VPN server has no such session.
    pub fn terminate(&mut self, session_id: Uuid, now: OffsetDateTime) -> bool {
        self.go_on_until(now);
        let has_ended = self.plan.terminate(session_id, now);
        for planned in self.plan.take_planned() {
            if let PlannedFact::Event(event) = planned.fact {
                let (boot_id, events) = (planned.boot_id, vec![event]);
                self.put(now, Parcel::Events { boot_id, events });
            }
        }
        has_ended
    }

    /// Who may not connect from `now` on, and until when.
    pub fn deny(&mut self, denied: HashMap<String, OffsetDateTime>, now: OffsetDateTime) {
        self.go_on_until(now);
        self.plan.deny(denied);
    }

    /// The session that a VPN user has `now`.
    pub fn session_of(&mut self, common_name: &str, now: OffsetDateTime) -> Option<Uuid> {
        self.go_on_until(now);
        self.plan.session_of(common_name)
    }

    fn go_on_until(&mut self, now: OffsetDateTime) {
        while self.plan.due() <= now {
            self.step();
        }
    }

    fn step(&mut self) {
        self.plan.advance();
        for planned in self.plan.take_planned() {
            self.collect(planned);
        }
    }

    fn collect(&mut self, planned: Planned) {
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
}

impl Iterator for Deliveries {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        loop {
            let delivery = self.take_due(self.due());
            if delivery.is_some() {
                return delivery;
            }
        }
    }
}
