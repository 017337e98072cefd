//! The command line.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tokio::sync::watch;

use crate::agent::Agent;
use crate::demo::run_demo;
use crate::keys::{ServerKey, read_keys};
use crate::load::{Compression, LoadSettings, Mix, Numbering, run_load};
use crate::plan::FleetSettings;
use crate::recording::{Recording, expected_sessions, find_runs, replay};
use crate::{clock, printed};

/// Simulates VPN servers over the agent API.
#[derive(Debug, Parser)]
#[command(name = "fleet-simulator", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A fleet with realistic days: tells its recent history, then goes on until stopped.
    Demo(DemoArgs),
    /// As many events as asked for; prints rates and latencies.
    Load(LoadArgs),
    /// Sends what recorded OpenVPN daemons did.
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
struct Target {
    /// Where the agent API is, without `/api/v1`.
    #[arg(long, env = "BASE_URL", default_value = "http://127.0.0.1:18480")]
    base_url: String,
    /// File with a line `server_name=ovt_…` for each VPN server.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// The same lines, or separated by commas, when there is no file.
    #[arg(long = "keys-from-env", env = "SIMULATOR_KEYS", hide = true, hide_env_values = true)]
    keys_text: Option<String>,
}

impl Target {
    fn keys(&self) -> anyhow::Result<Vec<ServerKey>> {
        read_keys(self.keys.as_deref(), self.keys_text.as_deref())
    }
}

#[derive(Debug, Args)]
struct DemoArgs {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// VPN users of the whole fleet.
    #[arg(long, default_value_t = 400)]
    users: u32,
    /// Hours of history to tell first.
    #[arg(long, default_value_t = 12.0)]
    history_hours: f64,
    /// Simulated seconds in a second: 24 lives a day in an hour.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Seconds between two counter readings, in simulated time.
    #[arg(long, default_value_t = 60.0)]
    sample_seconds: f64,
    /// How many of the clients whose session was ended from the portal connect again after some seconds: 0 none, 1 all.
    #[arg(long, default_value_t = 0.5)]
    returns: f64,
}

#[derive(Debug, Args)]
struct LoadArgs {
    #[command(flatten)]
    target: Target,
    /// Events a second over all connections; without it as many as possible.
    #[arg(long)]
    rate: Option<f64>,
    #[arg(long, default_value_t = 100)]
    batch_size: usize,
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Seconds; the default is 10 when no number of events is given.
    #[arg(long)]
    duration: Option<f64>,
    /// Stops after exactly this many events.
    #[arg(long)]
    events: Option<u64>,
    /// Asks for an answer before the events are processed.
    #[arg(long = "async")]
    respond_async: bool,
    #[arg(long, value_enum)]
    compress: Option<Compression>,
    /// Weights of connects, updates and disconnects.
    #[arg(long, default_value = "30:40:30")]
    mix: Mix,
    /// Whether events are numbered; `auto`: when no two connections speak for the same server.
    #[arg(long, value_enum, default_value_t = Numbering::Auto)]
    seq: Numbering,
    /// VPN users over all connections.
    #[arg(long, default_value_t = 10_000)]
    users: usize,
    /// Opens so many sessions first, as fast as they are taken; then the rate begins, with these sessions open.
    #[arg(long, default_value_t = 0)]
    hold: usize,
    /// The same seed gives the same ids. Default: the current time.
    #[arg(long)]
    seed: Option<u64>,
    /// Sends a request again until it is accepted.
    #[arg(long)]
    retry: bool,
    /// Prints the report as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    #[command(flatten)]
    target: Target,
    /// Folders of runs, or folders with such folders.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// The server of run `a` is called PREFIX`a`.
    #[arg(long, default_value = "rec-")]
    prefix: String,
    #[arg(long, default_value_t = 200)]
    batch_size: usize,
    /// Prints the events, one JSON object a line, instead of sending them.
    #[arg(long, group = "output")]
    print: bool,
    /// Prints the sessions that the end scripts state, one JSON object a line.
    #[arg(long, group = "output")]
    expected: bool,
    /// Prints the names of the servers, and `duplicate-cn` beside those that need it.
    #[arg(long, group = "output")]
    servers: bool,
}

impl Cli {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Demo(args) => demo(args).await,
            Command::Load(args) => load(args).await,
            Command::Replay(args) => replay_runs(args).await,
        }
    }
}

