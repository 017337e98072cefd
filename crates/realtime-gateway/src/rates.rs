//! How many sessions began and ended in the last minute.

use std::collections::VecDeque;

use crate::change::Event;

const WINDOW_SECONDS: i64 = 60;

#[derive(Debug, Default)]
pub(crate) struct Rates(VecDeque<Second>);

#[derive(Debug)]
struct Second {
    at: i64,
    connects: u64,
    disconnects: u64,
}

impl Rates {
    /// Counts changes of this second since the epoch.
    pub(crate) fn add(&mut self, at: i64, event: Event, count: usize) {
        let (connects, disconnects) = match event {
            Event::Connected => (count as u64, 0),
            Event::Disconnected => (0, count as u64),
            Event::Updated | Event::Withdrawn => return,
        };
        // Messages of several processors may be a little out of order.
        let at = self.0.back().map_or(at, |last| last.at.max(at));
        match self.0.back_mut().filter(|last| last.at == at) {
            Some(last) => {
                last.connects += connects;
                last.disconnects += disconnects;
            }
            None => self.0.push_back(Second {
                at,
                connects,
                disconnects,
            }),
        }
        self.forget(at);
    }

    /// Connects and disconnects in the minute before `now`, seconds since the epoch.
    pub(crate) fn of_last_minute(&mut self, now: i64) -> (u64, u64) {
        self.forget(now);
        self.0.iter().fold((0, 0), |(connects, disconnects), second| {
            (connects + second.connects, disconnects + second.disconnects)
        })
    }

    fn forget(&mut self, now: i64) {
        while self.0.front().is_some_and(|oldest| oldest.at <= now - WINDOW_SECONDS) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_minute_counts() {
        let mut rates = Rates::default();
        rates.add(100, Event::Connected, 2);
        rates.add(130, Event::Connected, 1);
        rates.add(129, Event::Disconnected, 4);
        rates.add(130, Event::Updated, 9);
        assert_eq!(rates.of_last_minute(159), (3, 4));
        assert_eq!(rates.of_last_minute(160), (1, 4));
        assert_eq!(rates.of_last_minute(190), (0, 0));
    }
}
