use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use serde_json::json;

use super::{LockoutRules, LoginAttempt, source_of};
use crate::audit::{self, Action, Actor, Entry};
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// What was found out about the typed username and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    UnknownUser,
    WrongPassword,
    /// The password is right, but the user may not log in.
    Inactive,
    /// The password is right.
    Right {
        /// A code is still to be checked.
        second_factor: bool,
    },
}

/// Whether the attempt may go on. Refusals have to look all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Refused,
    Passed { attempt_id: i64 },
}

/// Records an attempt and judges it by the ones before: while the account is locked for this source, right credentials are
/// refused like wrong ones. A refusal is audited, and so is the lockout that it may bring. All refusals cost the same.
pub async fn judge(
    db: &Db,
    attempt: LoginAttempt,
    credentials: Credentials,
    rules: LockoutRules,
    actor: Actor,
) -> Result<Judgement, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let past = Past::lock(change, &attempt, rules).await?;
            let outcome = past.outcome(credentials, rules);
            let locks = outcome.is_failure() && past.failures + 1 >= rules.failures;
            let attempt_id = insert(change, &attempt, outcome, locks.then_some(rules)).await?;
            if outcome.is_refusal() {
                refuse(change, &attempt, outcome, locks, &actor).await?;
                return Ok(Judgement::Refused);
            }
            Ok(Judgement::Passed { attempt_id })
        })
    })
    .await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    OtpPending,
    WrongOtp,
    WrongPassword,
    UnknownUser,
    Inactive,
    Locked,
}

impl Outcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::OtpPending => "otp_pending",
            Self::WrongOtp => "wrong_otp",
            Self::WrongPassword => "wrong_password",
            Self::UnknownUser => "unknown_user",
            Self::Inactive => "inactive",
            Self::Locked => "locked",
        }
    }

    /// What is refused while locked is no failure: the lock ends when it said it would.
    fn is_failure(self) -> bool {
        self.is_refusal() && self != Self::Locked
    }

    fn is_refusal(self) -> bool {
        !matches!(self, Self::Accepted | Self::OtpPending)
    }
}

/// $1 account, $2 source, $3 now, $4 start of the window, $5 how far back a lock can matter.
const PAST: &str = "WITH recent AS (SELECT id, at, outcome, locked_until FROM login_attempt \
        WHERE lower(coalesce(username, '')) = $1 AND source = $2::cidr AND at > $5 AND NOT forgiven), \
    counted AS (SELECT outcome FROM recent WHERE at > $4 AND id > coalesce((SELECT max(id) FROM recent \
        WHERE outcome = 'accepted' OR locked_until IS NOT NULL), 0)) \
    SELECT EXISTS (SELECT FROM recent WHERE locked_until > $3) AS locked, \
        (SELECT count(*) FROM counted WHERE outcome IN ('wrong_password', 'unknown_user', 'inactive', 'wrong_otp')) AS failures, \
        (SELECT count(*) FROM counted WHERE outcome = 'otp_pending') AS pending";

/// What came before, from the same source for the same account. Others of them wait until this transaction ends.
pub(super) struct Past {
    locked: bool,
    pub(super) failures: i64,
    /// Codes that are being checked right now: any of them may turn out to be a failure.
    pending: i64,
}

impl Past {
    pub(super) async fn lock(
        change: &DatabaseTransaction,
        attempt: &LoginAttempt,
        rules: LockoutRules,
    ) -> Result<Self, Error> {
        let (account, source) = (attempt.account(), source_of(attempt.ip_address).to_string());
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        let key = format!("login_attempt {account} {source}");
        change
            .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, lock, [key.into()]))
            .await?;
        let values = [
            account.into(),
            source.into(),
            attempt.at.into(),
            (attempt.at - rules.window).into(),
            (attempt.at - rules.window.max(rules.lock)).into(),
        ];
        let row = change
            .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, PAST, values))
            .await?
            .ok_or_else(|| Error::Corrupt("a SELECT without FROM gave no row".to_owned()))?;
        Ok(Self {
            locked: row.try_get("", "locked")?,
            failures: row.try_get("", "failures")?,
            pending: row.try_get("", "pending")?,
        })
    }

    fn outcome(&self, credentials: Credentials, rules: LockoutRules) -> Outcome {
        if self.locked {
            return Outcome::Locked;
        }
        match credentials {
            Credentials::UnknownUser => Outcome::UnknownUser,
            Credentials::WrongPassword => Outcome::WrongPassword,
            Credentials::Inactive => Outcome::Inactive,
            Credentials::Right { second_factor: false } => Outcome::Accepted,
            Credentials::Right { second_factor: true } if self.failures + self.pending >= rules.failures => {
                Outcome::Locked
            }
            Credentials::Right { second_factor: true } => Outcome::OtpPending,
        }
    }
}

const INSERT: &str = "INSERT INTO login_attempt \
    (at, username, portal_user_id, ip_address, source, user_agent, outcome, locked_until) \
    VALUES ($1, $2, $3, $4::inet, $5::cidr, $6, $7, $8) RETURNING id";

async fn insert(
    change: &DatabaseTransaction,
    attempt: &LoginAttempt,
    outcome: Outcome,
    lock: Option<LockoutRules>,
) -> Result<i64, Error> {
    let values = [
        attempt.at.into(),
        attempt.username.clone().into(),
        attempt.portal_user_id.into(),
        attempt.ip_address.map(|address| address.to_string()).into(),
        source_of(attempt.ip_address).to_string().into(),
        attempt.user_agent.clone().into(),
        outcome.as_str().into(),
        lock.map(|rules| attempt.at + rules.lock).into(),
    ];
    let row = change
        .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, INSERT, values))
        .await?
        .ok_or_else(|| Error::Corrupt("an INSERT gave no row".to_owned()))?;
    Ok(row.try_get("", "id")?)
}

pub(super) async fn refuse(
    change: &DatabaseTransaction,
    attempt: &LoginAttempt,
    outcome: Outcome,
    locks: bool,
    actor: &Actor,
) -> Result<(), Error> {
    let entry = |action, details| Entry {
        action,
        object_type: "portal_user",
        object_id: attempt.portal_user_id.map(|id| id.to_string()),
        details,
    };
    let failed = entry(Action::LoginFailed, json!({"reason": outcome.as_str()}));
    audit::append(change, actor, failed).await?;
    if locks {
        let source = source_of(attempt.ip_address).to_string();
        audit::append(change, actor, entry(Action::Lockout, json!({"source": source}))).await?;
    }
    Ok(())
}
