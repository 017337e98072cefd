//! The agent speaks to the product over TLS, with real nginx in front of ingest, and to nobody else.

use test_support::{Nginx, Stack, eventually};

use super::proxy::Proxy;
use super::{Host, authority, pinned};
use crate::openvpn::pki;

/// nginx with a certificate of this authority for `subject`.
async fn entrance(stack: &Stack, authority: &std::path::Path, name: &str, subject: &str) -> Nginx {
    pki::issue_web(authority, name, subject);
    let (certificate, key) = (
        authority.join(format!("{name}.crt")),
        authority.join(format!("{name}.key")),
    );
    Nginx::start_tls(name, stack.ingest(0).address(), &certificate, &key).await
}

async fn arrives(stack: &Stack, common_name: &str) {
    let api = stack.api();
    eventually(&format!("the session of {common_name}"), async || {
        let sessions = api.get(&format!("/api/sessions?search={common_name}")).await;
        let sessions = sessions["sessions"].as_array()?;
        assert!(sessions.len() < 2, "one session: {sessions:#?}");
        sessions.first().cloned()
    })
    .await;
}

async fn says(host: &Host, sentence: &str) {
    eventually(&format!("the log to say {sentence:?}"), async || {
        host.log().contains(sentence).then_some(())
    })
    .await;
}

#[tokio::test]
async fn sessions_travel_over_tls_to_a_product_of_the_pinned_authority() {
    let stack = Stack::start().await;
    let mut host = Host::new(&stack, "vpn-tls").await;
    let ours = authority(&host, "ours");
    let nginx = entrance(&stack, &ours, "web", "IP:127.0.0.1").await;
    host.run_agent(&nginx.url, &pinned(&ours));
    host.connects("jdoe", "10.8.0.2");
    arrives(&stack, "jdoe").await;
}

#[tokio::test]
async fn a_product_of_another_authority_gets_nothing_and_nothing_is_lost() {
    let stack = Stack::start().await;
    let mut host = Host::new(&stack, "vpn-tls").await;
    let (ours, theirs) = (authority(&host, "ours"), authority(&host, "theirs"));
    let nginx = entrance(&stack, &theirs, "web", "IP:127.0.0.1").await;

    host.run_agent(&nginx.url, &pinned(&ours));
    host.connects("jdoe", "10.8.0.2");
    says(&host, "is not signed by an authority that this agent trusts").await;
    // Without a pinned authority, the system's are asked, and they do not know it either.
    host.run_agent(&nginx.url, "");
    says(&host, "is not signed by an authority that this agent trusts").await;
    assert_eq!(
        stack.api().get("/api/sessions").await["sessions"],
        serde_json::json!([])
    );

    host.run_agent(&nginx.url, &pinned(&theirs));
    arrives(&stack, "jdoe").await;
}

#[tokio::test]
async fn the_agent_tries_again_until_the_product_has_a_good_certificate() {
    let stack = Stack::start().await;
    let mut host = Host::new(&stack, "vpn-tls").await;
    let ours = authority(&host, "ours");
    let wrong = entrance(&stack, &ours, "wrong", "DNS:other.example").await;

    host.run_agent(&wrong.url, &pinned(&ours));
    host.connects("jdoe", "10.8.0.2");
    says(&host, "is for another host than that of api_url").await;
    // The same agent, which goes on trying, after the product's certificate was renewed.
    let (_, port) = wrong.url.rsplit_once(':').unwrap();
    let port = port.parse().unwrap();
    drop(wrong);
    pki::issue_web(&ours, "renewed", "IP:127.0.0.1");
    let (certificate, key) = (ours.join("renewed.crt"), ours.join("renewed.key"));
    let _renewed = Nginx::start_tls_at("renewed", port, stack.ingest(0).address(), &certificate, &key).await;
    arrives(&stack, "jdoe").await;
}

#[tokio::test]
async fn a_proxy_tunnels_without_hearing_anything() {
    let stack = Stack::start().await;
    let mut host = Host::new(&stack, "vpn-tls").await;
    let ours = authority(&host, "ours");
    let nginx = entrance(&stack, &ours, "web", "IP:127.0.0.1").await;
    let proxy = Proxy::start().await;
    host.run_agent(&nginx.url, &format!("proxy = \"{}\"\n{}", proxy.url, pinned(&ours)));
    host.connects("jdoe", "10.8.0.2");
    arrives(&stack, "jdoe").await;
    let product = nginx.url.strip_prefix("https://").unwrap().to_owned();
    assert!(
        proxy.targets().contains(&product),
        "the proxy was used: {:?}",
        proxy.targets()
    );
}
