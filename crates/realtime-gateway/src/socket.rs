//! One client: who it is, what it wants, and where in the log it is.

mod asked;
mod greet;
mod tell;
mod write;

use std::time::Duration;

use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError, Session};
use service_kit::Shutdown;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::State;
use crate::access::Access;
use crate::close::Close;
use write::Writer;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// Pings without an answer after which a client is gone.
const MISSED_PINGS: u32 = 2;

/// What a client brings with the request for a socket.
pub(crate) struct Opening {
    pub(crate) token: Option<String>,
    pub(crate) last_position: Option<String>,
    /// Its share of the sockets there may be.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// A client that is let in.
struct Socket {
    state: Data<State>,
    writer: Writer,
    messages: AggregatedMessageStream,
    access: Access,
    /// Snapshots go to it compressed.
    packed: bool,
    /// VPN servers it wants to hear of; all, when there is none.
    rooms: Vec<String>,
    /// `None` while the sessions are not known.
    place: Option<Place>,
    tip: watch::Receiver<u64>,
    /// The name of the status that it was told before it had a place.
    told: Option<&'static str>,
    asked: asked::Asked,
    pings: Interval,
    missed: u32,
    /// How often frames were sent; begins anywhere, so that not all sockets are measured at once.
    rounds: u64,
}

/// How far a client is.
#[derive(Debug, Clone, Copy)]
struct Place {
    generation: u64,
    /// The number of the next frame.
    cursor: u64,
    /// It came back with a position, and has had no snapshot from this gateway since.
    replays: bool,
    /// It has a right to be far behind: it has just come.
    catches_up: bool,
}

/// Serves a client to its end.
pub(crate) async fn serve(
    state: Data<State>,
    session: Session,
    messages: AggregatedMessageStream,
    opening: Opening,
    stopping: Shutdown,
) {
    metrics::gauge!("realtime_sockets").increment(1);
    let mut writer = Writer::new(session, state.config.slow_after(), stopping.clone());
    let close = match greet::let_in(&state, &mut writer, messages, &opening, &stopping).await {
        Ok(entered) => {
            let last_position = entered.wishes.last_position.clone();
            let mut socket = Socket::new(state, writer, entered);
            let close = socket.run(last_position, &stopping).await;
            writer = socket.writer;
            close
        }
        Err(close) => close,
    };
    let labels = [
        ("code", close.code().to_string()),
        ("reason", close.reason().to_owned()),
    ];
    metrics::counter!("realtime_closed_total", &labels).increment(1);
    // A client that does not read would not read this either; then it is cut off.
    let _ = tokio::time::timeout(GOODBYE, writer.goodbye(close)).await;
    metrics::gauge!("realtime_sockets").decrement(1);
    drop(opening.permit);
}

impl Socket {
    fn new(state: Data<State>, writer: Writer, entered: greet::Entered) -> Self {
        let every = state.config.ping_interval();
        let mut pings = interval(every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let rounds = state.sockets.available_permits() as u64;
        Self {
            tip: state.hub.tip(),
            state,
            writer,
            messages: entered.messages,
            access: entered.access,
            packed: entered.wishes.packed,
            rooms: Vec::new(),
            place: None,
            told: None,
            asked: asked::Asked::default(),
            pings,
            missed: 0,
            rounds,
        }
    }

    async fn run(&mut self, last_position: Option<String>, stopping: &Shutdown) -> Close {
        match self.live(last_position, stopping).await {
            Ok(()) => Close::Gone,
            Err(close) => close,
        }
    }

    async fn live(&mut self, last_position: Option<String>, stopping: &Shutdown) -> Result<(), Close> {
        self.welcome(last_position).await?;
        let stopped = stopping.requested();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => return Err(Close::Restart),
                close = self.access.ended() => return Err(close),
                message = self.messages.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await?,
                    Some(Err(error)) => return Err(refused(&error)),
                    None => return Ok(()),
                },
                _ = self.pings.tick() => self.ping().await?,
                () = self.asked.due() => self.answer().await?,
                changed = self.tip.changed() => match changed {
                    Ok(()) => self.advance().await?,
                    Err(_) => return Err(Close::Restart),
                },
            }
        }
    }

    async fn ping(&mut self) -> Result<(), Close> {
        if self.missed >= MISSED_PINGS {
            return Err(Close::Dead);
        }
        self.missed += 1;
        self.writer.ping(&mut self.access).await
    }

    async fn hear(&mut self, message: AggregatedMessage) -> Result<(), Close> {
        self.missed = 0;
        match message {
            AggregatedMessage::Text(text) => self.obey(&text).await,
            AggregatedMessage::Binary(_) => self.complain("invalid_frame", "Messages are JSON, as text.").await,
            AggregatedMessage::Ping(payload) => self.writer.pong(&payload, &mut self.access).await,
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(_) => Err(Close::Gone),
        }
    }
}

/// Why a message could not be taken.
fn refused(error: &ProtocolError) -> Close {
    match error {
        ProtocolError::Overflow => Close::TooLarge,
        // That is how the library tells a message in too many pieces.
        ProtocolError::Io(error) if error.kind() == std::io::ErrorKind::Other => Close::TooLarge,
        ProtocolError::Io(_) => Close::Gone,
        _ => Close::Protocol,
    }
}
