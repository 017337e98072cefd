//! What the daemon says on its management interface.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use agent::management::read_line;
use futures_util::FutureExt;
use openvpn::management::{Line, Notice, Reader, parse_transcript};
use tokio::io::{AsyncRead, BufReader, ReadBuf};

/// The same notices come of the same words, however the network has divided them, and whatever else the daemon says in between; no
/// password is in any of them.
pub(crate) fn management(input: &[u8]) {
    let text = crate::text(input);
    let timed = parse_transcript(&text);
    let lines: Vec<&str> = text.lines().filter_map(said_by_daemon).collect();
    let notices = read(lines.iter().copied());
    // Lines whose time cannot be read are left out of a transcript.
    assert!(timed.len() <= lines.len());
    for notice in &notices {
        if let Notice::Established { environment, .. } | Notice::Disconnect { environment, .. } = notice {
            assert!(environment.text("password").is_none() && environment.text("auth_token").is_none());
        }
    }
    let interleaved = lines.iter().flat_map(|line| [*line, ">INFO:something else"]);
    assert_eq!(read(interleaved), notices);
    let size = usize::from(input.first().copied().unwrap_or_default()) % 61 + 1;
    let heard = hear(&lines.join("\r\n"), size);
    let heard: Vec<&str> = heard.iter().map(String::as_str).collect();
    assert_eq!(heard, lines);
}

/// A line of a transcript without its time and its end.
fn said_by_daemon(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('\t')?;
    Some(rest.strip_prefix("<\t")?.trim_end_matches('\r'))
}

fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Notice> {
    let mut reader = Reader::default();
    let notice = |line| match reader.read(line) {
        Line::Notice(notice) => Some(notice),
        Line::Answer(_) | Line::Nothing => None,
    };
    lines.filter_map(notice).collect()
}

/// The lines that the agent takes from a connection that brings so many bytes at a time.
fn hear(text: &str, size: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if text.is_empty() {
        return lines;
    }
    let whole = format!("{text}\r\n");
    let mut stream = BufReader::new(Pieces {
        left: whole.as_bytes(),
        size,
    });
    let mut line = Vec::new();
    while let Ok(next) = read_line(&mut stream, &mut line)
        .now_or_never()
        .expect("it never waits")
    {
        lines.push(next);
    }
    lines
}

struct Pieces<'a> {
    left: &'a [u8],
    size: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let size = self.size.min(self.left.len()).min(buffer.remaining());
        let (piece, left) = self.left.split_at(size);
        buffer.put_slice(piece);
        self.left = left;
        Poll::Ready(Ok(()))
    }
}
