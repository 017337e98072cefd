use bus::{Bus, BusConfig};
use serde_json::{Value, json};
use test_support::{Process, TestDatabase, free_port, nats_request, shared_servers, test_namespace};

/// A service in a stack of its own that has yet to start, with these settings besides.
fn spawn(service: &str, database: &TestDatabase, namespace: &str, variables: &[(&str, &str)]) -> Process {
    let servers = shared_servers();
    let address = format!("127.0.0.1:{}", free_port());
    let own = [
        ("DATABASE_URL", database.url.as_str()),
        ("NATS_URL", &servers.nats_url),
        ("BUS_NAMESPACE", namespace),
        ("REDIS_URL", &servers.redis_url),
        ("REDIS_PREFIX", namespace),
        ("HTTP_ADDR", &address),
    ];
    let environment: Vec<_> = own
        .iter()
        .chain(variables)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Process::spawn(service, &[], &environment)
}

async fn assert_refuses_to_start(process: Process, words: &[&str]) {
    let status = process.exited().await;
    let log = process.log();
    assert!(!status.success(), "it ended with {status}: {log}");
    let sentence = log.lines().find(|line| line.contains("did not start")).unwrap_or(&log);
    for word in words {
        assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
    }
}

#[tokio::test]
async fn a_stream_of_another_size_is_not_worked_on() {
    let (database, namespace) = (TestDatabase::create().await, test_namespace());
    let config = BusConfig::new(&shared_servers().nats_url, &namespace);
    Bus::connect(&config).await.expect("the declared streams");
    let stream = format!("{namespace}-TELEMETRY");
    for service in ["ingest", "session-processor"] {
        let process = spawn(
            service,
            &database,
            &namespace,
            &[("BUS_TELEMETRY_MAX_BYTES", "1000000")],
        );
        let words = [&stream, "differs", "max_bytes is 4294967296, declared 1000000"];
        assert_refuses_to_start(process, &words).await;
    }
}

#[tokio::test]
async fn a_stream_that_would_lose_events_is_not_worked_on() {
    let database = TestDatabase::create().await;
    let dangers = [
        (json!({"retention": "workqueue"}), "retention"),
        (json!({"discard": "old"}), "discard"),
        (json!({"storage": "memory", "max_bytes": 1_000_000}), "storage"),
        (json!({"max_age": 3_600_000_000_000_u64}), "max_age"),
        (json!({"max_msgs": 1000}), "max_msgs"),
    ];
    for (danger, field) in dangers {
        let namespace = test_namespace();
        create_stream(&namespace, danger).await;
        for service in ["ingest", "session-processor"] {
            let process = spawn(service, &database, &namespace, &[]);
            let stream = format!("{namespace}-TELEMETRY");
            assert_refuses_to_start(process, &[&stream, "differs", &format!("{field} is ")]).await;
        }
    }
}

/// The declared stream of events but for some fields.
async fn create_stream(namespace: &str, other: Value) {
    let name = format!("{namespace}-TELEMETRY");
    let mut stream = json!({
        "name": name, "subjects": [format!("{namespace}.telemetry.v1.events")], "storage": "file",
        "retention": "limits", "discard": "new", "max_bytes": 4_294_967_296_u64, "num_replicas": 1,
    });
    let fields = stream.as_object_mut().expect("an object");
    fields.extend(other.as_object().expect("an object").clone());
    let subject = format!("$JS.API.STREAM.CREATE.{name}");
    let answer = nats_request(&shared_servers().nats_url, &subject, stream.to_string().as_bytes()).await;
    assert!(!answer.contains("\"error\""), "{answer}");
}
