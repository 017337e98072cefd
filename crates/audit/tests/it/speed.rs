//! How long a verification takes. Prints it; what is fast enough depends on the machine and the build.

use test_support::TestDatabase;

use crate::program::audit;

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figure is what this test is for")]
async fn a_long_log_is_verified() {
    // AUDIT_ENTRIES=1000000 for the figure that is promised; building that log takes minutes.
    let entries: i64 = std::env::var("AUDIT_ENTRIES").map_or(10_000, |count| count.parse().unwrap());
    let database = TestDatabase::create().await;
    database
        .sql(&format!(
            // Committed now and then: a head that moved thousands of times in one transaction is found ever more slowly.
            "DO $$ BEGIN FOR n IN 1..{entries} LOOP
                 PERFORM append_audit_entry(NULL, 'user' || n % 100, 'update', 'portal_user', (n % 100)::text,
                     json_build_object('after', json_build_object('description', md5(n::text)),
                         'before', json_build_object('description', md5((-n)::text)))::text,
                     '203.0.113.5', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', md5(n::text));
                 IF n % 200 = 0 THEN COMMIT; END IF;
             END LOOP; END $$"
        ))
        .await;
    let ended = audit(&["verify"], Some(&database.url_of("audit")));
    assert_eq!(ended.code, 0, "{ended:?}");
    println!("{}", ended.output);
}
