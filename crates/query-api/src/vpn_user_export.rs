//! `GET /api/vpn-users/export`: every VPN user that matches.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use audit_actor::Acting;
use db::Db;
use db::servers;
use db::vpn_users::{self, UserFilter, UserRow};
use domain::time_format::format_millis;
use service_kit::{Problem, ProblemBody, clock};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use crate::parameters::{And, Parameters, one_of};
use crate::table::{self, Cell, ExportFormat, Kind, Table, TableError, Workbook};
use crate::vpn_users::{UserFilterParams, VpnUserView, filter};
use crate::{State, exporting};

static KINDS: [Kind; 2] = [
    Kind {
        name: "vpn_user",
        sheet: "VPN users",
        columns: &[
            "vpn_user_id",
            "common_name",
            "full_name",
            "email",
            "contact_no",
            "vpn_status",
            "user_type",
            "business_status",
            "last_vpn_seen_at_utc",
            "cert_expiry_at_utc",
            "revoked_at_utc",
            "created_at_utc",
            "active_sessions",
            "total_sessions",
        ],
    },
    Kind {
        name: "end",
        sheet: "Coverage",
        columns: &["note"],
    },
];
const USER: usize = 0;
const END: usize = 1;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct UserExportParams {
    /// `csv`, also when not given, or `xlsx`.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// Export every VPN user that matches, by common name.
///
/// As CSV, `record_type` is `vpn_user`, then `end` once, which says what the export covers and how many events are missing;
/// a file without it is cut off. As workbook, these are the sheets `VPN users` and `Coverage`. Times are UTC.
#[utoipa::path(
    operation_id = "export_vpn_users",
    tag = "vpn-users",
    params(UserExportParams, UserFilterParams),
    responses(
        (status = 200, description = "CSV (RFC 4180, UTF-8) with a header row, or an Excel workbook", content(
            (String = "text/csv"),
            (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away, or too many exports run", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/vpn-users/export")]
pub(crate) async fn export_vpn_users(
    state: Data<State>,
    acting: Acting,
    parameters: Parameters<And<UserExportParams, UserFilterParams>>,
) -> Result<HttpResponse, Problem> {
    let format = parameters
        .value("format", "csv or xlsx", one_of)?
        .unwrap_or(ExportFormat::Csv);
    let filter = filter(&parameters)?;
    exporting::record(&state, acting, ("vpn_user", None), &format, &parameters).await?;
    let (sender, pieces) = mpsc::channel(1);
    tokio::spawn(read(state.exports.clone(), filter, sender));
    let now = clock::now();
    let mut export = UserExport {
        pieces,
        covers: exporting::covers("VPN users", &parameters),
        exported_at: now,
        users: 0,
    };
    table::answer(format, &KINDS, "vpn-users", now, move |table| export.step(table)).await
}

/// Rows of a piece.
const PIECE: u64 = 500;

enum Item {
    Users(Vec<UserRow>),
    /// Ranges of missing events, and how many events that are. The last piece.
    Gaps(u64, u64),
}

type Pieces = mpsc::Sender<Result<Item, db::Error>>;

async fn read(db: Db, filter: UserFilter, pieces: Pieces) {
    if let Err(error) = read_all(&db, &filter, &pieces).await {
        let _ = pieces.send(Err(error)).await;
    }
}

async fn read_all(db: &Db, filter: &UserFilter, pieces: &Pieces) -> Result<(), db::Error> {
    let mut last: Option<String> = None;
    loop {
        let users = vpn_users::next_users(db, filter, last.as_deref(), PIECE).await?;
        let Some(user) = users.last() else { break };
        last = Some(user.user.common_name.clone());
        if pieces.send(Ok(Item::Users(users))).await.is_err() {
            return Ok(());
        }
    }
    let servers = servers::list(db).await?;
    let gaps = servers.iter().map(|server| server.gaps);
    let (ranges, events) = gaps.fold((0, 0), |sum, gaps| (sum.0 + gaps.ranges, sum.1 + gaps.events));
    let _ = pieces.send(Ok(Item::Gaps(ranges, events))).await;
    Ok(())
}

struct UserExport {
    pieces: mpsc::Receiver<Result<Item, db::Error>>,
    covers: String,
    exported_at: OffsetDateTime,
    users: u64,
}

impl UserExport {
    fn step(&mut self, table: &mut Table) -> Result<bool, TableError> {
        match self.pieces.blocking_recv() {
            Some(Ok(Item::Users(users))) => {
                for user in users {
                    self.users += 1;
                    table.row(USER, &cells(user.into()))?;
                }
                Ok(true)
            }
            Some(Ok(Item::Gaps(ranges, events))) => {
                table.row(END, &[Cell::Text(self.note(ranges, events))])?;
                Ok(false)
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(TableError::Stopped),
        }
    }

    fn note(&self, ranges: u64, events: u64) -> String {
        let Self { covers, users, .. } = self;
        let exported_at = format_millis(self.exported_at);
        format!(
            "Complete: {covers}, as of {exported_at}; {users} VPN users; {events} events are missing in {ranges} gaps: \
             sessions may be missing from the counts; times are UTC."
        )
    }
}

fn cells(user: VpnUserView) -> [Cell; 14] {
    let count = |count: u64| Cell::Number(i64::try_from(count).unwrap_or(i64::MAX));
    [
        Cell::Number(user.id),
        Cell::Text(user.common_name),
        Cell::text(user.full_name),
        Cell::text(user.email),
        Cell::text(user.contact_no),
        Cell::name(&user.vpn_status),
        Cell::name(&user.user_type),
        Cell::name(&user.business_status),
        Cell::time(user.last_vpn_seen_at),
        Cell::time(user.cert_expiry_at),
        Cell::time(user.revoked_at),
        Cell::Time(user.created_at),
        count(user.active_sessions),
        count(user.total_sessions),
    ]
}
