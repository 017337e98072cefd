//! What becomes of all that the agent hears: sessions.

use std::collections::HashSet;

use agent::tracker::{Memory, Observation, Settings, Tracker};
use agent_api::{Event, EventType};
use openvpn::Environment;
use openvpn::management::parse_transcript;
use time::Duration;
use uuid::Uuid;

/// Transcripts and hooks in turn, with empty lines between them: no session is told to begin twice while it is open, none ends that has not begun, and
/// what the agent remembers of them comes back from its disk.
pub(crate) fn sessions(input: &[u8]) {
    let text = crate::text(input);
    let mut tracker = tracker(Memory::default());
    let mut told = Told::default();
    for (number, part) in text.split("\n\n").enumerate() {
        if number % 2 == 1 {
            told.take(tracker.observe(Observation::Hook(Environment::parse(part))));
            continue;
        }
        for timed in parse_transcript(part) {
            let (at, notice) = (timed.at, timed.notice);
            told.take(tracker.observe(Observation::Notice { at, notice }));
            told.take(tracker.observe(Observation::Tick(at)));
        }
    }
    assert!(tracker.len() <= told.begun.len());
    let memory = serde_json::to_vec(&tracker.memory()).expect("the memory is JSON");
    let again = self::tracker(serde_json::from_slice(&memory).expect("it was written so"));
    assert_eq!((again.len(), again.boot_id()), (tracker.len(), tracker.boot_id()));
}

fn tracker(memory: Memory) -> Tracker {
    let settings = Settings {
        namespace: Settings::namespace_of("vpn-1"),
        hooks: true,
        update_interval: Duration::seconds(5),
        snapshot_interval: Duration::seconds(60),
    };
    Tracker::new(settings, memory)
}

/// The events so far.
#[derive(Default)]
struct Told {
    begun: HashSet<Uuid>,
    open: HashSet<Uuid>,
}

impl Told {
    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            let session = event.session.as_ref().and_then(|session| session.session_id);
            match event.event_type {
                EventType::SessionConnected => {
                    self.begun.insert(event.event_id);
                    assert!(self.open.insert(event.event_id), "it begins once");
                }
                EventType::SessionUpdated | EventType::SessionDisconnected => {
                    assert!(session.is_some_and(|id| self.begun.contains(&id)), "it has begun");
                }
                // A session that a list lacks, and a later one shows, begins again, as the same.
                EventType::SessionSnapshot => {
                    let listed: HashSet<Uuid> = event
                        .sessions
                        .iter()
                        .flatten()
                        .filter_map(|one| one.session_id)
                        .collect();
                    self.open.retain(|id| listed.contains(id));
                }
                _ => {}
            }
        }
    }
}
