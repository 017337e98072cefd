//! The service as a process: what it logs, how it ends. The process is this test binary, started again.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::demo;

const DEADLINE: Duration = Duration::from_secs(20);

/// Not a test: what the others start.
#[test]
#[ignore = "runs as a service, started by the tests of this module"]
fn service_process() {
    if std::env::var_os("DEMO_PROCESS").is_none() {
        return;
    }
    let exit = service_kit::run("demo", demo::build);
    std::process::exit(i32::from(exit != ExitCode::SUCCESS));
}

/// The demo service in a process of its own.
struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    /// The log lines read so far.
    log: Vec<Value>,
}

/// How a process ended.
struct Ended {
    status: ExitStatus,
    log: Vec<Value>,
    stderr: String,
}

impl Process {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args(["--ignored", "--exact", "process::service_process", "--nocapture"])
            .env_clear()
            .envs([("DEMO_PROCESS", "1"), ("HTTP_ADDR", "127.0.0.1:0")])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this binary can be started");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let stderr = child.stderr.take().expect("piped");
        Self {
            child,
            stdout,
            stderr,
            log: Vec::new(),
        }
    }

    /// Reads on until this message is logged, and gives its line.
    fn logged(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).expect("readable output");
            assert!(read > 0, "ended without logging {message:?}: {:?}", self.log);
            let Ok(line) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            self.log.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
    }

    /// The base URL, once it serves.
    fn url(&mut self) -> String {
        let started = self.logged("the service runs");
        format!("http://{}", started["address"].as_str().expect("an address"))
    }

    fn terminate(&self) {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(kill.expect("kill exists").success());
    }

    /// Waits for its end.
    fn ended(mut self) -> Ended {
        let (sender, receiver) = mpsc::channel();
        let mut stdout = self.stdout;
        std::thread::spawn(move || {
            let mut rest = String::new();
            let _ = stdout.read_to_string(&mut rest);
            let _ = sender.send(rest);
        });
        let Ok(rest) = receiver.recv_timeout(DEADLINE) else {
            self.child.kill().expect("it still runs");
            panic!("the service did not end");
        };
        let status = self.child.wait().expect("it was started");
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).expect("readable output");
        self.log
            .extend(rest.lines().filter_map(|line| serde_json::from_str(line).ok()));
        Ended {
            status,
            log: self.log,
            stderr,
        }
    }
}

impl Ended {
    fn messages(&self) -> Vec<&str> {
        self.log.iter().filter_map(|line| line["message"].as_str()).collect()
    }

    fn errors(&self) -> Vec<&Value> {
        self.log.iter().filter(|line| line["level"] == "ERROR").collect()
    }
}

#[test]
fn a_wrong_configuration_is_told_in_one_sentence() {
    let ended = Process::start(&[]).ended();
    assert!(!ended.status.success());
    assert_eq!(ended.stderr.trim(), "demo: DEMO_MODE is required but not set");
}

#[test]
fn a_service_that_cannot_be_built_tells_why_and_ends() {
    let ended = Process::start(&[("DEMO_MODE", "unbuildable")]).ended();
    assert!(!ended.status.success());
    let errors = ended.errors();
    assert_eq!(
        (errors.len(), &errors[0]["cause"]),
        (1, &"the database is not there".into())
    );
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = Process::start(&[("DEMO_MODE", "runs"), ("HTTP_ADDR", &address)]).ended();
    assert!(!ended.status.success());
    let cause = ended.errors()[0]["cause"].as_str().expect("a cause").to_owned();
    assert!(
        cause.starts_with(&format!("cannot listen on {address} (HTTP_ADDR): ")),
        "{cause}"
    );
}

