//! Events that were refused, with the reason.

use sea_orm::sea_query::{Condition, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::entities::dead_letter;
use crate::paging::{Page, PageRequest, TimeCursor, TimeList};
use crate::{Db, Error};

/// Refused events, newest first: of these servers (of all, when none is named), with this error code.
pub async fn list(
    db: &Db,
    server_names: &[String],
    error: Option<&str>,
    request: &PageRequest<TimeCursor>,
) -> Result<Page<dead_letter::Model, TimeCursor>, Error> {
    use dead_letter::Column;
    let column = |column: Column| (dead_letter::Entity, column);
    let wanted = Condition::all()
        .add_option((!server_names.is_empty()).then(|| Column::ServerName.eq_any(server_names.to_vec())))
        .add_option(error.map(|error| Column::Error.eq(error)));
    let matching = Query::select().from(dead_letter::Entity).cond_where(wanted).take();
    let page = TimeList::new(matching, column(Column::ReceivedAt), column(Column::Id), true)
        .page(db, request)
        .await?;
    let ids: Vec<Uuid> = page.rows.iter().map(|key| key.id).collect();
    let rows = dead_letter::Entity::find().filter(Column::Id.eq_any(ids));
    let rows = rows
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::Id)
        .all(&db.connection)
        .await?;
    Ok(Page {
        rows,
        total: page.total,
        next: page.next,
    })
}

/// A refused event to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: Uuid,
    pub received_at: OffsetDateTime,
    /// `None` when no server can be named.
    pub server_id: Option<i32>,
    pub server_name: String,
    /// As the agent wrote it.
    pub event_id: Option<String>,
    pub error: String,
    pub detail: String,
    pub event_json: String,
    pub request_id: String,
}

/// Keeps refused events. One that is kept already stays as it is.
///
/// # Errors
/// None was kept then.
pub async fn store(db: &Db, letters: &[DeadLetter]) -> Result<(), Error> {
    let sql = "INSERT INTO dead_letter (id, received_at, server_id, server_name, event_id, error, detail, event_json, request_id)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[]) ON CONFLICT (id) DO NOTHING";
    // PostgreSQL has no NUL in a text; an agent's JSON may.
    let text = |get: fn(&DeadLetter) -> &str| {
        letters
            .iter()
            .map(|one| get(one).replace('\0', "\u{fffd}"))
            .collect::<Vec<_>>()
    };
    sqlx::query(sql)
        .bind(letters.iter().map(|one| one.id).collect::<Vec<_>>())
        .bind(letters.iter().map(|one| one.received_at).collect::<Vec<_>>())
        .bind(letters.iter().map(|one| one.server_id).collect::<Vec<_>>())
        .bind(text(|one| &one.server_name))
        .bind(
            letters
                .iter()
                .map(|one| one.event_id.as_ref().map(|id| id.replace('\0', "\u{fffd}")))
                .collect::<Vec<_>>(),
        )
        .bind(text(|one| &one.error))
        .bind(text(|one| &one.detail))
        .bind(text(|one| &one.event_json))
        .bind(text(|one| &one.request_id))
        .execute(db.connection.get_postgres_connection_pool())
        .await?;
    Ok(())
}
