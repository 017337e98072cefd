//! The word that a service is to end, passed to whoever should finish.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use tokio::sync::watch;

/// Tells that shutdown has been requested. Cheap to clone. In a handler, as an extractor, it is requested as soon as the
/// service begins to stop, so that long polls and streams can end; a worker's only after HTTP has finished.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Requests shutdown; also when dropped, so that nobody waits for ever.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl Shutdown {
    /// A trigger and what it triggers, for tests of workers.
    pub fn pair() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Resolves when shutdown is requested; at once if it was before.
    pub async fn requested(&self) {
        // An error means that the trigger is gone, which requests shutdown as well.
        let _ = self.0.clone().wait_for(|requested| *requested).await;
    }

    /// Whether shutdown has been requested.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

impl ShutdownTrigger {
    /// Requests shutdown.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}

impl FromRequest for Shutdown {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let shutdown = request.app_data::<web::Data<Self>>().map(|data| Self::clone(data));
        ready(shutdown.ok_or_else(|| actix_web::error::ErrorInternalServerError("the service kit is not installed")))
    }
}
