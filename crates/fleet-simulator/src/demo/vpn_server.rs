//! A simulated VPN server in the present: its agent delivers what happens, and the portal gives orders meanwhile.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock;
use crate::plan::{Deliveries, Delivery};

#[derive(Debug)]
pub(super) struct VpnServer {
    deliveries: Mutex<Deliveries>,
    /// An order has changed what is due.
    ordered: Notify,
}

impl VpnServer {
    pub(super) fn new(deliveries: Deliveries) -> Self {
        Self {
            deliveries: Mutex::new(deliveries),
            ordered: Notify::new(),
        }
    }

    pub(super) fn take_due(&self) -> Option<Delivery> {
        self.lock().take_due(clock::now())
    }

    /// Resolves when something may be due.
    pub(super) async fn has_news(&self) {
        let wait = Duration::try_from(self.lock().due() - clock::now()).unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.ordered.notified() => {}
        }
    }

    /// Ends a session; `false`: there is no such session.
    pub(super) fn terminate(&self, session_id: Uuid) -> bool {
        let has_ended = self.lock().terminate(session_id, clock::now());
        self.ordered.notify_one();
        has_ended
    }

    /// Who may not connect, and until when.
    pub(super) fn deny(&self, denied: HashMap<String, OffsetDateTime>) {
        self.lock().deny(denied, clock::now());
        self.ordered.notify_one();
    }

    /// The session that a VPN user has now.
    pub(super) fn session_of(&self, common_name: &str) -> Option<Uuid> {
        self.lock().session_of(common_name, clock::now())
    }

    fn lock(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
