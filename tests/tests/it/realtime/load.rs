use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_support::{Agent, LiveList, Socket, SocketRequest, Stack};
use tokio::sync::watch;

use super::{CENTURY, active_in_database, enter, reaches};

const AGENTS: u64 = 4;
const REQUESTS: u64 = 60;
const CLIENTS: u64 = 12;

/// A client, and what it holds.
struct Client {
    socket: Socket,
    list: LiveList,
    /// How often it has come back with its position.
    returns: usize,
}

impl Client {
    /// Reads until so many requests were sent.
    async fn read(&mut self, requests: u64, sent: &mut watch::Receiver<u64>) {
        let until = sent.wait_for(|sent| *sent >= requests);
        tokio::pin!(until);
        loop {
            tokio::select! {
                frame = self.socket.next() => self.list.take(&frame.expect("the socket stays open")),
                _ = &mut until => return,
            }
        }
    }
}

/// Users of one VPN server come, go and use the network.
async fn load(agent: Agent, seed: u64, sent: watch::Sender<u64>) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..REQUESTS {
        let events: Vec<_> = (0..random.random_range(1..6))
            .map(|_| {
                let user = format!("user{}", random.random_range(0..20));
                match random.random_range(0..5) {
                    0 | 1 => agent.connects(&user),
                    2 | 3 => agent.updates(&user).bytes(random.random_range(0..9_999), 1),
                    _ => agent.disconnects(&user),
                }
            })
            .collect();
        agent.sends(events).await;
        sent.send_modify(|sent| *sent += 1);
    }
}

/// Comes at some moment, and now and then goes away and comes back to any gateway.
async fn watch_sessions(gateways: Vec<String>, token: String, seed: u64, mut sent: watch::Receiver<u64>) -> Client {
    let mut random = StdRng::seed_from_u64(seed);
    let any = |random: &mut StdRng| SocketRequest::to(&gateways[random.random_range(0..gateways.len())]);
    let mut moment = random.random_range(0..AGENTS * REQUESTS / 2);
    let _ = sent.wait_for(|sent| *sent >= moment).await;
    let mut client = Client {
        socket: any(&mut random).enter(&token).await,
        list: LiveList::default(),
        returns: 0,
    };
    loop {
        moment = (moment + random.random_range(5..80)).min(AGENTS * REQUESTS);
        client.read(moment, &mut sent).await;
        if moment == AGENTS * REQUESTS {
            return client;
        }
        let position = client.socket.position.clone();
        client.socket = any(&mut random).enter_again(&token, position.as_deref()).await;
        client.returns += 1;
    }
}

#[tokio::test]
async fn clients_that_come_and_go_under_load_hold_what_the_database_holds() {
    let builder = Stack::builder().processors(2).realtime(2);
    let stack = builder
        .with("session-processor", "SESSION_TIMEOUT_SECONDS", CENTURY)
        .start()
        .await;
    let token = stack.api().token().await;
    let gateways: Vec<String> = (0..2).map(|gateway| stack.realtime(gateway).url()).collect();
    let (counted, sent) = watch::channel(0);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| tokio::spawn(watch_sessions(gateways.clone(), token.clone(), seed, sent.clone())))
        .collect();
    let agents: Vec<_> = (0..AGENTS)
        .map(|number| {
            tokio::spawn(load(
                stack.agent(&format!("vpn-{number}")),
                100 + number,
                counted.clone(),
            ))
        })
        .collect();
    for agent in agents {
        agent.await.expect("every event is accepted");
    }
    // All that was accepted is processed: each answer told the counts.
    let expected = active_in_database(&stack).await;
    assert!(!expected.is_empty());
    let mut returns = 0;
    for client in clients {
        let Client {
            mut socket,
            mut list,
            returns: own,
        } = client.await.expect("a client does not fail");
        reaches(&mut socket, &mut list, &expected).await;
        assert_eq!(list.faults, Vec::<String>::new());
        returns += own;
    }
    assert!(returns > 0);
    matches_api(&stack, &expected).await;
    let mut late = LiveList::default();
    reaches(&mut enter(&stack, 1).await, &mut late, &expected).await;
}

/// The portal's list shows the same sessions.
async fn matches_api(stack: &Stack, expected: &BTreeMap<String, i64>) {
    let listed = stack.api().get("/api/sessions?status=active&per_page=500").await;
    let listed = listed["sessions"].as_array().expect("a list");
    let mut ids: Vec<&str> = listed.iter().filter_map(|session| session["id"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, Vec::from_iter(expected.keys()));
}
