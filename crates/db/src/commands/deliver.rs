//! What an agent is told to do: its open commands and the denials of its server.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Db, Error};

/// Whether there is something for the agent of a VPN server.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Waiting {
    pub server_id: i32,
    /// Commands to be delivered, perhaps again.
    pub has_commands: bool,
    pub denials_version: String,
}

/// A command on its way to an agent.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct DeliveredCommand {
    pub id: Uuid,
    pub kind: String,
    pub session_id: Uuid,
    pub common_name: String,
    pub expires_at: OffsetDateTime,
}

/// A denial that is in force.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct DenialInForce {
    pub id: Uuid,
    pub common_name: String,
    pub deny_until: OffsetDateTime,
}

/// Everything that the agent of one VPN server should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub commands: Vec<DeliveredCommand>,
    /// The whole list.
    pub denials: Vec<DenialInForce>,
    /// Another one whenever the list is another one; empty for the empty list.
    pub denials_version: String,
}

const WAITING: &str = "SELECT s.id AS server_id,
        EXISTS (SELECT FROM session_command c
            WHERE c.server_id = s.id AND c.state IN ('requested', 'delivered') AND c.expires_at > $2) AS has_commands,
        coalesce((SELECT md5(string_agg(d.id::text, ',' ORDER BY d.id)) FROM vpn_denial d
            WHERE d.server_id = s.id AND d.revoked_at IS NULL AND d.deny_until > $2), '') AS denials_version
    FROM unnest($1::integer[]) AS s (id)";

/// What is there for the agents of these servers, in one statement for all of them.
pub async fn waiting(db: &Db, server_ids: Vec<i32>, now: OffsetDateTime) -> Result<Vec<Waiting>, Error> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, WAITING, [server_ids.into(), now.into()]);
    Ok(Waiting::find_by_statement(statement).all(&db.connection).await?)
}

/// A delivery that was lost on its way is made again: handing a command out twice does no harm, an agent acts on each once.
const DELIVER: &str = "WITH open AS (
        SELECT id FROM session_command
        WHERE server_id = $1 AND state IN ('requested', 'delivered') AND expires_at > $2
        ORDER BY requested_at, id LIMIT $3
    ), taken AS (
        UPDATE session_command c SET state = 'delivered', delivered_at = $2
        FROM open WHERE c.id = open.id AND c.state = 'requested'
    )
    SELECT c.id, c.kind, c.session_id, u.common_name, c.expires_at
    FROM open JOIN session_command c USING (id) JOIN vpn_user u ON u.id = c.vpn_user_id
    ORDER BY c.requested_at, c.id";

const DENIALS: &str =
    "SELECT d.id, u.common_name, d.deny_until FROM vpn_denial d JOIN vpn_user u ON u.id = d.vpn_user_id
    WHERE d.server_id = $1 AND d.revoked_at IS NULL AND d.deny_until > $2 ORDER BY d.id";

/// Hands out at most `limit` commands, and the list of denials. `known_version` is that of the list which the agent has: it is
/// noted which of its denials are applied.
pub async fn deliver(
    db: &Db,
    server_id: i32,
    known_version: Option<&str>,
    limit: u32,
    now: OffsetDateTime,
) -> Result<Delivery, Error> {
    let of_server = |sql| Statement::from_sql_and_values(DbBackend::Postgres, sql, [server_id.into(), now.into()]);
    let values = [server_id.into(), now.into(), i64::from(limit).into()];
    let commands = Statement::from_sql_and_values(DbBackend::Postgres, DELIVER, values);
    let commands = DeliveredCommand::find_by_statement(commands)
        .all(&db.connection)
        .await?;
    let denials = DenialInForce::find_by_statement(of_server(DENIALS))
        .all(&db.connection)
        .await?;
    let denials_version = waiting(db, vec![server_id], now).await?.pop();
    let denials_version = denials_version
        .map(|waiting| waiting.denials_version)
        .unwrap_or_default();
    if !denials.is_empty() && known_version == Some(denials_version.as_str()) {
        let ids: Vec<Uuid> = denials.iter().map(|denial| denial.id).collect();
        let applied = "UPDATE vpn_denial SET applied_at = $2 WHERE id = ANY($1) AND applied_at IS NULL";
        let applied = Statement::from_sql_and_values(DbBackend::Postgres, applied, [ids.into(), now.into()]);
        db.connection.execute_raw(applied).await?;
    }
    Ok(Delivery {
        commands,
        denials,
        denials_version,
    })
}
