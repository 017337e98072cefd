//! Clients come, go, die and move at random, while daemon, agent and product are restarted and killed beneath them. In the end the
//! product's sessions are those that the daemon's own scripts wrote down.
//!
//! `CHAOS_SEED` draws another story; the seed is printed with a failure.

mod truth;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_support::{Stack, eventually, eventually_within};
use tokio::time::timeout;

use super::lab::{Client, skipped};
use super::{Lab, Plan};
use truth::{PATIENCE, Truth, witness};

const CLIENTS: usize = 20;
const STEPS: usize = 30;

/// How much the product can know with the sources of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knows {
    /// Each session, its end and its exact counters.
    Everything,
    /// Each session that lasts some polls.
    WhatLasts,
}

struct Chaos<'a> {
    stack: &'a Stack,
    lab: &'a Lab,
    rng: StdRng,
    clients: Vec<Client>,
    runs: Vec<bool>,
    moved: Vec<bool>,
    agent_is_away: bool,
    ingest_is_away: bool,
}

impl Chaos<'_> {
    /// One of the clients for which `wanted` holds.
    fn one(&mut self, wanted: impl Fn(&Self, usize) -> bool) -> Option<usize> {
        let found: Vec<usize> = (0..CLIENTS).filter(|client| wanted(self, *client)).collect();
        (!found.is_empty()).then(|| found[self.rng.random_range(0..found.len())])
    }

    async fn step(&mut self) {
        let step = self.rng.random_range(0..100);
        match step {
            0..36 => self.launch(),
            36..46 => self.end(true),
            46..54 => self.end(false),
            54..62 => self.move_one(),
            62..72 => self.agent(),
            72..80 => self.ingest(),
            80..84 => self.lab.restart_server_by("USR1").await,
            84..87 => self.lab.restart_server_by("HUP").await,
            87..90 => {
                self.lab.kill_server();
                self.lab.start_server().await;
            }
            _ => {}
        }
        // Traffic through one of them takes its time.
        if let Some(client) = self.one(|chaos, client| chaos.runs[client]) {
            let pings = self.rng.random_range(1..30);
            self.lab.try_ping(&self.clients[client], pings);
        }
    }

    fn launch(&mut self) {
        for _ in 0..self.rng.random_range(1..4) {
            let Some(client) = self.one(|chaos, client| !chaos.runs[client]) else {
                return;
            };
            self.lab.launch_client(&self.clients[client]);
            self.runs[client] = true;
        }
    }

    fn end(&mut self, cleanly: bool) {
        let Some(client) = self.one(|chaos, client| chaos.runs[client]) else {
            return;
        };
        match cleanly {
            true => self.lab.tell_client_to_end(&self.clients[client]),
            false => self.lab.kill_client(&self.clients[client]),
        }
        self.runs[client] = false;
    }

    /// A client may take the end of its server for its own.
    fn launch_those_that_gave_up(&self) {
        let given_up = |client: &&Client| self.lab.is_over(client);
        let running = self.clients.iter().zip(&self.runs).filter(|(_, runs)| **runs);
        for client in running.map(|(client, _)| client).filter(given_up) {
            self.lab.launch_client(client);
        }
    }

    async fn everybody_is_through(&self, seed: u64) {
        let mut missing = Vec::new();
        let through = eventually_within(PATIENCE * 2, "", async || {
            self.launch_those_that_gave_up();
            let truth = Truth::read(self.lab);
            let running = self.clients.iter().zip(&self.runs).filter(|(_, runs)| **runs);
            missing = running
                .map(|(client, _)| client)
                .filter(|client| !truth.has(&client.common_name))
                .collect();
            missing.is_empty().then_some(())
        });
        let through = timeout(PATIENCE, through).await;
        let logs: Vec<String> = missing.iter().map(|client| self.lab.client_log(client)).collect();
        assert!(
            through.is_ok(),
            "seed {seed}: these do not come through:\n{}",
            logs.join("\n")
        );
    }

    fn move_one(&mut self) {
        let Some(client) = self.one(|chaos, client| chaos.runs[client] && !chaos.moved[client]) else {
            return;
        };
        self.lab
            .move_client(&self.clients[client], &format!("198.18.77.{}", client + 10));
        self.moved[client] = true;
    }

    fn agent(&mut self) {
        match self.agent_is_away {
            true => self.lab.start_agent(),
            false => self.lab.kill_agent(),
        }
        self.agent_is_away = !self.agent_is_away;
        // It stays away for some steps, or is back at once.
        if self.agent_is_away && self.rng.random_bool(0.6) {
            self.lab.start_agent();
            self.agent_is_away = false;
        }
    }

    fn ingest(&mut self) {
        match self.ingest_is_away {
            true => self.stack.ingest(0).start(),
            false => self.stack.ingest(0).kill(),
        }
        self.ingest_is_away = !self.ingest_is_away;
    }

    async fn everything_is_back(&mut self) {
        if self.agent_is_away {
            self.agent();
        }
        if self.ingest_is_away {
            self.ingest();
        }
        self.stack.ingest(0).ready().await;
    }
}

