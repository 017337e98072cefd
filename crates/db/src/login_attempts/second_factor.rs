use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::judge::{Outcome, Past, refuse};
use super::{LockoutRules, LoginAttempt};
use crate::audit::Actor;
use crate::entities::login_attempt as table;
use crate::transaction::in_transaction;
use crate::{Db, Error};

/// How a second factor failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// None was given: the user is asked for one. No failure.
    Missing,
    Wrong,
}

/// Notes that the attempt with the right password did not bring the right code. A wrong code counts as a failure and is
/// audited.
pub async fn second_factor_failed(
    db: &Db,
    attempt_id: i64,
    attempt: LoginAttempt,
    failed: SecondFactor,
    rules: LockoutRules,
    actor: Actor,
) -> Result<(), Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let past = Past::lock(change, &attempt, rules).await?;
            let locks = failed == SecondFactor::Wrong && past.failures + 1 >= rules.failures;
            let outcome = match failed {
                SecondFactor::Missing => "otp_required",
                SecondFactor::Wrong => Outcome::WrongOtp.as_str(),
            };
            table::Entity::update_many()
                .col_expr(table::Column::Outcome, Expr::value(outcome))
                .col_expr(
                    table::Column::LockedUntil,
                    Expr::value(locks.then_some(attempt.at + rules.lock)),
                )
                .filter(table::Column::Id.eq(attempt_id))
                .exec(change)
                .await?;
            match failed {
                SecondFactor::Missing => Ok(()),
                SecondFactor::Wrong => refuse(change, &attempt, Outcome::WrongOtp, locks, &actor).await,
            }
        })
    })
    .await
}
