//! What ingest counts, beside what every service does.

pub(crate) fn describe() {
    metrics::describe_counter!("ingest_events_accepted_total", "Events stored for the processor.");
    metrics::describe_counter!(
        "ingest_events_rejected_total",
        "Events refused at validation, by error."
    );
    metrics::describe_counter!(
        "ingest_publish_failures_total",
        "JetStream messages that were not acknowledged."
    );
    metrics::describe_counter!(
        "ingest_outcomes_late_total",
        "Requests answered 202 because the counts did not come in time."
    );
    metrics::describe_gauge!(
        "ingest_queue_requests",
        "Requests that wait to be stored, or for JetStream's acknowledgement."
    );
    metrics::describe_gauge!("ingest_command_polls", "Polls for commands that wait.");
    metrics::describe_counter!(
        "ingest_commands_delivered_total",
        "Commands handed out to agents, those handed out again too."
    );
    metrics::describe_histogram!("ingest_message_requests_size", "Requests published together.");
    metrics::describe_histogram!("ingest_message_events_size", "Events published together.");
    metrics::describe_histogram!(
        "ingest_publish_duration_seconds",
        "Time from publishing to JetStream's acknowledgement."
    );
}
