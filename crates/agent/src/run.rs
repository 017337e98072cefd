//! `agent run`: the sources, the core, the sender, until a signal.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use openvpn::management::Notice;
use openvpn::status::{StatusReport, parse_status};
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::client::ApiClient;
use crate::commands::Commands;
use crate::commands::journal::Journal;
use crate::config::Config;
use crate::core::{Core, View};
use crate::health::Health;
use crate::local::Listener;
use crate::log::Complaints;
use crate::management::{Address, Connection, Kill, ManagementError};
use crate::passthrough::{self, Link};
use crate::report::Reporter;
use crate::sender::{Sender, dead_letters_so_far, sent_so_far};
use crate::spool::{Limits, Spool};
use crate::tracker::{Observation, Settings};
use crate::{clock, heartbeat, inventory, systemd};

/// Observations that wait for the core; a source that is faster waits.
const QUEUE: usize = 4_096;
/// Sessions to be ended that wait for the management interface; more wait before it.
const KILLS: usize = 16;
/// How often the core looks whether time alone has brought something, and for hooks.
const TICK: Duration = Duration::from_millis(500);
/// What the sender has to bring its last events to the product when the agent ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

// The sources' names for `agent status` and metrics.
pub(crate) const MANAGEMENT: &str = "management";
const STATUS_FILE: &str = "status_file";
const HOOKS: &str = "hooks";

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When the configuration or the state folder cannot be used, or the disk refuses.
pub async fn run(config: Config, complaints: Complaints) -> anyhow::Result<()> {
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
    let journal = Journal::open(&config.commands_dir(), clock::now_ms())
        .with_context(|| format!("cannot use {}", config.commands_dir().display()))?;
    let (core, view) = Core::open(&config.state_dir, config.inbox(), spool, settings, sent_view.clone())?;
    let client = ApiClient::new(&config)?;
    let health = client.health.clone();
    health.keeps_dead_letters(dead_letters_so_far(&config.state_dir)?);
    let reporter = Reporter::new(
        &config,
        health.clone(),
        complaints,
        journal.clone(),
        view.clone(),
        sent_view.clone(),
    );
    let (seen, observations) = mpsc::channel(QUEUE);
    let (core, handle) = core.answering(
        seen.clone(),
        journal.unfinished().iter().map(|record| record.session_id),
    );
    let (kills, attached) = watch::channel(None);
    let (links, link) = watch::channel(None);
    let attachment = Attachment { links, kills };
    let commands = Commands::new(client.clone(), &config, journal, handle, attached);
    let core = tokio::task::spawn_blocking(move || core.run(observations));

    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let sender = Sender::new(client.clone(), &config, view.clone(), sent);
    tracing::info!(
        server_id = config.server_id,
        api_url = config.api_url,
        "The agent runs."
    );
    let mut sender = tokio::spawn(sender.run());
    let ended = tokio::select! {
        () = tick(seen.clone()) => Ok(()),
        () = management(&config, seen.clone(), &health, &attachment) => Ok(()),
        () = status_file(&config, seen.clone(), &health) => Ok(()),
        () = hooks(&config, view.clone(), &health) => Ok(()),
        () = passthrough(&config, link) => Ok(()),
        () = local(&config, reporter.clone()) => Ok(()),
        () = systemd::run(&reporter, view.clone()) => Ok(()),
        () = inventory::run(client.clone(), &config) => Ok(()),
        () = heartbeat::run(client, &config, view.clone(), sent_view.clone()) => Ok(()),
        result = commands.run(), if config.commands.enabled => result,
        result = &mut sender => result.context("the sender has stopped")?,
        _ = stop.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    // The sources are gone with the last sender: the core puts what it has on disk, writes its memory, and ends.
    drop(seen);
    core.await.context("the core has stopped")??;
    // What is on disk waits for the next start; what the product takes at once need not.
    if timeout(LAST_WORDS, &mut sender).await.is_err() {
        sender.abort();
    }
    let waiting = view.borrow().next_index.saturating_sub(*sent_view.borrow());
    tracing::info!(
        waiting,
        "The agent has ended; what waits in the spool is sent after its next start."
    );
    ended
}

/// Tools that use the management interface through the agent.
async fn passthrough(config: &Config, links: watch::Receiver<Option<Link>>) {
    let Some(Address::Unix(path)) = config.openvpn.passthrough.as_deref().and_then(Address::parse) else {
        return std::future::pending().await;
    };
    match passthrough::listen(&path) {
        Ok(listener) => passthrough::serve(listener, links).await,
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "The passthrough for other tools cannot be offered.");
            std::future::pending().await
        }
    }
}

