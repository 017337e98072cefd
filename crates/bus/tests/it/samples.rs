//! The bytes of each message of version 1, as they were first published. They must decode, and encode the same, for ever.

use std::fmt::Debug;
use std::path::PathBuf;

use bus::proto::*;
use prost::Message;

fn telemetry_batch() -> TelemetryBatch {
    TelemetryBatch {
        requests: vec![
            agent_request(),
            AgentRequest {
                server_key: 2,
                ..Default::default()
            },
        ],
    }
}

fn agent_request() -> AgentRequest {
    AgentRequest {
        request_id: vec![1; 16],
        server_key: 7,
        server_name: "vpn-prod-01".to_owned(),
        boot_id: Some(vec![2; 16]),
        sent_at_us: Some(1_770_984_000_000_000),
        received_at_us: 1_770_984_000_250_000,
        reply_subject: "ovt.outcome.v1.i1".to_owned(),
        events: vec![
            Event {
                event_id: vec![3; 16],
                r#type: EventType::SessionDisconnected.into(),
                time_us: 1_770_984_000_000_001,
                seq: Some(41),
                sessions: vec![session_facts()],
            },
            Event {
                event_id: vec![4; 16],
                r#type: EventType::ServerStarted.into(),
                time_us: -1,
                ..Default::default()
            },
        ],
        heartbeat: Some(heartbeat()),
        rejected_seqs: vec![0, 42, 300],
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        inventory: None,
    }
}

fn session_facts() -> SessionFacts {
    SessionFacts {
        session_id: Some(vec![5; 16]),
        common_name: "jdoe@company.com".to_owned(),
        real_ip: Some(vec![203, 0, 113, 5]),
        real_port: Some(1194),
        virtual_ip: Some(vec![10, 8, 0, 2]),
        virtual_ip6: Some(vec![0xfd; 16]),
        bytes_in: Some(0),
        bytes_out: Some(i64::MAX.unsigned_abs()),
        bytes_source: BytesSource::LastPoll.into(),
        disconnect_reason: Some("client".to_owned()),
        username: Some("jdoe".to_owned()),
        cid: Some(3),
        client_platform: Some("linux".to_owned()),
        client_version: Some("2.6.3".to_owned()),
        client_gui: Some("net.openvpn.connect".to_owned()),
        cipher: Some("AES-256-GCM".to_owned()),
        duration_seconds: Some(1800),
        connected_at_us: Some(1_770_982_200_000_000),
    }
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        cpu_percent: Some(12.5),
        memory_percent: Some(40.0),
        load_1m: Some(0.25),
        openvpn_version: Some("2.6.3".to_owned()),
        uptime_seconds: Some(86_400),
        session_count: Some(0),
        dco: Some(false),
        agent_version: Some("1.0.0".to_owned()),
        spool_depth: Some(9),
        oldest_unsent_us: Some(1_770_983_000_000_000),
    }
}

fn request_outcomes() -> RequestOutcomes {
    let refused = RefusedEvent {
        event_id: vec![6; 16],
        error: "poison".to_owned(),
        detail: "why".to_owned(),
    };
    let outcome = RequestOutcome {
        request_id: vec![1; 16],
        sessions_created: 5,
        sessions_updated: 4,
        duplicates: 1,
        refused: vec![refused],
    };
    RequestOutcomes {
        outcomes: vec![outcome, RequestOutcome::default()],
    }
}

fn rejected_batch() -> RejectedBatch {
    let event = RejectedEvent {
        id: vec![7; 16],
        server_key: 7,
        server_name: "vpn-prod-01".to_owned(),
        received_at_us: 1_770_984_000_250_000,
        event_id: "not a uuid".to_owned(),
        error: "invalid_event_id".to_owned(),
        detail: "event_id is \"not a uuid\"".to_owned(),
        event_json: "{\"event_id\":\"not a uuid\"}".to_owned(),
        request_id: "01J0".to_owned(),
    };
    RejectedBatch { events: vec![event] }
}

