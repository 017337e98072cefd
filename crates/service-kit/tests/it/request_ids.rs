//! Every request has one id, from its first header to its last log line.

use reqwest::Method;

use crate::demo;
use crate::support::{Demo, header};

#[tokio::test(flavor = "multi_thread")]
async fn a_sane_id_is_kept() {
    let demo = Demo::start(demo::service()).await;
    let response = demo
        .request(Method::GET, "/whoami")
        .header("x-request-id", "agent-7:42.a_b")
        .send()
        .await
        .expect("an answer");
    assert_eq!(header(&response, "x-request-id"), "agent-7:42.a_b");
    assert_eq!(response.text().await.expect("a body"), "agent-7:42.a_b");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_could_forge_a_log_line_is_replaced() {
    let demo = Demo::start(demo::service()).await;
    for bad in ["", "a b", "a\"b", &"a".repeat(129)] {
        let response = demo
            .request(Method::GET, "/whoami")
            .header("x-request-id", bad)
            .send()
            .await
            .expect("an answer");
        let id = header(&response, "x-request-id");
        assert_eq!(
            uuid::Uuid::parse_str(&id).expect("a UUID").get_version_num(),
            7,
            "instead of {bad:?}"
        );
        assert_eq!(response.text().await.expect("a body"), id);
    }
    demo.stop().await;
}