#[test]
fn sigterm_ends_http_then_workers_then_hooks() {
    let mut process = Process::start(&[("DEMO_MODE", "runs")]);
    let url = process.url();
    let in_hand = std::thread::spawn(move || fetch(&format!("{url}/slow"), None));
    process.logged("slow request began");
    process.terminate();
    let ended = process.ended();
    assert!(ended.status.success(), "{:?}", ended.log);
    assert_eq!(in_hand.join().expect("the client ran"), "finished");
    let order = [
        "the service is stopping",
        "slow request finished",
        "worker told",
        "flush hook ran",
        "close hook ran",
    ];
    let messages = ended.messages();
    assert_eq!(messages[messages.len() - 6..messages.len() - 1], order);
    assert_eq!(messages.last(), Some(&"the service has stopped"));
}

#[test]
fn a_worker_that_does_not_end_is_cut_off_in_time() {
    let started = Instant::now();
    let mut process = Process::start(&[("DEMO_MODE", "stuck"), ("SHUTDOWN_TIMEOUT_SECONDS", "1")]);
    process.url();
    process.terminate();
    let ended = process.ended();
    assert!(!ended.status.success());
    assert!(
        ended.errors()[0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("workers were cut off"))
    );
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_worker_that_ends_early_ends_the_service_with_one_line() {
    let reasons = [
        ("ends", "worker counter ended before it was told to"),
        ("fails", "worker counter failed: the stream differs"),
        ("panics", "a broken invariant"),
    ];
    for (mode, reason) in reasons {
        let ended = Process::start(&[("DEMO_MODE", mode)]).ended();
        assert!(!ended.status.success(), "{mode}");
        let errors = ended.errors();
        assert_eq!(errors.len(), 1, "{mode}: {errors:?}");
        assert!(
            errors[0]["reason"].as_str().is_some_and(|told| told.contains(reason)),
            "{mode}: {errors:?}"
        );
        assert!(!ended.stderr.contains("panicked"), "{mode}: {}", ended.stderr);
    }
}

#[test]
fn log_lines_carry_the_request_and_its_trace() {
    let mut process = Process::start(&[("DEMO_MODE", "runs")]);
    let url = process.url();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answered = fetch(
        &format!("{url}/traceparent"),
        Some(&format!("00-{trace}-00f067aa0ba902b7-01")),
    );
    let line = process.logged("asked for the trace");
    process.terminate();
    assert!(process.ended().status.success());
    assert_eq!(
        (&line["trace_id"], &line["answer"], &line["service"]),
        (&trace.into(), &42.into(), &"demo".into())
    );
    assert_eq!(
        (&line["request_id"], &line["http.route"]),
        (&"the-request".into(), &"/traceparent".into())
    );
    let span = line["span_id"].as_str().expect("a span id");
    assert_eq!(
        answered,
        format!("00-{trace}-{span}-01"),
        "what goes out is the current span"
    );
}

#[test]
fn spans_are_exported_before_the_process_ends() {
    let receiver = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", receiver.local_addr().expect("an address"));
    let exported = std::thread::spawn(move || receive_one(&receiver));
    let mut process = Process::start(&[("DEMO_MODE", "runs"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let url = process.url();
    fetch(&format!("{url}/traceparent"), None);
    process.terminate();
    assert!(process.ended().status.success());
    let request = exported.join().expect("the receiver ran");
    assert!(request.starts_with("POST /v1/traces HTTP/1.1"), "{request}");
    assert!(
        request.contains("GET /traceparent") && request.contains("service.name"),
        "{request}"
    );
}

/// Answers one HTTP request and gives it, its body readable where it is text.
fn receive_one(listener: &std::net::TcpListener) -> String {
    let (stream, _) = listener.accept().expect("the exporter connects");
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(
            reader.read_line(&mut head).expect("a readable head") > 0,
            "cut off after {head}"
        );
    }
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("a length")];
    reader.read_exact(&mut body).expect("a readable body");
    std::io::Write::write_all(reader.get_mut(), b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .expect("an open connection");
    head + &String::from_utf8_lossy(&body)
}

fn fetch(url: &str, traceparent: Option<&str>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut request = crate::support::http_client()
            .get(url)
            .header("x-request-id", "the-request");
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        request.send().await.expect("an answer").text().await.expect("a body")
    })
}
