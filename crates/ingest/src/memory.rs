//! The memory that request bodies may take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone)]
pub(crate) struct Memory {
    free: Arc<AtomicUsize>,
}

/// Memory that a request holds; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Memory,
    bytes: usize,
}

impl Memory {
    pub(crate) fn of(bytes: usize) -> Self {
        Self {
            free: Arc::new(AtomicUsize::new(bytes)),
        }
    }

    pub(crate) fn reserve_nothing(&self) -> Reservation {
        Reservation {
            memory: self.clone(),
            bytes: 0,
        }
    }
}

impl Reservation {
    /// Makes it as large as this; `false` when there is not that much.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let free = &self.memory.free;
        let taken = free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(more))
            .is_ok();
        if taken {
            self.bytes += more;
        }
        taken
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.free.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_a_request_ends() {
        let memory = Memory::of(10);
        let mut first = memory.reserve_nothing();
        assert!(first.grow_to(4) && first.grow_to(8) && first.grow_to(2));
        let mut second = memory.reserve_nothing();
        assert!(!second.grow_to(3));
        drop(first);
        assert!(second.grow_to(10));
    }
}
