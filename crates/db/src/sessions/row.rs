use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{EntityTrait, FromQueryResult, QuerySelect, Select};

use crate::entities::enums::UserType;
use crate::entities::{vpn_server, vpn_session, vpn_user};

/// A session with the names that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct SessionRow {
    #[sea_orm(nested)]
    pub session: vpn_session::Model,
    pub common_name: String,
    pub user_type: Option<UserType>,
    pub server_instance: String,
}

/// Sessions with their names. The names come from look-ups by key rather than joins, so that an export keeps the order of
/// the index it walks and begins at once.
pub(crate) fn select() -> Select<vpn_session::Entity> {
    vpn_session::Entity::find()
        .expr_as(
            of_user(Expr::col((vpn_user::Entity, vpn_user::Column::CommonName))),
            "common_name",
        )
        .expr_as(of_user(Expr::cust(r#""vpn_user"."user_type"::text"#)), "user_type")
        .expr_as(
            of_server(Expr::col((vpn_server::Entity, vpn_server::Column::Name))),
            "server_instance",
        )
}

pub(super) fn of_user(value: Expr) -> Expr {
    let key = Expr::col((vpn_user::Entity, vpn_user::Column::Id));
    let own = Expr::col((vpn_session::Entity, vpn_session::Column::VpnUserId));
    let lookup = Query::select()
        .expr(value)
        .from(vpn_user::Entity)
        .and_where(key.eq(own))
        .take();
    Expr::SubQuery(None, Box::new(lookup.into()))
}

pub(super) fn of_server(value: Expr) -> Expr {
    let key = Expr::col((vpn_server::Entity, vpn_server::Column::Id));
    let own = Expr::col((vpn_session::Entity, vpn_session::Column::ServerId));
    let lookup = Query::select()
        .expr(value)
        .from(vpn_server::Entity)
        .and_where(key.eq(own))
        .take();
    Expr::SubQuery(None, Box::new(lookup.into()))
}
