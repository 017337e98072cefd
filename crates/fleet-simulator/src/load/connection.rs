//! A keep-alive HTTP/1.1 connection that does one thing: post a body, read the answer.

use std::io;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Where to post to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `host:port`
    pub authority: String,
    pub path: String,
}

impl Endpoint {
    /// Of `http://host[:port][/path]`.
    ///
    /// # Errors
    /// For anything else; TLS would measure the wrong thing.
    pub(super) fn parse(base_url: &str) -> anyhow::Result<Self> {
        let rest = base_url
            .strip_prefix("http://")
            .context("load needs a base URL that begins with http://")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        anyhow::ensure!(!authority.is_empty(), "the base URL names no host");
        let port = authority
            .rsplit_once(':')
            .filter(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if port.is_some() {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        let path = path.trim_end_matches('/');
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            authority,
            path: format!("{prefix}/api/v1/events"),
        })
    }
}

/// The end of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub status: u16,
    /// Seconds.
    pub retry_after: Option<u64>,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Connection {
    endpoint: Endpoint,
    /// `None` after a failure or when the server has closed it; the next exchange opens it again.
    stream: Option<TcpStream>,
    request: Vec<u8>,
    received: Vec<u8>,
}

impl Connection {
    /// # Errors
    /// When the server cannot be reached.
    pub(super) async fn open(endpoint: Endpoint) -> io::Result<Self> {
        let stream = Some(connect(&endpoint).await?);
        Ok(Self {
            endpoint,
            stream,
            request: Vec::new(),
            received: Vec::new(),
        })
    }

    /// The constant head of this connection's requests; `headers` are whole lines that end with CR LF.
    pub(super) fn head(&self, headers: &str) -> String {
        let Endpoint { authority, path } = &self.endpoint;
        format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n{headers}")
    }

    /// Puts a request together.
    pub(super) fn prepare(&mut self, head: &str, body: &[u8]) {
        self.request.clear();
        self.request.extend_from_slice(head.as_bytes());
        self.request
            .extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        self.request.extend_from_slice(body);
    }

    pub(super) fn request_size(&self) -> usize {
        self.request.len()
    }

    /// Sends what was prepared and reads the answer.
    ///
    /// # Errors
    /// When the connection fails on the way; whether the request arrived is then unknown.
    pub(super) async fn exchange(&mut self) -> io::Result<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&self.endpoint).await?,
        };
        stream.write_all(&self.request).await?;
        self.received.clear();
        let (response, reusable) = read_response(&mut stream, &mut self.received).await?;
        self.stream = reusable.then_some(stream);
        Ok(response)
    }
}

async fn connect(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(&endpoint.authority).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn read_response(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<(Response, bool)> {
    loop {
        if let Some(head) = parse_head(received)? {
            let body = read_body(stream, received, &head).await?;
            let response = Response {
                status: head.status,
                retry_after: head.retry_after,
                body,
            };
            return Ok((response, head.keep_alive));
        }
        read_more(stream, received).await?;
    }
}

async fn read_more(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    if received.len() > LARGEST_ANSWER {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too large"));
    }
    match stream.read_buf(received).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

#[derive(Debug)]
struct Head {
    status: u16,
    length: Length,
    retry_after: Option<u64>,
    keep_alive: bool,
    /// Where the body begins.
    end: usize,
}

#[derive(Debug, Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
}

fn parse_head(received: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let httparse::Status::Complete(end) = response.parse(received).map_err(invalid)? else {
        return Ok(None);
    };
    let status = response.code.unwrap_or_default();
    let header = |name: &str| {
        let found = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found
            .and_then(|header| std::str::from_utf8(header.value).ok())
            .map(str::trim)
    };
    let chunked = header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let length = header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or_default();
    Ok(Some(Head {
        status,
        length: if chunked {
            Length::Chunked
        } else {
            Length::Known(length)
        },
        retry_after: header("retry-after").and_then(|seconds| seconds.parse().ok()),
        keep_alive: !header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
        end,
    }))
}

async fn read_body(stream: &mut TcpStream, received: &mut Vec<u8>, head: &Head) -> io::Result<Vec<u8>> {
    loop {
        let rest = received.get(head.end..).unwrap_or_default();
        let body = match head.length {
            Length::Known(length) => rest.get(..length).map(<[u8]>::to_vec),
            Length::Chunked => join_chunks(rest)?,
        };
        match body {
            Some(body) => return Ok(body),
            None => read_more(stream, received).await?,
        }
    }
}

/// `None` while the last chunk has not come.
fn join_chunks(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let size = httparse::parse_chunk_size(rest)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the answer has a broken chunk"))?;
        let httparse::Status::Complete((start, size)) = size else {
            return Ok(None);
        };
        let Some(end) = usize::try_from(size).ok().and_then(|size| start.checked_add(size)) else {
            return Ok(None);
        };
        // Each chunk ends with CR LF, the empty last one too.
        match (rest.get(start..end), rest.get(end..end + 2)) {
            (Some(_), Some(_)) if size == 0 => return Ok(Some(body)),
            (Some(chunk), Some(_)) => body.extend_from_slice(chunk),
            _ => return Ok(None),
        }
        rest = &rest[end + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_gives_host_port_and_path() {
        let endpoint = Endpoint::parse("http://localhost:18480/").unwrap();
        assert_eq!(
            (endpoint.authority.as_str(), endpoint.path.as_str()),
            ("localhost:18480", "/api/v1/events")
        );
        let endpoint = Endpoint::parse("http://vpn.example.com/telemetry").unwrap();
        assert_eq!(endpoint.authority, "vpn.example.com:80");
        assert_eq!(endpoint.path, "/telemetry/api/v1/events");
        assert!(Endpoint::parse("https://vpn.example.com").is_err());
    }

    #[test]
    fn chunks_are_joined_when_the_last_one_is_there() {
        assert_eq!(
            join_chunks(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").unwrap(),
            Some(b"abcde".to_vec())
        );
        assert_eq!(join_chunks(b"3\r\nabc\r\n2\r\nd").unwrap(), None);
        assert!(join_chunks(b"zz\r\n").is_err());
    }
}
