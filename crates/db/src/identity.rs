//! Who may have held an address at an instant. [`domain::identity`] judges what is found here.

use std::net::IpAddr;

use domain::identity::Claim;
use ipnetwork::IpNetwork;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, DbBackend, FromQueryResult, StatementBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::entities::enums::{SessionEnd, SessionStatus};
use crate::entities::{vpn_server, vpn_session};
use crate::sessions::{SessionRow, find_many};
use crate::{Db, Error};

/// Which of a session's addresses it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    VirtualIp,
    VirtualIp6,
    RealIp,
}

/// A session that had the address at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub row: SessionRow,
    pub kind: AddressKind,
}

/// A virtual address belongs to its latest holder; those before are read for what they prove.
const HOLDERS_PER_SERVER: u64 = 3;
/// Many clients may share a real address.
const HOLDERS_OF_REAL_ADDRESS: u64 = 500;

/// Sessions that may have held `ip` at `at`: of each server the latest that had connected with the virtual address by
/// then, and all with the real address whose life is not known to have ended before.
pub async fn candidates(db: &Db, ip: IpAddr, at: OffsetDateTime) -> Result<Vec<Candidate>, Error> {
    use vpn_session::Column::{VirtualIp, VirtualIp6};
    let address = IpNetwork::from(ip);
    let mut found = keyed(db, &latest_holders(VirtualIp, address, at), AddressKind::VirtualIp).await?;
    if ip.is_ipv6() {
        found.extend(keyed(db, &latest_holders(VirtualIp6, address, at), AddressKind::VirtualIp6).await?);
    }
    found.extend(keyed(db, &real_holders(address, at), AddressKind::RealIp).await?);
    let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
    let rows = find_many(db, &ids).await?;
    let kind_of = |id: Uuid| {
        found
            .iter()
            .find(|(found, _)| *found == id)
            .map_or(AddressKind::RealIp, |(_, kind)| *kind)
    };
    Ok(rows
        .into_iter()
        .map(|row| Candidate {
            kind: kind_of(row.session.id),
            row,
        })
        .collect())
}

impl Candidate {
    /// The session's claim to the address, to be judged.
    pub fn claim(&self) -> Claim {
        let session = &self.row.session;
        let reported = matches!(session.ended_by, Some(SessionEnd::Reported | SessionEnd::Terminated));
        Claim {
            session_id: session.id,
            server_id: session.server_id,
            exclusive: self.kind != AddressKind::RealIp,
            connected_at: session.connected_at,
            last_seen_at: session.last_seen_at,
            reported_end: session.disconnected_at.filter(|_| reported),
            // A lack of proof of life is no disproof.
            not_after: session
                .end_not_after
                .filter(|_| session.session_status == SessionStatus::Disconnected),
        }
    }
}

/// One probe of the index per server, however many sessions have had the address.
fn latest_holders(column: vpn_session::Column, address: IpNetwork, at: OffsetDateTime) -> SelectStatement {
    let server = Expr::col((vpn_server::Entity, vpn_server::Column::Id));
    let latest = Query::select()
        .column(vpn_session::Column::Id)
        .from(vpn_session::Entity)
        .and_where(column.eq(address))
        .and_where(Expr::col((vpn_session::Entity, vpn_session::Column::ServerId)).eq(server))
        .and_where(vpn_session::Column::ConnectedAt.lte(at))
        .order_by(vpn_session::Column::ConnectedAt, Order::Desc)
        .limit(HOLDERS_PER_SERVER)
        .take();
    Query::select()
        .column(("holder", vpn_session::Column::Id))
        .from(vpn_server::Entity)
        .join_lateral(
            JoinType::InnerJoin,
            latest,
            "holder",
            Condition::all().add(Expr::cust("true")),
        )
        .take()
}

fn real_holders(address: IpNetwork, at: OffsetDateTime) -> SelectStatement {
    use vpn_session::Column::{ConnectedAt, EndNotAfter, Id, RealIp};
    Query::select()
        .column(Id)
        .from(vpn_session::Entity)
        .and_where(RealIp.eq(address))
        .and_where(ConnectedAt.lte(at))
        .and_where(EndNotAfter.is_null().or(EndNotAfter.gte(at)))
        .order_by(ConnectedAt, Order::Desc)
        .limit(HOLDERS_OF_REAL_ADDRESS)
        .take()
}

#[derive(FromQueryResult)]
struct Holder {
    id: Uuid,
}

async fn keyed(db: &Db, holders: &SelectStatement, kind: AddressKind) -> Result<Vec<(Uuid, AddressKind)>, Error> {
    let statement = StatementBuilder::build(holders, &DbBackend::Postgres);
    let holders = Holder::find_by_statement(statement).all(&db.connection).await?;
    Ok(holders.into_iter().map(|holder| (holder.id, kind)).collect())
}
