use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::Mutex;

use crate::command::{Environment, binary};
use crate::{eventually, http_client, shared_servers, test_namespace};

/// One of our binaries as a process that a test may kill and start again. Ends with the test; its log is shown when the
/// test panics.
#[derive(Debug)]
pub struct Process {
    name: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    address: Option<String>,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Starts `name` and does not wait. `environment` is all that it sees.
    pub fn spawn(name: &str, arguments: &[&str], environment: &Environment) -> Self {
        let address = environment
            .iter()
            .find(|(key, _)| key == "HTTP_ADDR")
            .map(|(_, value)| value.clone());
        let process = Self {
            name: name.to_owned(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: environment.to_vec(),
            address,
            log: shared_servers()
                .directory
                .join(format!("{name}-{}.log", test_namespace())),
            child: Mutex::new(None),
        };
        process.start();
        process
    }

    /// Starts it again, with the same environment and log.
    ///
    /// # Panics
    /// When it still runs.
    pub fn start(&self) {
        assert!(!self.is_running(), "{} runs already", self.name);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a log file");
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut command = binary(&self.name, &arguments, &self.environment);
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{} could not be started: {error}", self.name));
        *self.lock() = Some(child);
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// When the process ends instead, or after 30 seconds.
    pub async fn ready(&self) {
        let url = format!("{}/readyz", self.url());
        let client = http_client();
        eventually(&format!("{} to be ready", self.name), async || {
            assert!(
                self.is_running(),
                "{} ended while starting:\n{}",
                self.name,
                self.last_lines()
            );
            client
                .get(&url)
                .send()
                .await
                .ok()
                .filter(|answer| answer.status() == 200)
        })
        .await;
    }

    /// `http://127.0.0.1:PORT`
    ///
    /// # Panics
    /// When it was started without `HTTP_ADDR`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// `127.0.0.1:PORT`
    ///
    /// # Panics
    /// When it was started without `HTTP_ADDR`.
    pub fn address(&self) -> &str {
        self.address.as_deref().expect("HTTP_ADDR was given")
    }

    /// kill -9, and waits for the end.
    pub fn kill(&self) {
        if let Some(mut child) = self.lock().take() {
            let _ = child.kill();
            child.wait().expect("it was our child");
        }
    }

    /// SIGTERM, without waiting.
    pub fn terminate(&self) {
        let pid = self.id().expect("the process runs");
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {pid}")])
            .status()
            .expect("sh is there");
        assert!(sent.success(), "{} could not be signalled", self.name);
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn exited(&self) -> ExitStatus {
        eventually(&format!("{} to end", self.name), async || {
            self.lock()
                .as_mut()
                .expect("it was started")
                .try_wait()
                .expect("it is our child")
        })
        .await
    }

    /// kill -9, start, wait until ready.
    pub async fn restart(&self) {
        self.kill();
        self.start();
        self.ready().await;
    }

    pub fn is_running(&self) -> bool {
        self.lock()
            .as_mut()
            .is_some_and(|child| child.try_wait().expect("it is our child").is_none())
    }

    /// The process id while it runs.
    pub fn id(&self) -> Option<u32> {
        self.lock().as_ref().map(Child::id)
    }

    /// All that it has written to standard output and standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the log belongs to the report of a failed test")]
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- end of the log of {}:\n{}\n---", self.name, self.last_lines());
        }
        // Emptied, not kept: a run of many tests writes a lot.
        let _ = File::create(&self.log);
    }
}
