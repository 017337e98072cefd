//! What portal users ask of VPN servers' agents, and what came of it.

mod deliver;
mod progress;
mod request;
mod state;

pub use deliver::{DeliveredCommand, Delivery, DenialInForce, Waiting, deliver, waiting};
pub use progress::{Progress, Reached, record};
pub use request::{NewTermination, Requested, request_terminations};
pub use state::CommandState;

use sea_orm::sea_query::{Condition, Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait, Select,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::entities::{session_command, vpn_server, vpn_user};
use crate::paging::{Page, PageRequest, TimeCursor, TimeList};
use crate::{Db, Error};

/// A command with the names that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct CommandRow {
    #[sea_orm(nested)]
    pub command: session_command::Model,
    pub common_name: String,
    pub server_instance: String,
}

/// Which commands are asked for. Parts that are empty do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandFilter {
    pub states: Vec<CommandState>,
    pub session_id: Option<Uuid>,
    pub server_ids: Vec<i32>,
}

/// The latest commands of a session, newest first.
pub async fn of_session(db: &Db, session_id: Uuid, limit: u64) -> Result<Vec<CommandRow>, Error> {
    newest(&db.connection, session_id, limit).await
}

/// Commands, newest first, in the states that they have at `now`.
pub async fn list(
    db: &Db,
    filter: &CommandFilter,
    now: OffsetDateTime,
    request: &PageRequest<TimeCursor>,
) -> Result<Page<CommandRow, TimeCursor>, Error> {
    use session_command::Column;
    let column = |column: Column| (session_command::Entity, column);
    let wanted = Condition::all()
        .add_option(filter.session_id.map(|id| Column::SessionId.eq(id)))
        .add_option((!filter.server_ids.is_empty()).then(|| Column::ServerId.eq_any(filter.server_ids.clone())))
        .add_option(state::condition(&filter.states, now));
    let matching = Query::select().from(session_command::Entity).cond_where(wanted).take();
    let page = TimeList::new(matching, column(Column::RequestedAt), column(Column::Id), true)
        .page(db, request)
        .await?;
    let ids: Vec<Uuid> = page.rows.iter().map(|key| key.id).collect();
    let rows = select().filter(Column::Id.eq_any(ids));
    Ok(Page {
        rows: newest_first(rows).into_model().all(&db.connection).await?,
        total: page.total,
        next: page.next,
    })
}

async fn newest(connection: &impl ConnectionTrait, session_id: Uuid, limit: u64) -> Result<Vec<CommandRow>, Error> {
    let rows = select().filter(session_command::Column::SessionId.eq(session_id));
    Ok(newest_first(rows).limit(limit).into_model().all(connection).await?)
}

fn select() -> Select<session_command::Entity> {
    session_command::Entity::find()
        .join(JoinType::InnerJoin, session_command::Relation::Server.def())
        .join(JoinType::InnerJoin, session_command::Relation::VpnUser.def())
        .expr_as(
            Expr::col((vpn_user::Entity, vpn_user::Column::CommonName)),
            "common_name",
        )
        .expr_as(
            Expr::col((vpn_server::Entity, vpn_server::Column::Name)),
            "server_instance",
        )
}

fn newest_first(rows: Select<session_command::Entity>) -> Select<session_command::Entity> {
    rows.order_by_desc(session_command::Column::RequestedAt)
        .order_by_desc(session_command::Column::Id)
}
