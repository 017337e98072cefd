use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use db::audit::{self, Trusted};
use db::{Db, ReaderConfig};
use domain::audit_chain::{Checkpoint, Coverage, Fault, FirstBad, Report, Verifier};

use crate::arguments::What;
use crate::export;

/// What came of it, as one sentence.
pub(crate) enum Outcome {
    Good(String),
    Tampered(String),
}

pub(crate) async fn run(what: What) -> Result<Outcome> {
    let begun = Instant::now();
    let mut trusted = Trusted {
        keys: what.public_key.into_iter().map(|key| key.0).collect(),
        ..Trusted::default()
    };
    for file in &what.checkpoints {
        trusted.checkpoints.extend(checkpoints(file)?);
    }
    let has_keys = !trusted.keys.is_empty();
    let report = match (&what.export, &what.database_url) {
        (Some(file), _) => offline(file, what.subset, trusted)?,
        (None, Some(url)) => audit::verify(&connect(url).await?, trusted).await?,
        (None, None) => bail!("name what to verify: DATABASE_URL, or --export FILE"),
    };
    Ok(outcome(&report, begun.elapsed(), has_keys || what.export.is_some()))
}

fn outcome(report: &Report, took: Duration, keys_are_given: bool) -> Outcome {
    if let Some(bad) = &report.first_bad {
        return Outcome::Tampered(format!(
            "{bad} All before entry {} is as it was written.",
            report.verified_to + 1
        ));
    }
    let signed = match report.signed_to {
        0 => "no checkpoint was compared, so a log that was written anew as a whole would not show".to_owned(),
        to => format!("{} checkpoints vouch for it to entry {to}", report.checkpoints),
    };
    let keys = match keys_are_given || report.checkpoints == 0 {
        true => "",
        false => "; the keys are those that the database names: give --public-key to trust it with nothing",
    };
    Outcome::Good(format!(
        "{} entries to entry {} are as they were written; {signed}{keys} ({:.1} s).",
        report.entries,
        report.verified_to,
        took.as_secs_f64()
    ))
}

fn offline(file: &Path, is_subset: bool, trusted: Trusted) -> Result<Report> {
    let coverage = if is_subset { Coverage::Some } else { Coverage::Whole };
    let mut verifier = Verifier::new(coverage, trusted.checkpoints, &trusted.keys);
    let end = export::read(file, |entry| verifier.push(&entry))?;
    let mut report = verifier.finish(end);
    if end.is_none() && report.first_bad.is_none() {
        let id = report.verified_to + 1;
        report.first_bad = Some(FirstBad {
            id,
            fault: Fault::CutOff,
            detail: format!("The entries from {id} on were cut off: the export has no end."),
        });
    }
    if let Some(bad) = report
        .first_bad
        .as_mut()
        .filter(|bad| (bad.id, bad.fault) == (1, Fault::Deleted))
    {
        bad.detail.push_str(" A filtered export is verified with --subset.");
    }
    Ok(report)
}

fn checkpoints(file: &Path) -> Result<Vec<Checkpoint>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(line, number)| {
            serde_json::from_str(line).with_context(|| format!("{}, line {number}, is no checkpoint", file.display()))
        })
        .collect()
}

async fn connect(url: &str) -> Result<Db> {
    let config = ReaderConfig {
        url: url.to_owned(),
        pool_size: 1,
        connect_timeout: Duration::from_secs(10),
        statement_timeout: None,
    };
    Db::connect_reader(&config)
        .await
        .context("cannot reach PostgreSQL (DATABASE_URL)")
}
