//! CPU time of processes, from `/proc`.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Of `/proc/*/stat`; the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process, or one with all that it forks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measured {
    Process(u32),
    /// A server that forks, with its living and its ended children.
    Family(u32),
}

/// Processes by name.
#[derive(Debug)]
pub(crate) struct Meter(pub(crate) Vec<(&'static str, Measured)>);

impl Meter {
    /// Seconds since each started.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<(&'static str, f64)>> {
        let seconds = |(name, measured): &(&'static str, Measured)| Ok((*name, measured.seconds()?));
        self.0.iter().map(seconds).collect()
    }
}

impl Measured {
    fn seconds(self) -> anyhow::Result<f64> {
        match self {
            Self::Process(pid) => Ok(Ticks::of(pid)?.own),
            Self::Family(pid) => {
                let parent = Ticks::of(pid)?;
                let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
                // A child that has ended in between is counted among the ended ones next time.
                let living = children
                    .split_whitespace()
                    .filter_map(|child| Ticks::of(child.parse().ok()?).ok());
                Ok(parent.own + parent.ended_children + living.map(|child| child.own).sum::<f64>())
            }
        }
    }
}

/// In seconds.
struct Ticks {
    own: f64,
    ended_children: f64,
}

impl Ticks {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name in parentheses may hold anything.
        let (_, rest) = text.rsplit_once(") ").context("/proc/*/stat holds a name")?;
        let field = |index: usize| rest.split(' ').nth(index).and_then(|number| number.parse::<f64>().ok());
        let pair = |index| Some((field(index)? + field(index + 1)?) / TICKS_PER_SECOND);
        Ok(Self {
            own: pair(11).context("utime and stime")?,
            ended_children: pair(13).context("cutime and cstime")?,
        })
    }
}

/// The first number in a file of process ids.
pub(crate) fn pid_in(path: &Path) -> anyhow::Result<u32> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let first = text.split_whitespace().next().and_then(|pid| pid.parse().ok());
    first.with_context(|| format!("{} holds no process id", path.display()))
}
