//! `GET /api/search`: what a few characters may mean.

use actix_web::get;
use actix_web::web::Data;
use db::entities::enums::SessionStatus;
use db::paging::{From, PageRequest};
use db::search;
use db::sessions::{self, IpNetwork, SessionFilter, SessionOrder, SessionSort, SessionView, parse_network};
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, invalid_parameter};
use crate::parameters::Parameters;
use crate::servers;
use crate::{State, server_health::ServerStatus};

/// Of each kind.
const SHOWN: u64 = 8;
const LONGEST: usize = 255;

/// A few of each kind that the text may mean.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchResults {
    /// VPN users whose common name, full name or e-mail has the text; those that begin with it first. At most 8.
    vpn_users: Vec<FoundUser>,
    /// Sessions whose id begins with it, from 8 digits on; of an address or a network those that are active there now. At most 8.
    sessions: Vec<SessionView>,
    /// VPN servers whose name or description has the text, by name. At most 8.
    servers: Vec<FoundServer>,
    /// The text is an address or a network.
    address: Option<FoundAddress>,
}

/// A VPN user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundUser {
    id: i64,
    common_name: String,
    full_name: Option<String>,
    email: Option<String>,
}

/// A VPN server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundServer {
    id: i32,
    name: String,
    description: String,
    status: ServerStatus,
}

/// An address or a network: ask `GET /api/identity` or `GET /api/sessions?ip=` for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundAddress {
    /// As those two take it.
    #[schema(example = "10.8.0.23")]
    ip: String,
    is_network: bool,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct SearchParams {
    /// 2 to 255 characters: part of a name, the beginning of a session's id (8 digits), an address or a network.
    #[param(min_length = 2, max_length = 255, example = "jdoe")]
    q: String,
}

/// Search VPN users, sessions, VPN servers and addresses.
#[utoipa::path(
    operation_id = "search",
    tag = "search",
    params(SearchParams),
    responses(
        (status = 200, description = "A few of each kind, possibly none", body = SearchResults),
        (status = 400, description = "A parameter is missing, not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/search")]
pub(crate) async fn find(
    state: Data<State>,
    parameters: Parameters<SearchParams>,
) -> Result<Json<SearchResults>, Problem> {
    let fits = |text: &str| {
        (2..=LONGEST)
            .contains(&text.trim().chars().count())
            .then(|| text.trim().to_owned())
    };
    let text = parameters.value("q", "2 to 255 characters", fits)?;
    let text = text.ok_or_else(|| invalid_parameter("q", "`q` is required."))?;
    let network = parse_network(&text);
    let users = search::users(&state.db, &text, SHOWN).await.map_err(Failure::from)?;
    Ok(Json(SearchResults {
        vpn_users: users
            .into_iter()
            .map(|user| FoundUser {
                id: user.id,
                common_name: user.common_name,
                full_name: user.full_name,
                email: user.email,
            })
            .collect(),
        sessions: found_sessions(&state, &text, network).await?,
        servers: found_servers(&state, &text).await?,
        address: network.map(FoundAddress::of),
    }))
}

async fn found_sessions(state: &State, text: &str, network: Option<IpNetwork>) -> Result<Vec<SessionView>, Problem> {
    let rows = match network {
        Some(network) => active_at(state, network).await?,
        None => search::sessions(&state.db, text, SHOWN).await.map_err(Failure::from)?,
    };
    let now = clock::now();
    Ok(rows.into_iter().map(|row| row.view(now)).collect())
}

async fn active_at(state: &State, network: IpNetwork) -> Result<Vec<sessions::SessionRow>, Problem> {
    let filter = SessionFilter {
        statuses: vec![SessionStatus::Active],
        network: Some(network),
        ..SessionFilter::default()
    };
    let latest = SessionOrder {
        sort: SessionSort::ConnectedAt,
        descending: true,
    };
    let request = PageRequest {
        from: From::Page(1),
        per_page: SHOWN,
    };
    let page = sessions::list(&state.db, &filter, latest, &request).await;
    Ok(page.map_err(Failure::from)?.rows)
}

async fn found_servers(state: &State, text: &str) -> Result<Vec<FoundServer>, Problem> {
    let found = search::servers(&state.db, text, SHOWN).await.map_err(Failure::from)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let shown = servers::all(state).await?;
    let with_status = |server: db::entities::vpn_server::Model| {
        let status = shown
            .iter()
            .find(|other| other.id == server.id)
            .map(|other| other.status)?;
        Some(FoundServer {
            id: server.id,
            name: server.name,
            description: server.description,
            status,
        })
    };
    Ok(found.into_iter().filter_map(with_status).collect())
}

impl FoundAddress {
    fn of(network: IpNetwork) -> Self {
        let is_network = network.prefix() < if network.is_ipv4() { 32 } else { 128 };
        Self {
            ip: if is_network {
                network.to_string()
            } else {
                network.ip().to_string()
            },
            is_network,
        }
    }
}