async fn chaos(knows: Knows, plan: Plan) {
    if skipped() {
        return;
    }
    let seed = std::env::var("CHAOS_SEED").map_or(5, |seed| seed.parse().expect("a number"));
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-chaos"]).await;
    let witness = witness(plan.hooks);
    let plan = Plan {
        options: format!(
            "client-connect \"{witness}\"\nclient-disconnect \"{witness}\"\n{}",
            plan.options
        ),
        ..plan
    };
    let lab = Lab::start_planned(&stack, "vpn-chaos", plan).await;
    let mut chaos = Chaos {
        stack: &stack,
        lab: &lab,
        rng: StdRng::seed_from_u64(seed),
        clients: (0..CLIENTS)
            .map(|number| lab.new_client(&format!("chaos-{number}"), "hand-window 5"))
            .collect(),
        runs: vec![false; CLIENTS],
        moved: vec![false; CLIENTS],
        agent_is_away: false,
        ingest_is_away: false,
    };
    for _ in 0..STEPS {
        chaos.step().await;
    }
    chaos.everything_is_back().await;
    chaos.everybody_is_through(seed).await;
    let exactly = knows == Knows::Everything;
    truth::reached(&stack, &lab, exactly, &format!("seed {seed}, clients running")).await;
    while chaos.runs.contains(&true) {
        chaos.end(true);
    }
    truth::reached(&stack, &lab, exactly, &format!("seed {seed}, clients gone")).await;
}

#[tokio::test]
async fn whatever_fails_in_between_the_products_sessions_are_the_daemons() {
    chaos(Knows::Everything, Plan::default()).await;
}

#[tokio::test]
async fn hooks_alone_survive_it() {
    let plan = Plan {
        sources: String::new(),
        ..Plan::default()
    };
    chaos(Knows::Everything, plan).await;
}

#[tokio::test]
async fn the_management_interface_alone_survives_it() {
    let plan = Plan {
        hooks: false,
        ..Plan::default()
    };
    chaos(Knows::WhatLasts, plan).await;
}

#[tokio::test]
async fn a_status_file_alone_survives_it() {
    let plan = Plan {
        hooks: false,
        sources: "status_file = \"{folder}/status.log\"".to_owned(),
        ..Plan::default()
    };
    chaos(Knows::WhatLasts, plan).await;
}

/// Without `duplicate-cn` the daemon throws one out for the other, gives it the same address, and both come back at once.
#[tokio::test]
async fn two_devices_with_one_certificate_that_fight_are_a_session_each_time() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    stack.run("auth", &["create-server", "vpn-chaos"]).await;
    let witness = witness(true);
    let plan = Plan {
        options: format!("client-connect \"{witness}\"\nclient-disconnect \"{witness}\""),
        ..Plan::default()
    };
    let lab = Lab::start_planned(&stack, "vpn-chaos", plan).await;
    let devices = [0, 1].map(|_| lab.new_client("team", "hand-window 4"));
    for round in 1..5 {
        devices.iter().for_each(|device| lab.launch_client(device));
        eventually("both to have come through", async || {
            (Truth::read(&lab).len() >= 2 * round).then_some(())
        })
        .await;
        devices.iter().for_each(|device| lab.kill_client(device));
    }
    truth::reached(&stack, &lab, true, "two devices fight").await;
}
