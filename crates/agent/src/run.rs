//! `agent run`: the sources, the core, the sender, until a signal.

use std::time::Duration;

use anyhow::Context;
use openvpn::management::Notice;
use openvpn::status::parse_status;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::client::ApiClient;
use crate::clock;
use crate::config::Config;
use crate::core::Core;
use crate::heartbeat;
use crate::management::{Address, Connection, ManagementError};
use crate::sender::{Sender, sent_so_far};
use crate::spool::{Limits, Spool};
use crate::tracker::{Observation, Settings};

/// Observations that wait for the core; a source that is faster waits.
const QUEUE: usize = 4_096;
/// How often the core looks whether time alone has brought something, and for hooks.
const TICK: Duration = Duration::from_millis(500);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When the configuration or the state folder cannot be used, or the disk refuses.
pub async fn run(config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(config.inbox()).with_context(|| format!("cannot use {}", config.state_dir.display()))?;
    let limits = Limits {
        segment: config.spool.segment_mib << 20,
        total: config.spool.max_mib << 20,
    };
    let spool = Spool::open(&config.spool_dir(), limits)?;
    let (sent, sent_view) = watch::channel(sent_so_far(&config.state_dir)?);
    let settings = Settings {
        namespace: Settings::namespace_of(&config.server_id),
        hooks: config.openvpn.hooks,
        update_interval: time::Duration::seconds(config.openvpn.update_seconds.into()),
        snapshot_interval: time::Duration::seconds(config.openvpn.snapshot_seconds.into()),
    };
    let (core, view) = Core::open(&config.state_dir, config.inbox(), spool, settings, sent_view.clone())?;
    let client = ApiClient::new(&config)?;
    let (seen, observations) = mpsc::channel(QUEUE);
    let core = tokio::task::spawn_blocking(move || core.run(observations));

    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let sender = Sender::new(client.clone(), &config, view.clone(), sent);
    tracing::info!(
        server_id = config.server_id,
        api_url = config.api_url,
        "The agent runs."
    );
    let ended = tokio::select! {
        () = tick(seen.clone()) => Ok(()),
        () = management(&config, seen.clone()) => Ok(()),
        () = status_file(&config, seen.clone()) => Ok(()),
        () = heartbeat::run(client, &config, view, sent_view) => Ok(()),
        result = sender.run() => result,
        _ = stop.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    // The sources are gone with the last sender: the core writes its memory and ends.
    drop(seen);
    core.await.context("the core has stopped")??;
    ended
}

async fn tick(seen: mpsc::Sender<Observation>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if seen.send(Observation::Tick(clock::now())).await.is_err() {
            return;
        }
    }
}

/// Stays attached to the management interface, or keeps trying.
async fn management(config: &Config, seen: mpsc::Sender<Observation>) {
    let Some(address) = config.openvpn.management.as_deref().and_then(Address::parse) else {
        return std::future::pending().await;
    };
    let poll = Duration::from_secs(config.openvpn.poll_seconds.into());
    let mut pause = Duration::from_secs(1);
    let mut said = String::new();
    loop {
        let error = match attach(config, &address, seen.clone()).await {
            Ok(mut connection) => {
                tracing::info!("Attached to the management interface.");
                pause = Duration::from_secs(1);
                said.clear();
                match connection.run(poll).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let text = anyhow::Error::from(error)
            .chain()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        if text != said {
            tracing::warn!(
                error = text,
                "Not attached to the management interface; the other sources go on, and it is tried again."
            );
            said = text;
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(15));
    }
}

async fn attach(
    config: &Config,
    address: &Address,
    seen: mpsc::Sender<Observation>,
) -> Result<Connection, ManagementError> {
    let password = match &config.openvpn.management_password_file {
        Some(file) => Some(tokio::fs::read_to_string(file).await?),
        None => None,
    };
    let password = password.as_deref().and_then(|text| text.lines().next());
    Connection::attach(address, password, config.openvpn.poll_seconds, seen).await
}

/// Reads the daemon's status file whenever it has changed.
async fn status_file(config: &Config, seen: mpsc::Sender<Observation>) {
    let Some(path) = config.openvpn.status_file.clone() else {
        return std::future::pending().await;
    };
    let mut polls = interval(Duration::from_secs(config.openvpn.poll_seconds.into()));
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    let mut said = String::new();
    loop {
        polls.tick().await;
        let report = match tokio::fs::read(&path)
            .await
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                // The daemon writes it in place: half a report is read again next time.
                parse_status(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())
            }) {
            Ok(report) => report,
            Err(error) => {
                if error != said {
                    tracing::warn!(path = %path.display(), error, "The status file cannot be read.");
                    said = error;
                }
                continue;
            }
        };
        said.clear();
        // A dead daemon leaves its file behind: only a new one proves anything.
        if known.replace(report.at) == Some(report.at) {
            continue;
        }
        let at = report.at;
        let observation = Observation::Notice {
            at,
            notice: Notice::Status(report),
        };
        if seen.send(observation).await.is_err() {
            return;
        }
    }
}
