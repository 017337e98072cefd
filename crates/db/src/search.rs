//! What a few characters may mean: VPN users, sessions, VPN servers.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Order};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::entities::{vpn_server, vpn_session, vpn_user};
use crate::sessions::{SessionRow, find_many};
use crate::vpn_users::search_condition;
use crate::{Db, Error};

/// VPN users whose common name, full name or e-mail has `text`, those that begin with it first.
pub async fn users(db: &Db, text: &str, limit: u64) -> Result<Vec<vpn_user::Model>, Error> {
    let begins = Expr::expr(Expr::cust("lower(common_name)")).like(format!("{}%", escaped(&text.to_lowercase())));
    let users = vpn_user::Entity::find()
        .filter(search_condition(text))
        .order_by(begins, Order::Desc)
        .order_by_asc(vpn_user::Column::CommonName);
    Ok(users.limit(limit).all(&db.connection).await?)
}

/// Servers whose name or description has `text`, by name.
pub async fn servers(db: &Db, text: &str, limit: u64) -> Result<Vec<vpn_server::Model>, Error> {
    let pattern = format!("%{}%", escaped(&text.to_lowercase()));
    let has = |column: &'static str| Expr::expr(Expr::cust(format!("lower({column})"))).like(pattern.clone());
    let servers = vpn_server::Entity::find().filter(Condition::any().add(has("name")).add(has("description")));
    Ok(servers
        .order_by_asc(vpn_server::Column::Name)
        .limit(limit)
        .all(&db.connection)
        .await?)
}

/// Sessions whose id begins with these hexadecimal digits (hyphens are ignored); none for what is no such beginning.
pub async fn sessions(db: &Db, text: &str, limit: u64) -> Result<Vec<SessionRow>, Error> {
    let Some((first, last)) = id_range(text) else {
        return Ok(Vec::new());
    };
    let ids: Vec<Uuid> = vpn_session::Entity::find()
        .select_only()
        .column(vpn_session::Column::Id)
        .filter(vpn_session::Column::Id.between(first, last))
        .order_by_asc(vpn_session::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(&db.connection)
        .await?;
    find_many(db, &ids).await
}

/// Fewer digits name too many sessions.
const FEWEST_DIGITS: usize = 8;

fn id_range(text: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_beginning = (FEWEST_DIGITS..=32).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit());
    let padded = |with: &str| Uuid::try_parse(&format!("{digits}{}", with.repeat(32 - digits.len()))).ok();
    if is_beginning {
        Some((padded("0")?, padded("f")?))
    } else {
        None
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_of_an_id_are_enough() {
        let whole = "0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        let id: Uuid = whole.parse().unwrap();
        assert_eq!(id_range(whole), Some((id, id)));
        let (first, last) = id_range("0189A1b2").unwrap();
        assert!(first < id && last > id);
        assert!(id_range("0189a1b2-c3").is_some());
        for text in [
            "0189a1b",
            "0189a1bz",
            "jdoe@example.com",
            "",
            "0189a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b0",
            "ａａａａａａａａ",
        ] {
            assert_eq!(id_range(text), None, "{text}");
        }
    }
}
