//! `bench-agent`: what the agent needs to hold many sessions. The daemon is generated (no host has 10,000 OpenVPN clients), and
//! speaks on a management socket as the real one does; what the agent sends is counted and thrown away.

mod daemon;
mod sink;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use serde::Serialize;
use tokio::time::sleep;

use daemon::Daemon;
use sink::Sink;

/// Memory and processor time of one agent.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    sessions: u32,
    /// How long it is measured, after the first minute; 60 holds each kind of work at least once.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Seconds between two status reports.
    #[arg(long, default_value_t = 10)]
    poll: u32,
    /// The agent.
    #[arg(long)]
    agent: PathBuf,
    /// One JSON object in place of lines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    sessions: u32,
    poll_seconds: u32,
    /// From the start until the product had every connect.
    first_report_seconds: f64,
    rss_mib: f64,
    peak_rss_mib: f64,
    cpu_percent: f64,
    events_per_second: f64,
    kib_per_second: f64,
    within_limits: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = std::env::temp_dir().join(format!("bench-agent-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let report = measure(&arguments, &folder).await;
    std::fs::remove_dir_all(&folder)?;
    let report = report?;
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(
            out,
            "{} sessions, status every {} s: {:.1} MiB resident ({:.1} at most), {:.2} % of a core, {:.0} events/s, {:.1} KiB/s sent; \
             all connects sent after {:.1} s",
            report.sessions,
            report.poll_seconds,
            report.rss_mib,
            report.peak_rss_mib,
            report.cpu_percent,
            report.events_per_second,
            report.kib_per_second,
            report.first_report_seconds
        )?;
    }
    anyhow::ensure!(report.within_limits, "over the limits: 50 MiB, 5 % of a core");
    Ok(())
}

async fn measure(arguments: &Arguments, folder: &Path) -> anyhow::Result<Report> {
    let socket = folder.join("m.sock");
    Daemon::listen(&socket, arguments.sessions)?;
    let (sink, url) = Sink::listen().await?;
    let config = folder.join("agent.toml");
    let settings = format!(
        "server_id = \"bench\"\napi_url = \"{url}\"\napi_key = \"ovt_bench\"\nstate_dir = \"{0}\"\n[openvpn]\n\
         management = \"unix:{1}\"\npoll_seconds = {2}\n[local]\nlisten = \"unix:{0}/status.sock\"\n",
        folder.display(),
        socket.display(),
        arguments.poll
    );
    std::fs::write(&config, settings)?;
    let mut agent = Agent::start(&arguments.agent, &config, folder)?;
    let began = Instant::now();
    while sink.events.load(Ordering::Relaxed) < u64::from(arguments.sessions) {
        anyhow::ensure!(agent.0.try_wait()?.is_none(), "the agent has ended");
        sleep(Duration::from_millis(50)).await;
    }
    let first_report_seconds = began.elapsed().as_secs_f64();
    // The first minute is the one in which everything is new.
    sleep(Duration::from_secs(60).saturating_sub(began.elapsed())).await;
    let (events, bytes) = (sink.events.load(Ordering::Relaxed), sink.bytes.load(Ordering::Relaxed));
    let (cpu, at) = (agent.cpu_seconds()?, Instant::now());
    let mut rss: f64 = 0.0;
    while at.elapsed() < Duration::from_secs(arguments.seconds) {
        sleep(Duration::from_millis(500)).await;
        rss = rss.max(agent.memory_mib("VmRSS:")?);
    }
    let seconds = at.elapsed().as_secs_f64();
    let cpu_percent = 100.0 * (agent.cpu_seconds()? - cpu) / seconds;
    let peak_rss_mib = agent.memory_mib("VmHWM:")?;
    Ok(Report {
        sessions: arguments.sessions,
        poll_seconds: arguments.poll,
        first_report_seconds,
        rss_mib: rss,
        peak_rss_mib,
        cpu_percent,
        events_per_second: (sink.events.load(Ordering::Relaxed) - events) as f64 / seconds,
        kib_per_second: (sink.bytes.load(Ordering::Relaxed) - bytes) as f64 / 1024.0 / seconds,
        within_limits: peak_rss_mib < 50.0 && cpu_percent < 5.0,
    })
}

/// The agent under measurement; it ends with this.
struct Agent(Child);

impl Agent {
    fn start(program: &Path, config: &Path, folder: &Path) -> anyhow::Result<Self> {
        let log = std::fs::File::create(folder.join("agent.log"))?;
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Ok(Self(
            command
                .spawn()
                .with_context(|| format!("cannot start {}", program.display()))?,
        ))
    }

    /// Of all its threads, user and system.
    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let (_, rest) = stat.rsplit_once(") ").context("no process")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks =
            |place: usize| -> anyhow::Result<f64> { Ok(fields.get(place).context("no ticks")?.parse::<f64>()?) };
        // Linux counts these in hundredths of a second, whatever its own clock.
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    fn memory_mib(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .context("no memory")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
