//! Other tools at the management interface that the agent holds.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use test_support::Stack;

use super::lab::skipped;
use super::sessions::{status, the_session};
use super::{Lab, Plan};

/// A management tool as they all are: it writes lines and reads lines.
struct Tool {
    stream: BufReader<UnixStream>,
    notices: Vec<String>,
}

impl Tool {
    fn attach(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut tool = Self {
            stream: BufReader::new(stream),
            notices: Vec::new(),
        };
        let banner = tool.line();
        assert!(banner.starts_with(">INFO:OpenVPN Management Interface"), "{banner}");
        tool
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.ends_with("\r\n"), "{line:?}");
        line.trim_end().to_owned()
    }

    /// The answer's next line; notifications between are kept.
    fn answer_line(&mut self) -> String {
        loop {
            let line = self.line();
            if !line.starts_with('>') {
                return line;
            }
            self.notices.push(line);
        }
    }

    fn say(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn ask(&mut self, command: &str) -> String {
        self.say(&format!("{command}\n"));
        self.answer_line()
    }

    fn list(&mut self, command: &str) -> Vec<String> {
        self.say(&format!("{command}\n"));
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != "END") {
            lines.push(self.answer_line());
        }
        lines
    }

    /// Waits for a notification.
    fn hears(&mut self, wanted: &str) -> String {
        loop {
            if let Some(at) = self.notices.iter().position(|line| line.starts_with(wanted)) {
                return self.notices.remove(at);
            }
            let line = self.line();
            self.notices.push(line);
        }
    }
}

async fn lab(stack: &Stack) -> Lab {
    stack.run("auth", &["create-server", "vpn-tools"]).await;
    let plan = Plan {
        sources: format!(
            "{}\npassthrough = \"unix:{{folder}}/tools.sock\"",
            Plan::default().sources
        ),
        ..Plan::default()
    };
    let lab = Lab::start_planned(stack, "vpn-tools", plan).await;
    lab.attached().await;
    lab
}

#[tokio::test]
async fn answers_of_tools_and_of_the_agent_never_mix() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = lab(&stack).await;
    let (mut one, mut two) = (
        Tool::attach(&lab.file("tools.sock")),
        Tool::attach(&lab.file("tools.sock")),
    );
    for _ in 0..30 {
        // Both at once, and the agent polls beside them.
        one.say("pid\nload-stats\nverb\n");
        two.say("status 3\nbogus\nversion\n");
        assert!(one.answer_line().starts_with("SUCCESS: pid="));
        assert!(one.answer_line().starts_with("SUCCESS: nclients="));
        assert_eq!(one.answer_line(), "SUCCESS: verb=3");
        assert!(two.answer_line().starts_with("TITLE\t"));
        while two.answer_line() != "END" {}
        assert!(two.answer_line().starts_with("ERROR: unknown command"));
        assert!(two.answer_line().starts_with("OpenVPN Version"));
        assert!(two.answer_line().starts_with("Management Version"));
        assert_eq!(two.answer_line(), "END");
    }
    // No answer at all before 2.7, and one without a mark at its end.
    one.say("version 5\ntest 3\npid\n");
    let mut line = one.answer_line();
    while line.to_lowercase().contains("version") || line == "END" {
        line = one.answer_line();
    }
    for number in 0..3 {
        assert!(line.starts_with(&format!("[{number}] ")), "{line}");
        line = one.answer_line();
    }
    assert!(line.starts_with("SUCCESS: pid="), "{line}");
}

#[tokio::test]
async fn a_tool_hears_and_kills_and_cannot_deafen_the_agent() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = lab(&stack).await;
    let mut tool = Tool::attach(&lab.file("tools.sock"));
    assert_eq!(tool.ask("state on"), "SUCCESS: real-time state notification set to ON");
    assert_eq!(tool.ask("bytecount 5"), "SUCCESS: bytecount interval changed");
    assert!(tool.list("log on 10").len() > 1);
    let client = lab.connect("nina").await;
    tool.hears(">CLIENT:ESTABLISHED,0");
    tool.hears(">LOG:");
    tool.hears(">BYTECOUNT_CLI:0,");
    assert_eq!(tool.ask("log off"), "SUCCESS: real-time log notification set to OFF");
    assert_eq!(tool.ask("bytecount 0"), "SUCCESS: bytecount interval changed");
    the_session(&stack, "nina", "active", status("active")).await;
    assert!(
        tool.ask("kill nina")
            .starts_with("SUCCESS: common name 'nina' found, 1 client(s) killed")
    );
    // The agent hears of it although the tool has turned its own ears off.
    the_session(&stack, "nina", "ended", status("disconnected")).await;
    lab.kill_client(&client);
    lab.kill_server();
    let mut rest = String::new();
    while tool.stream.read_line(&mut rest).unwrap() > 0 {}
    lab.start_server().await;
    // Waits as it would for the daemon, until the agent is attached again.
    assert!(
        Tool::attach(&lab.file("tools.sock"))
            .ask("pid")
            .starts_with("SUCCESS: pid=")
    );
}
