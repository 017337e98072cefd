//! Logs and traces of the process.

mod json_lines;
pub(crate) mod panics;

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{self, KitConfig, LogFormat};

/// What must be flushed before the process ends.
pub(crate) struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// Installs logs and traces for the whole process.
    ///
    /// # Errors
    /// When the OTLP exporter cannot be made.
    pub(crate) fn install(service: &'static str, config: &KitConfig) -> Result<Self, ExporterBuildError> {
        let provider = tracer_provider(service, config)?;
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer(service));
        let layers = Registry::default().with(filter(&config.log_level)).with(spans);
        match config.log_format {
            LogFormat::Json => set_global(layers.with(json(service))),
            LogFormat::Text => set_global(layers.with(fmt::layer().with_ansi(std::io::stdout().is_terminal()))),
        }
        panics::log();
        Ok(Self(provider))
    }

    /// Sends what is still held back. Blocks; not for async code.
    pub(crate) fn flush(self, within: Duration) {
        if let Err(error) = self.0.shutdown_with_timeout(within) {
            tracing::warn!(%error, "not all traces could be exported");
        }
    }
}

/// Logs of a command-line tool: text on standard error, from `LOG_LEVEL` (here `warn`, if not set) on.
pub fn init_cli_logging() {
    let level = config::log_level().unwrap_or_else(|| "warn".to_owned());
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    set_global(Registry::default().with(filter(&level)).with(layer));
}

/// Only the first subscriber of a process counts: tests start several services in one.
fn set_global(subscriber: impl Subscriber + Send + Sync) {
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn filter(directives: &str) -> EnvFilter {
    // actix tells the life of each of its threads; ours is told once.
    EnvFilter::try_new(format!("actix_server=warn,{directives}")).unwrap_or_else(|_| EnvFilter::new("info"))
}

fn json<S>(service: &'static str) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(json_lines::JsonLines { service })
}

fn tracer_provider(service: &'static str, config: &KitConfig) -> Result<SdkTracerProvider, ExporterBuildError> {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = SdkTracerProvider::builder().with_resource(
        Resource::builder()
            .with_service_name(service)
            .with_attribute(version)
            .build(),
    );
    let Some(endpoint) = &config.otel_exporter_otlp_endpoint else {
        // Spans still get ids, for the logs and for whoever is called, but nothing is recorded.
        return Ok(builder
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .build());
    };
    // The exporter's client takes whatever provider the process has. This fails only when it has one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_sample_ratio)));
    Ok(builder.with_sampler(sampler).with_batch_exporter(exporter).build())
}