/// Answers `agent status` and Prometheus. Nothing else depends on it.
async fn local(config: &Config, reporter: Reporter) {
    let Some(address) = Address::parse(&config.local.listen) else {
        return std::future::pending().await;
    };
    match Listener::bind(&address).await {
        Ok(listener) => listener.serve(reporter).await,
        Err(error) => {
            let listen = &config.local.listen;
            tracing::warn!(listen, %error, "`agent status` and metrics cannot be offered; all else goes on.");
            std::future::pending().await
        }
    }
}

/// Watches whether hooks leave anything.
async fn hooks(config: &Config, mut view: watch::Receiver<View>, health: &Health) {
    if !config.openvpn.hooks {
        return std::future::pending().await;
    }
    health.expects(HOOKS, &config.inbox().display().to_string());
    // On a quiet server nothing comes for hours.
    health.ready(HOOKS);
    let mut taken = 0;
    while let Ok(now) = view.wait_for(|view| view.hooks > taken).await.map(|view| view.hooks) {
        taken = now;
        health.works(HOOKS);
    }
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

/// Ways to the daemon, for as long as the agent is attached to it.
struct Attachment {
    links: watch::Sender<Option<Link>>,
    kills: watch::Sender<Option<mpsc::Sender<Kill>>>,
}

/// Stays attached to the management interface, or keeps trying.
async fn management(config: &Config, seen: mpsc::Sender<Observation>, health: &Health, attachment: &Attachment) {
    let Some(address) = config.openvpn.management.as_deref().and_then(Address::parse) else {
        return std::future::pending().await;
    };
    health.expects(MANAGEMENT, config.openvpn.management.as_deref().unwrap_or_default());
    let poll = Duration::from_secs(config.openvpn.poll_seconds.into());
    let namespace = Settings::namespace_of(&config.server_id);
    let mut pause = Duration::from_secs(1);
    let mut said = String::new();
    loop {
        let error = match attach(config, &address, seen.clone()).await {
            Ok(mut connection) => {
                tracing::info!("Attached to the management interface.");
                pause = Duration::from_secs(1);
                said.clear();
                connection.release_hold = config.openvpn.release_hold;
                connection.health = health.clone();
                health.works(MANAGEMENT);
                let (kills, to_do) = mpsc::channel(KILLS);
                attachment.links.send_replace(Some(connection.link()));
                attachment.kills.send_replace(Some(kills));
                let ended = connection.run(poll, &namespace, to_do).await;
                attachment.kills.send_replace(None);
                attachment.links.send_replace(None);
                match ended {
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
        health.fails(MANAGEMENT, &text);
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
async fn status_file(config: &Config, seen: mpsc::Sender<Observation>, health: &Health) {
    let Some(path) = config.openvpn.status_file.clone() else {
        return std::future::pending().await;
    };
    health.expects(STATUS_FILE, &path.display().to_string());
    let mut polls = interval(Duration::from_secs(config.openvpn.poll_seconds.into()));
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    let mut said = String::new();
    loop {
        polls.tick().await;
        let (written_at, report) = match read_status(&path).await {
            Ok(read) => read,
            Err(error) => {
                health.fails(STATUS_FILE, &error);
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
        health.works(STATUS_FILE);
        let observation = Observation::Notice {
            at: written_at,
            notice: Notice::Status(report),
        };
        if seen.send(observation).await.is_err() {
            return;
        }
    }
}

/// A status report, and when it was written by this host's clock, which need not be the daemon's.
async fn read_status(path: &Path) -> Result<(OffsetDateTime, StatusReport), String> {
    let read = async {
        let written_at = tokio::fs::metadata(path).await?.modified()?;
        std::io::Result::Ok((written_at.into(), tokio::fs::read(path).await?))
    };
    let (written_at, bytes) = read.await.map_err(|error| error.to_string())?;
    // The daemon writes it in place: half a report is read again next time.
    let report = parse_status(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())?;
    Ok((written_at, report))
}
