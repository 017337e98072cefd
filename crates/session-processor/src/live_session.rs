use db::apply::{ChangeKind, SessionChange};
pub(crate) use db::live_session::LiveSession;

/// What a session has become, written out once for all who are told.
pub(crate) struct Told {
    pub(crate) kind: ChangeKind,
    pub(crate) session: LiveSession,
    pub(crate) json: String,
}

impl Told {
    pub(crate) fn new(kind: ChangeKind, session: LiveSession) -> Self {
        let json = session.to_json();
        Self { kind, session, json }
    }

    pub(crate) fn of(change: &SessionChange) -> Self {
        Self::new(change.kind, LiveSession::of(change))
    }

    pub(crate) fn is_live(&self) -> bool {
        self.session.is_active() && self.kind != ChangeKind::Withdrawn
    }

    /// Whether the live cache can never have held it: it was over when it was first heard of.
    pub(crate) fn was_never_live(&self) -> bool {
        self.session.version == 1 && !self.is_live()
    }
}
