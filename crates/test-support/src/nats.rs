use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::test_namespace;

/// Sends any bytes to a NATS subject, as no program of ours would, and gives the answer: JetStream's acknowledgement when a
/// stream holds the subject, what the JetStream API says for its own subjects.
///
/// # Panics
/// When NATS does not answer.
pub async fn nats_request(url: &str, subject: &str, payload: &[u8]) -> String {
    let address = url.strip_prefix("nats://").expect("a NATS URL");
    let connection = TcpStream::connect(address).await.expect("NATS listens");
    let mut connection = BufReader::new(connection);
    let inbox = format!("_INBOX.{}", test_namespace());
    let options = r#"{"verbose":false,"pedantic":false,"headers":false,"lang":"test","version":"0"}"#;
    let head = format!(
        "CONNECT {options}\r\nSUB {inbox} 1\r\nPUB {subject} {inbox} {}\r\n",
        payload.len()
    );
    let request = [head.as_bytes(), payload, b"\r\n"].concat();
    connection.write_all(&request).await.expect("NATS reads");
    answer(&mut connection).await
}

/// The payload of the first message; what stands before it is NATS' own.
async fn answer(connection: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        let read = connection.read_line(&mut line).await.expect("NATS speaks UTF-8");
        assert!(
            read > 0 && !line.starts_with("-ERR"),
            "NATS gave no answer, but {line:?}"
        );
        if let Some(size) = line.strip_prefix("MSG ").and_then(|rest| rest.split(' ').next_back()) {
            let mut payload = vec![0; size.trim().parse().expect("a size")];
            connection.read_exact(&mut payload).await.expect("the whole payload");
            return String::from_utf8(payload).expect("JSON");
        }
    }
}
