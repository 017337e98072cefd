//! A small HTTP server that remembers what agents send.

use std::io::Read;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Request line and headers.
    pub(crate) head: String,
    /// Unpacked.
    pub(crate) body: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Accepts everything.
    pub(crate) async fn start() -> Self {
        Self::start_answering(|_| 200).await
    }

    /// Answers with the status that `status` gives for the number of the request on its connection, from 1.
    pub(crate) async fn start_answering(status: fn(usize) -> u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self {
            url,
            requests: Arc::default(),
        };
        let requests = Arc::clone(&server.requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&requests), status));
            }
        });
        server
    }

    /// What was accepted.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The events of all accepted batches.
    pub(crate) fn events(&self) -> Vec<Value> {
        let requests = self.requests();
        requests
            .iter()
            .filter_map(|request| request.body["events"].as_array())
            .flatten()
            .cloned()
            .collect()
    }
}

async fn serve(stream: TcpStream, requests: Arc<Mutex<Vec<Request>>>, status: fn(usize) -> u16) {
    let mut stream = BufReader::new(stream);
    for number in 1.. {
        let Some(request) = read_request(&mut stream).await else {
            return;
        };
        let status = status(number);
        let accepted = request.body["events"].as_array().map_or(0, Vec::len);
        if status == 200 {
            requests.lock().unwrap().push(request);
        }
        let text = format!(r#"{{"status":"ok","events_accepted":{accepted}}}"#);
        let head = format!(
            "HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        if stream.write_all(format!("{head}{text}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?
        .parse()
        .ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        body: unpack(&head, &body),
        head,
    })
}

fn unpack(head: &str, body: &[u8]) -> Value {
    let mut text = Vec::new();
    if head.contains("content-encoding: zstd") {
        text = zstd::stream::decode_all(body).unwrap();
    } else if head.contains("content-encoding: gzip") {
        flate2::read::GzDecoder::new(body).read_to_end(&mut text).unwrap();
    } else {
        text.extend_from_slice(body);
    }
    serde_json::from_slice(&text).unwrap()
}
