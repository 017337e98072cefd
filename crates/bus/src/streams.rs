//! The streams and consumers, declared once: created when absent, verified when present.

use std::fmt::Debug;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};

use crate::{BusConfig, Error, Names};

/// The durable consumer that all replicas of session-processor share.
const PROCESSOR: &str = "session-processor";
/// How far back a realtime subscriber can come late.
const REALTIME_FOR: Duration = Duration::from_secs(300);
/// Messages handed out and not acknowledged yet, over all replicas.
const MAX_ACK_PENDING: i64 = 5_000;

pub(crate) async fn declare_all(context: &jetstream::Context, names: &Names, config: &BusConfig) -> Result<(), Error> {
    let telemetry = stream(
        names.telemetry_stream(),
        names.telemetry_events(),
        config.bus_telemetry_max_bytes,
        config,
    );
    let rejected = stream(
        names.rejected_stream(),
        names.telemetry_rejected(),
        config.bus_rejected_max_bytes,
        config,
    );
    declare(context, telemetry).await?;
    declare(context, rejected).await?;
    declare_realtime(context, names, config).await
}

/// NATS forgets this stream when it restarts, so whoever misses it declares it again.
pub(crate) async fn declare_realtime(
    context: &jetstream::Context,
    names: &Names,
    config: &BusConfig,
) -> Result<(), Error> {
    declare(context, realtime(names, config)).await
}

/// Nobody's truth: in memory, and what is old makes room.
fn realtime(names: &Names, config: &BusConfig) -> Config {
    Config {
        storage: StorageType::Memory,
        discard: DiscardPolicy::Old,
        max_age: REALTIME_FOR,
        ..stream(
            names.realtime_stream(),
            names.realtime_sessions_all(),
            config.bus_realtime_max_bytes,
            config,
        )
    }
}

/// Nothing in a stream is ever removed by age or to make room: what is not processed stays, what does not fit is refused.
fn stream(name: String, subject: String, max_bytes: i64, config: &BusConfig) -> Config {
    Config {
        name,
        subjects: vec![subject],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        max_consumers: -1,
        max_age: Duration::ZERO,
        num_replicas: config.bus_replicas,
        ..Config::default()
    }
}

async fn declare(context: &jetstream::Context, declared: Config) -> Result<(), Error> {
    if let Some(live) = live_stream(context, &declared.name).await? {
        return verify_stream(&declared, &live);
    }
    match context.create_stream(declared.clone()).await {
        Ok(created) => verify_stream(&declared, &created.cached_info().config),
        // Another service of the stack was faster.
        Err(error) => match live_stream(context, &declared.name).await? {
            Some(live) => verify_stream(&declared, &live),
            None => Err(Error::StreamRefused {
                stream: declared.name,
                source: error.into(),
            }),
        },
    }
}

async fn live_stream(context: &jetstream::Context, name: &str) -> Result<Option<Config>, Error> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(Error::unavailable(error)),
        },
    }
}

fn verify_stream(declared: &Config, live: &Config) -> Result<(), Error> {
    let mut differences = Differences::default();
    differences.compare("subjects", &live.subjects, &declared.subjects);
    differences.compare("storage", &live.storage, &declared.storage);
    differences.compare("retention", &live.retention, &declared.retention);
    differences.compare("discard", &live.discard, &declared.discard);
    differences.compare("discard_new_per_subject", &live.discard_new_per_subject, &false);
    differences.compare("max_bytes", &live.max_bytes, &declared.max_bytes);
    differences.compare("max_msgs", &live.max_messages, &declared.max_messages);
    differences.compare(
        "max_msgs_per_subject",
        &live.max_messages_per_subject,
        &declared.max_messages_per_subject,
    );
    differences.compare("max_msg_size", &live.max_message_size, &declared.max_message_size);
    differences.compare("max_consumers", &live.max_consumers, &declared.max_consumers);
    differences.compare("max_age", &live.max_age, &declared.max_age);
    differences.compare("num_replicas", &live.num_replicas, &declared.num_replicas);
    differences.compare("no_ack", &live.no_ack, &false);
    differences.compare("sealed", &live.sealed, &false);
    differences.compare("deny_purge", &live.deny_purge, &false);
    differences.compare("mirror", &live.mirror.is_some(), &false);
    differences.compare("sources", &live.sources.is_some(), &false);
    differences.compare("subject_transform", &live.subject_transform.is_some(), &false);
    if let Some(differences) = differences.found() {
        return Err(Error::StreamDiffers {
            stream: declared.name.clone(),
            differences,
        });
    }
    Ok(())
}

/// The processor's consumer of a stream, created when absent, verified when present.
pub(crate) async fn consumer(
    context: &jetstream::Context,
    stream: &str,
    ack_wait: Duration,
) -> Result<PullConsumer, Error> {
    let declared = pull::Config {
        durable_name: Some(PROCESSOR.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait,
        max_ack_pending: MAX_ACK_PENDING,
        max_deliver: -1,
        ..pull::Config::default()
    };
    let live = context
        .get_stream_no_info(stream)
        .await
        .map_err(Error::unavailable)?
        .get_or_create_consumer(PROCESSOR, declared.clone())
        .await
        .map_err(Error::unavailable)?;
    verify_consumer(stream, &declared, &live)?;
    Ok(live)
}

fn verify_consumer(stream: &str, declared: &pull::Config, consumer: &PullConsumer) -> Result<(), Error> {
    let live = &consumer.cached_info().config;
    let mut differences = Differences::default();
    differences.compare("ack_policy", &live.ack_policy, &declared.ack_policy);
    differences.compare("ack_wait", &live.ack_wait, &declared.ack_wait);
    differences.compare("max_ack_pending", &live.max_ack_pending, &declared.max_ack_pending);
    differences.compare("max_deliver", &live.max_deliver, &declared.max_deliver);
    differences.compare("deliver_policy", &live.deliver_policy, &declared.deliver_policy);
    differences.compare("filter_subject", &live.filter_subject, &declared.filter_subject);
    differences.compare("headers_only", &live.headers_only, &declared.headers_only);
    if let Some(differences) = differences.found() {
        return Err(Error::ConsumerDiffers {
            stream: stream.to_owned(),
            consumer: PROCESSOR.to_owned(),
            differences,
        });
    }
    Ok(())
}

/// Removes what the processor has acknowledged from a stream; answers how many messages that were.
pub(crate) async fn trim(context: &jetstream::Context, name: &str) -> Result<u64, Error> {
    let stream = context.get_stream(name).await.map_err(Error::unavailable)?;
    let floor = match stream.consumer_info(PROCESSOR).await {
        Ok(info) => info.ack_floor.stream_sequence,
        Err(error) if is_consumer_missing(&error) => return Ok(0),
        Err(error) => return Err(Error::unavailable(error)),
    };
    if floor < stream.cached_info().state.first_sequence {
        return Ok(0);
    }
    // Purge stops before the sequence it is given.
    let purged = stream.purge().sequence(floor + 1).await.map_err(Error::unavailable)?;
    Ok(purged.purged)
}

fn is_consumer_missing(error: &async_nats::jetstream::context::ConsumerInfoError) -> bool {
    use async_nats::jetstream::context::ConsumerInfoErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => true,
        Kind::JetStream(refusal) => refusal.error_code() == ErrorCode::CONSUMER_NOT_FOUND,
        _ => false,
    }
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare<T: Debug + PartialEq>(&mut self, field: &str, live: &T, declared: &T) {
        if live != declared {
            self.0.push(format!("{field} is {live:?}, declared {declared:?}"));
        }
    }

    fn found(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}
