//! The table of routes, and what it says about a request.

use std::collections::HashSet;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use domain::role::Role;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// An agent; the handler checks its API key.
    Agent,
    /// Every portal user, also one who must do something first and has no roles until then.
    PortalUser,
    /// A portal user with one of these roles.
    Roles(&'static [Role]),
}

/// One line of a service's list of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Upper-case HTTP method.
    pub method: &'static str,
    /// The full actix pattern, as in `/api/sessions/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// What the table says about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing of the kind.
    NotFound,
    /// The path, but not with this method; with these it is.
    WrongMethod(String),
    /// No token is needed.
    Open,
    /// A token is needed, and one role of each of these lists.
    Token(Vec<&'static [Role]>),
}

/// The compiled list.
pub(crate) struct Table {
    routes: Vec<(&'static Route, ResourceDef)>,
    patterns: HashSet<&'static str>,
}

impl Table {
    pub(crate) fn new(routes: &'static [Route]) -> Self {
        Self {
            routes: routes
                .iter()
                .map(|route| (route, ResourceDef::new(route.path)))
                .collect(),
            patterns: routes.iter().map(|route| route.path).collect(),
        }
    }

    /// Judges a request by its path and by the pattern that actix found for it. Where several listed patterns match a
    /// path, every one must be satisfied: which of them actix will route to depends on guards that are not known here.
    pub(crate) fn judge(&self, method: &Method, path: &str, pattern: Option<&str>) -> Verdict {
        if !pattern.is_some_and(|pattern| self.patterns.contains(pattern)) {
            return Verdict::NotFound;
        }
        let matching = || {
            self.routes
                .iter()
                .filter(|(_, definition)| definition.is_match(path))
                .map(|(route, _)| *route)
        };
        // A path that is listed as it is has its own methods, whatever pattern it matches besides.
        let listed = self.patterns.contains(path);
        let own = || matching().filter(|route| !listed || route.path == path);
        let chosen: Vec<&Route> = matching().filter(|route| route.method == method.as_str()).collect();
        if !own().any(|route| route.method == method.as_str()) {
            let allowed: Vec<&str> = own().map(|route| route.method).collect();
            return if allowed.is_empty() {
                Verdict::NotFound
            } else {
                Verdict::WrongMethod(allowed.join(", "))
            };
        }
        if chosen.iter().all(|route| !route.access.needs_token()) {
            return Verdict::Open;
        }
        Verdict::Token(chosen.iter().filter_map(|route| route.access.roles()).collect())
    }
}

impl Access {
    /// Whether it needs a portal user's access token.
    pub(crate) fn needs_token(self) -> bool {
        matches!(self, Self::PortalUser | Self::Roles(_))
    }

    fn roles(self) -> Option<&'static [Role]> {
        match self {
            Self::Roles(roles) => Some(roles),
            Self::Public | Self::Agent | Self::PortalUser => None,
        }
    }
}
