//! Every operation of every service under requests that its OpenAPI document allows, and under those that it does not.

use test_support::{Process, Stack, try_script};

/// They may end the login that they are called with, or change what it takes to log in: each has one of its own.
const RISKY: [&str; 9] = [
    "logout_all",
    "change_password",
    "confirm_totp",
    "disable_totp",
    "end_profile_session",
    "update_portal_role",
    "update_portal_user",
    "delete_portal_user",
    "reset_portal_user_password",
];

async fn keeps_to_its_document(service: &str, process: &Process, authorization: &str, which: (&str, &str)) {
    let variables = [("AUTHORIZATION", authorization), which];
    let report = try_script("schemathesis", &[service, &process.url()], &variables).await;
    report.unwrap_or_else(|report| panic!("{report}"));
}

async fn stack() -> Stack {
    Stack::builder()
        .with("*", "API_REQUESTS_PER_MINUTE", "1000000")
        .with("auth", "LOGIN_REQUESTS_PER_MINUTE", "1000000")
        // Schemathesis has no patience for long polls.
        .with("ingest", "INGEST_COMMAND_WAIT_SECONDS", "1")
        .realtime(1)
        .start()
        .await
}

/// Not the first admin: it stays out of the way.
async fn as_admin(stack: &Stack, username: &str) -> String {
    format!("Bearer {}", stack.portal_user(username, &["admin"]).await.token().await)
}

#[tokio::test]
async fn auth_keeps_to_its_document() {
    let stack = stack().await;
    stack.agent("vpn-1").connects("jdoe").await;
    let risky = format!("^({})$", RISKY.join("|"));
    let authorization = as_admin(&stack, "tester").await;
    keeps_to_its_document("auth", stack.auth(), &authorization, ("EXCLUDE", &risky)).await;
}

#[tokio::test]
async fn auth_keeps_to_its_document_also_where_that_ends_a_login() {
    let stack = stack().await;
    for operation in RISKY {
        let authorization = as_admin(&stack, &format!("tester_of_{operation}")).await;
        let only = format!("^{operation}$");
        keeps_to_its_document("auth", stack.auth(), &authorization, ("ONLY", &only)).await;
        // The next one needs no second factor.
        stack
            .database()
            .sql("UPDATE portal_role SET requires_totp = false")
            .await;
    }
}

#[tokio::test]
async fn query_api_keeps_to_its_document() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    agent.connects("jdoe").await;
    agent.disconnects("jdoe").await;
    agent.connects("alice").await;
    let authorization = as_admin(&stack, "tester").await;
    keeps_to_its_document("query-api", stack.query_api(), &authorization, ("EXCLUDE", "")).await;
}

#[tokio::test]
async fn ingest_keeps_to_its_document() {
    let stack = stack().await;
    // The name that the document's examples have.
    let authorization = format!("Bearer {}", stack.agent("vpn-prod-01").key().await);
    keeps_to_its_document("ingest", stack.ingest(0), &authorization, ("EXCLUDE", "")).await;
}

#[tokio::test]
async fn realtime_gateway_keeps_to_its_document() {
    let stack = stack().await;
    keeps_to_its_document("realtime-gateway", stack.realtime(0), "", ("EXCLUDE", "")).await;
}
