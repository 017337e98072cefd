use test_support::{TestDatabase, free_port};

#[tokio::test]
async fn each_test_has_a_migrated_database_that_no_other_test_sees() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    one.sql("INSERT INTO vpn_server (name) VALUES ('vpn-1')").await;
    assert_eq!(one.count("SELECT count(*) FROM vpn_server").await, 1);
    assert_eq!(other.count("SELECT count(*) FROM vpn_server").await, 0);
    assert_eq!(one.rows("SELECT name FROM vpn_server").await[0]["name"], "vpn-1");
}

#[tokio::test]
async fn a_database_goes_with_its_test() {
    let gone = TestDatabase::create().await;
    let name = gone.url.rsplit('/').next().expect("a name").to_owned();
    drop(gone);
    let observer = TestDatabase::create().await;
    let query = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(observer.count(&query).await, 0);
}

#[test]
fn a_port_is_given_once() {
    let mut ports: Vec<u16> = (0..20).map(|_| free_port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 20);
}