fn session_deltas() -> SessionDeltas {
    let session = SessionDelta {
        kind: DeltaKind::Updated.into(),
        session_id: vec![5; 16],
        version: 3,
        session_json: "{\"id\":\"05050505\"}".to_owned(),
    };
    SessionDeltas {
        server_name: "vpn-prod-01".to_owned(),
        sessions: vec![session],
    }
}

#[test]
fn a_telemetry_batch_keeps_its_bytes() {
    check("telemetry_batch", &telemetry_batch());
}

#[test]
fn an_inventory_keeps_its_bytes() {
    let octets = |last: u8| vec![10, 8, 0, last];
    let inventory = Inventory {
        taken_at_us: 1_770_984_000_000_000,
        certificates: vec![Certificate {
            common_name: "jdoe@company.com".to_owned(),
            serial: "a1b".to_owned(),
            expires_at_us: 1_866_578_341_000_000,
            revoked_at_us: Some(1_770_000_000_000_000),
        }],
        ccds: vec![Ccd {
            common_name: "jdoe@company.com".to_owned(),
            ifconfig_ip: Some(octets(9)),
            ifconfig_netmask: Some(vec![255, 255, 255, 0]),
            ifconfig_ip6: Some(vec![0xfd; 16]),
            disabled: true,
        }],
        routes: vec![Route {
            common_name: Some("jdoe@company.com".to_owned()),
            route_type: RouteType::Iroute.into(),
            network: octets(0),
            prefix: 24,
            gateway: Some(octets(1)),
            comment: Some("head office".to_owned()),
        }],
    };
    check("inventory", &inventory);
}

#[test]
fn request_outcomes_keep_their_bytes() {
    check("request_outcomes", &request_outcomes());
}

#[test]
fn a_rejected_batch_keeps_its_bytes() {
    check("rejected_batch", &rejected_batch());
}

#[test]
fn session_deltas_keep_their_bytes() {
    check("session_deltas", &session_deltas());
}

#[test]
fn a_key_revocation_keeps_its_bytes() {
    check(
        "api_key_revoked",
        &ApiKeyRevoked {
            key_id: "abcdef012345".to_owned(),
        },
    );
}

#[test]
fn revocations_of_access_keep_their_bytes() {
    let of = |tokens| AccessRevoked { tokens: Some(tokens) };
    check(
        "access_revoked_portal_session",
        &of(access_revoked::Tokens::PortalSessionId(vec![9; 16])),
    );
    let tokens = PortalUserTokens {
        portal_user_id: 7,
        token_version: 2,
    };
    check(
        "access_revoked_portal_user",
        &of(access_revoked::Tokens::PortalUser(tokens)),
    );
}

#[test]
fn waiting_commands_keep_their_bytes() {
    check(
        "commands_waiting",
        &CommandsWaiting {
            server_keys: vec![7, 300],
        },
    );
}

/// Compares with `samples/<name>.hex`. A new sample is written with `FREEZE_NEW_SAMPLES=1`; an existing one never is.
fn check<M: Message + Default + PartialEq + Debug>(name: &str, expected: &M) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/samples")
        .join(format!("{name}.hex"));
    if !path.exists() && std::env::var_os("FREEZE_NEW_SAMPLES").is_some() {
        std::fs::write(&path, to_hex(&expected.encode_to_vec())).unwrap();
    }
    let frozen = from_hex(&std::fs::read_to_string(&path).unwrap());
    assert_eq!(
        &M::decode(frozen.as_slice()).unwrap(),
        expected,
        "{name} no longer decodes to the same value"
    );
    assert_eq!(
        to_hex(&expected.encode_to_vec()),
        to_hex(&frozen),
        "{name} no longer encodes to the same bytes"
    );
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    bytes.chunks(60).map(line).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