async fn demo(args: DemoArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.speed > 0.0 && args.sample_seconds >= 1.0,
        "--speed and --sample-seconds must be positive"
    );
    anyhow::ensure!(
        (0.0..=24.0 * 365.0).contains(&args.history_hours),
        "--history-hours must be at most a year"
    );
    anyhow::ensure!((0.0..=1.0).contains(&args.returns), "--returns must be from 0 to 1");
    let keys = args.target.keys()?;
    let servers: Vec<String> = keys.iter().map(|key| key.server.clone()).collect();
    let start = clock::now() - time::Duration::seconds_f64(args.history_hours * 3600.0);
    let mut settings = FleetSettings::new(args.seed, servers, args.users, start);
    settings.speed = args.speed;
    settings.sample_seconds = args.sample_seconds;
    settings.returns = args.returns;
    tracing::info!(
        servers = keys.len(),
        users = args.users,
        hours = args.history_hours,
        "The fleet begins to live."
    );
    run_demo(&args.target.base_url, keys, &settings, stop_on_signal()?).await?;
    tracing::info!("The fleet has stopped.");
    Ok(())
}

fn stop_on_signal() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = watch::channel(false);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(receiver)
}

async fn load(args: LoadArgs) -> anyhow::Result<()> {
    let json = args.json;
    let seed = args.seed.unwrap_or_else(|| clock::now().unix_timestamp_nanos() as u64);
    let settings = LoadSettings {
        keys: args.target.keys()?,
        base_url: args.target.base_url,
        rate: args.rate,
        batch_size: args.batch_size,
        connections: args.connections,
        seconds: args.duration.or_else(|| args.events.is_none().then_some(10.0)),
        events: args.events,
        respond_async: args.respond_async,
        compression: args.compress,
        mix: args.mix,
        numbering: args.seq,
        users: args.users,
        hold: args.hold,
        seed,
        retry: args.retry,
    };
    let report = run_load(settings, stop_on_signal()?).await?;
    let text = if json {
        serde_json::to_string(&report)?
    } else {
        report.to_string()
    };
    printed(&mut io::stdout(), &text)
}

async fn replay_runs(args: ReplayArgs) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for folder in &args.folders {
        for run in find_runs(folder)? {
            let recording = Recording::load(&run).with_context(|| format!("cannot replay {}", run.display()))?;
            runs.push((format!("{}{}", args.prefix, recording.run), recording));
        }
    }
    let mut out = io::stdout().lock();
    match (args.print, args.expected, args.servers) {
        (true, ..) => runs
            .iter()
            .try_for_each(|(server, recording)| print_events(&mut out, server, recording)),
        (_, true, _) => runs
            .iter()
            .try_for_each(|(server, recording)| print_expected(&mut out, server, recording)),
        (.., true) => runs.iter().try_for_each(|(server, recording)| {
            printed(
                &mut out,
                &format!("{server}{}", if recording.duplicate_cn { "\tduplicate-cn" } else { "" }),
            )
        }),
        _ => {
            drop(out);
            send_runs(&args, &runs).await
        }
    }
}

fn print_events(out: &mut impl Write, server: &str, recording: &Recording) -> anyhow::Result<()> {
    for boot in replay(recording, server) {
        for event in &boot.events {
            let mut line = serde_json::to_value(event)?;
            line["server_id"] = server.into();
            line["boot_id"] = boot.boot_id.to_string().into();
            printed(out, &line.to_string())?;
        }
    }
    Ok(())
}

fn print_expected(out: &mut impl Write, server: &str, recording: &Recording) -> anyhow::Result<()> {
    let mut sessions = expected_sessions(recording, server).into_iter();
    sessions.try_for_each(|session| printed(out, &serde_json::to_string(&session)?))
}

async fn send_runs(args: &ReplayArgs, runs: &[(String, Recording)]) -> anyhow::Result<()> {
    let keys = args.target.keys()?;
    for (seed, (server, recording)) in (0..).zip(runs) {
        let key = keys.iter().find(|key| key.server == *server);
        let key = key
            .with_context(|| format!("there is no API key for {server}"))?
            .clone();
        let mut agent = Agent::new(&args.target.base_url, key, seed)?;
        let mut sent = 0;
        for boot in replay(recording, server) {
            for events in boot.events.chunks(args.batch_size.max(1)) {
                let answer = agent.send_events(boot.boot_id, events).await?;
                anyhow::ensure!(
                    answer.errors.is_empty(),
                    "{server}: an event was refused: {:?}",
                    answer.errors[0]
                );
                sent += events.len();
            }
        }
        printed(&mut io::stdout(), &format!("{server}: {sent} events accepted"))?;
    }
    Ok(())
}
