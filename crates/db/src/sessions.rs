//! Sessions as the API shows them: lists, one session, exports.

mod export;
mod filter;
mod list;
mod related;
mod row;
mod traffic;
mod view;

pub use export::{ExportItem, export};
pub use filter::{SessionFilter, parse_network};
pub use ipnetwork::IpNetwork;
pub use list::{ListError, SessionOrder, SessionSort, explain_list, list};
pub use related::{Related, explain_related, latest_of_user, related};
pub use row::SessionRow;
pub use traffic::{CounterReading, readings};
pub use view::{ClientView, SessionView};

pub(crate) use filter::status_condition;
pub(crate) use row::select;

use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use crate::entities::vpn_session;
use crate::{Db, Error};

/// One session.
pub async fn find(db: &Db, id: Uuid) -> Result<Option<SessionRow>, Error> {
    find_within(&db.connection, id).await
}

pub(crate) async fn find_within(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<SessionRow>, Error> {
    Ok(select()
        .filter(vpn_session::Column::Id.eq(id))
        .into_model()
        .one(connection)
        .await?)
}

/// The sessions with these ids, in their order; ids that nobody has are left out.
pub async fn find_many(db: &Db, ids: &[Uuid]) -> Result<Vec<SessionRow>, Error> {
    let wanted = vpn_session::Column::Id.eq_any(ids.to_vec());
    let mut rows: Vec<SessionRow> = select().filter(wanted).into_model().all(&db.connection).await?;
    let place: std::collections::HashMap<Uuid, usize> =
        ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    rows.sort_by_key(|row| place.get(&row.session.id).copied());
    Ok(rows)
}
