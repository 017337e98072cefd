//! Clients that do not keep up.

use std::time::{Duration, Instant};

use serde_json::json;
use test_support::{LiveList, Process, SocketRequest, eventually, eventually_within};

use crate::rig::{Rig, session};

/// One message as large as many.
const PADDING: usize = 64 << 10;

/// Established connections of clients to a gateway, from the kernel's own table.
fn connections(gateway: &Process) -> usize {
    let port: u16 = gateway.address().rsplit(':').next().unwrap().parse().unwrap();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X}");
    let is_ours = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[1].ends_with(&local) && fields[3] == "01"
    };
    table.lines().skip(1).filter(is_ours).count()
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_disturbs_nobody() {
    let rig = Rig::new().await;
    let settings = [
        ("REALTIME_QUEUE_FRAMES", "16"),
        ("REALTIME_SLOW_SECONDS", "1"),
        ("REALTIME_PING_SECONDS", "600"),
    ];
    let gateway = rig.gateway(&settings).await;
    let narrow = SocketRequest::to(&gateway.url()).receive_buffer(16 << 10);
    let mut deaf = narrow.enter(&rig.token()).await;
    let (mut reader, mut list) = (rig.enters(&gateway).await, LiveList::default());
    let mut slowest = Duration::ZERO;
    for number in 0..200 {
        let told = Instant::now();
        rig.tells(&[session(number).padded(PADDING)]).await;
        while list.ids().len() <= usize::try_from(number).unwrap() {
            list.take(&reader.next().await.unwrap());
        }
        slowest = slowest.max(told.elapsed());
    }
    assert_eq!((list.ids().len(), list.faults), (200, Vec::new()));
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    let sockets = async || {
        let metrics = reqwest::get(format!("{}/metrics", gateway.url())).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let closed = metrics
            .lines()
            .any(|line| line.starts_with("realtime_closed_total") && line.contains("too_slow"));
        closed.then_some(())
    };
    eventually("the client that does not read is given up", sockets).await;
    // Nothing of it is left, although it still has not read.
    let cut_off = async || (connections(&gateway) == 1).then_some(());
    eventually_within(Duration::from_secs(60), "its connection is cut off", cut_off).await;
    assert!([1006, 1013].contains(&deaf.closed().await.code));
}

#[tokio::test]
async fn a_client_that_falls_behind_begins_anew() {
    let rig = Rig::new().await;
    let settings = [
        ("REALTIME_QUEUE_FRAMES", "4"),
        ("REALTIME_SLOW_SECONDS", "30"),
        ("REALTIME_PING_SECONDS", "600"),
    ];
    let gateway = rig.gateway(&settings).await;
    let mut slow = SocketRequest::to(&gateway.url())
        .receive_buffer(16 << 10)
        .enter(&rig.token())
        .await;
    let mut list = LiveList::default();
    list.take(&slow.until("sessions_update").await);
    for number in 0..200 {
        rig.tells(&[session(number).padded(PADDING)]).await;
    }
    let mut resyncs = 0;
    while list.ids().len() < 200 {
        let frame = slow.next().await.unwrap();
        resyncs += usize::from(frame["event"] == "resync");
        if frame["event"] == "resync" {
            assert_eq!(frame["reason"], json!("too_slow"));
        }
        list.take(&frame);
    }
    assert!(resyncs > 0);
    assert_eq!((list.snapshots, list.faults), (resyncs + 1, Vec::new()));
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_given_up() {
    let rig = Rig::new().await;
    let gateway = rig.gateway(&[("REALTIME_PING_SECONDS", "1")]).await;
    // It reads nothing, so it answers no ping.
    let deaf = rig.enters(&gateway).await;
    let metric = async || {
        let metrics = reqwest::get(format!("{}/metrics", gateway.url())).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        metrics.lines().any(|line| line.contains("no_pong")).then_some(())
    };
    let mut attentive = rig.enters(&gateway).await;
    let listening = async {
        while attentive.next().await.is_ok() {}
        panic!("a client that answers pings was given up");
    };
    tokio::select! {
        () = eventually("the deaf client is given up", metric) => {}
        () = listening => {}
    }
    drop(deaf);
}
