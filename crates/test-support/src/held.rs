use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin};

/// A transaction that a test holds open, so that a service waits for its locks. Ends with [`Self::release`], or when it is
/// dropped.
#[derive(Debug)]
pub struct HeldTransaction {
    session: Child,
    statements: ChildStdin,
}

impl HeldTransaction {
    /// # Panics
    /// When a statement fails.
    pub(crate) async fn begin(url: &str, statements: &str) -> Self {
        let mut session = tokio::process::Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("psql is installed");
        let mut input = session.stdin.take().expect("it is piped");
        let output = session.stdout.take().expect("it is piped");
        let script = format!("BEGIN;\n{statements};\n\\echo held\n");
        input.write_all(script.as_bytes()).await.expect("psql reads");
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await.expect("psql writes UTF-8") {
            if line == "held" {
                return Self {
                    session,
                    statements: input,
                };
            }
        }
        panic!("psql ended instead of holding `{statements}`");
    }

    /// Commits, and waits until that is done.
    pub async fn release(mut self) {
        self.statements.write_all(b"COMMIT;\n").await.expect("psql reads");
        drop(self.statements);
        let ended = self.session.wait().await.expect("it is our child");
        assert!(ended.success(), "the held transaction did not commit");
    }
}
