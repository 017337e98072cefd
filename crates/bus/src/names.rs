use crate::Error;

/// Every subject and stream of one namespace. Built and parsed here only.
#[derive(Debug, Clone)]
pub struct Names {
    namespace: String,
}

impl Names {
    /// # Errors
    /// [`Error::Namespace`] unless the namespace is 1 to 32 letters, digits, `-` or `_`.
    pub fn new(namespace: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if namespace.is_empty() || namespace.len() > 32 || !namespace.bytes().all(allowed) {
            return Err(Error::Namespace(namespace.to_owned()));
        }
        Ok(Self {
            namespace: namespace.to_owned(),
        })
    }

    /// Stream of accepted events, waiting for the processor.
    pub fn telemetry_stream(&self) -> String {
        format!("{}-TELEMETRY", self.namespace)
    }

    /// Stream of refused events, waiting for the portal's table.
    pub fn rejected_stream(&self) -> String {
        format!("{}-REJECTED", self.namespace)
    }

    /// Stream of session changes for realtime subscribers, kept for minutes.
    pub fn realtime_stream(&self) -> String {
        format!("{}-REALTIME", self.namespace)
    }

    pub fn telemetry_events(&self) -> String {
        format!("{}.telemetry.v1.events", self.namespace)
    }

    pub fn telemetry_rejected(&self) -> String {
        format!("{}.telemetry.v1.rejected", self.namespace)
    }

    /// Where one ingest waits for the processor's answers.
    pub fn outcome(&self, instance: &str) -> String {
        format!("{}.outcome.v1.{}", self.namespace, server_token(instance))
    }

    /// Session changes of one VPN server.
    pub fn realtime_sessions(&self, server_name: &str) -> String {
        format!("{}.realtime.v1.sessions.{}", self.namespace, server_token(server_name))
    }

    /// Session changes of all VPN servers.
    pub fn realtime_sessions_all(&self) -> String {
        format!("{}.realtime.v1.sessions.*", self.namespace)
    }

    /// VPN servers whose agents have something to fetch.
    pub fn commands_waiting(&self) -> String {
        format!("{}.commands.v1.waiting", self.namespace)
    }

    pub fn revoked_api_key(&self) -> String {
        format!("{}.revoked.v1.api_key", self.namespace)
    }

    /// Access tokens of portal users that are no longer valid.
    pub fn revoked_access(&self) -> String {
        format!("{}.revoked.v1.access", self.namespace)
    }
}

/// A name as one subject token: the characters that NATS gives a meaning to are percent-encoded.
fn server_token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '.' | '*' | '>' | '%' | ' ' => token.push_str(&format!("%{:02X}", character as u32)),
            _ => token.push(character),
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_start_with_the_namespace_and_carry_a_version() {
        let names = Names::new("ovt").unwrap();
        assert_eq!(names.telemetry_stream(), "ovt-TELEMETRY");
        assert_eq!(names.telemetry_events(), "ovt.telemetry.v1.events");
        assert_eq!(names.realtime_stream(), "ovt-REALTIME");
        assert_eq!(names.realtime_sessions_all(), "ovt.realtime.v1.sessions.*");
        assert_eq!(names.telemetry_rejected(), "ovt.telemetry.v1.rejected");
        assert_eq!(names.outcome("i-1"), "ovt.outcome.v1.i-1");
        assert_eq!(names.commands_waiting(), "ovt.commands.v1.waiting");
        assert_eq!(names.revoked_api_key(), "ovt.revoked.v1.api_key");
        assert_eq!(names.revoked_access(), "ovt.revoked.v1.access");
    }

    #[test]
    fn a_server_name_is_always_one_token() {
        let names = Names::new("ovt").unwrap();
        assert_eq!(
            names.realtime_sessions("vpn.prod..01"),
            "ovt.realtime.v1.sessions.vpn%2Eprod%2E%2E01"
        );
    }

    #[test]
    fn a_namespace_that_would_change_subjects_is_refused() {
        for namespace in ["", "a.b", "a b", ">", &"x".repeat(33)] {
            assert!(Names::new(namespace).is_err(), "{namespace:?}");
        }
    }
}
