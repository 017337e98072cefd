//! What hooks are told, and leave for the agent.

use openvpn::Environment;

/// No password stays in it; what a hook leaves is what the agent takes over.
pub(crate) fn environment(input: &[u8]) {
    let environment = Environment::parse(&crate::text(input));
    let _ = (environment.connected_at(), environment.daemon(), environment.client());
    let _ = (
        environment.real_ip(),
        environment.real_port(),
        environment.common_name(),
    );
    let _ = (environment.virtual_ip(), environment.virtual_ip6());
    let left = environment.to_lines();
    for line in left.lines().filter_map(|line| line.split_once('=')) {
        let name = line.0.to_ascii_lowercase();
        assert!(!name.contains("password") && !name.contains("auth_token"));
    }
    let taken_over = Environment::parse(&left);
    assert_eq!(taken_over.to_lines(), left);
    if !left.contains(' ') {
        assert_eq!(taken_over, environment);
    }
}
