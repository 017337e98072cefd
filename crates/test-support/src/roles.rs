use crate::shared_servers;

/// The database role of each of our programs that has one.
const ROLES: [(&str, &str); 7] = [
    ("ingest", "ovt_ingest"),
    ("session-processor", "ovt_session_processor"),
    ("query-api", "ovt_query_api"),
    ("auth", "ovt_auth"),
    ("audit", "ovt_auth"),
    ("realtime-gateway", "ovt_realtime_gateway"),
    ("reporter", "ovt_reporter"),
];

/// The variables by which `migrations up` is told the roles' passwords. In tests they have all the same.
pub(crate) const PASSWORD_VARIABLES: [&str; 6] = [
    "DB_PASSWORD_INGEST",
    "DB_PASSWORD_SESSION_PROCESSOR",
    "DB_PASSWORD_QUERY_API",
    "DB_PASSWORD_AUTH",
    "DB_PASSWORD_REALTIME_GATEWAY",
    "DB_PASSWORD_REPORTER",
];

/// The same database, with the login that `program` has where it is deployed; unchanged for a program without a role, such
/// as `migrations`.
pub(crate) fn with_login_of(program: &str, url: &str) -> String {
    let role = ROLES.iter().find(|(name, _)| *name == program);
    role.map_or_else(|| url.to_owned(), |(_, role)| with_login(role, url))
}

pub(crate) fn with_login(role: &str, url: &str) -> String {
    let (_, address) = url.rsplit_once('@').expect("a URL with a user");
    format!("postgresql://{role}:{}@{address}", shared_servers().role_password)
}
