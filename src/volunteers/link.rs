//! Linking devices: one shows a code, the other one uses it.

use jiff::Timestamp;
use uuid::Uuid;

use super::{CODE_LIFETIME, CODES_MAX, code::Code, departure, queries};
use crate::{
    accounts::{Token, TokenKeys, Volunteer, forgotten},
    db::{Db, DbError},
    http::Problem,
};

/// Makes a code for a volunteer, and says until when it can be used.
pub async fn make_code(
    db: &Db,
    keys: &TokenKeys,
    volunteer_id: Uuid,
) -> Result<(Code, Timestamp), DbError> {
    let code = Code::random();
    let conn = db.get().await?;
    let lifetime = CODE_LIFETIME.as_secs_f64();
    let hash = code.hash(keys);
    let expires_at = queries::codes::make(&*conn, volunteer_id, &hash, lifetime, CODES_MAX).await?;
    Ok((code, expires_at))
}

/// What came of a code.
pub enum Used {
    /// The volunteer that the device is from now on.
    Linked(Token),
    /// There is no such code that can be used.
    NoSuchCode,
}

/// Makes a device the volunteer who made the code. Whatever it was before is joined to that volunteer.
///
/// The same attempt can be repeated as long as the code lasts.
pub async fn use_code(
    db: &Db,
    keys: &TokenKeys,
    code: &Code,
    device: Option<Volunteer>,
    attempt: Option<Uuid>,
) -> Result<Used, Problem> {
    let mut conn = db.get().await?;
    let tx = conn.begin().await?;
    queries::take_turn(&tx).await?;
    let hash = code.hash(keys);
    let Some(found) = queries::codes::find(&tx, &hash).await? else {
        return Ok(Used::NoSuchCode);
    };
    let Some(target) = departure::present(&tx, found.volunteer_id).await? else {
        return Ok(Used::NoSuchCode);
    };
    let device = match device {
        None => None,
        Some(known) => match departure::present(&tx, known.id).await? {
            // The database knows best, but for the mark of a token that never departed.
            Some(present) if present.id == known.id => Some(known),
            Some(present) => Some(present),
            None => return Err(forgotten()),
        },
    };
    let linked = |mark| {
        Used::Linked(Token {
            volunteer: target.id,
            mark,
        })
    };
    if let Some(device) = device.filter(|device| device.id == target.id) {
        return Ok(linked(device.mark));
    }
    if let Some(mark) = found.used {
        let again = attempt.is_some() && attempt == found.attempt;
        return Ok(if again {
            linked(mark)
        } else {
            Used::NoSuchCode
        });
    }
    let mark = match device {
        Some(device) => departure::join(&tx, device, target.id).await?,
        None => departure::new_mark(&[0].into()),
    };
    queries::codes::mark_used(&tx, &hash, attempt, mark).await?;
    tx.commit().await?;
    Ok(linked(mark))
}

/// Deletes codes that cannot be used any more; says whether there may be more of them.
pub async fn forget_codes(db: &Db) -> Result<bool, DbError> {
    const AT_MOST: i64 = 10_000;
    let forgotten = queries::codes::delete_ended(&*db.get().await?, AT_MOST).await?;
    Ok(i64::try_from(forgotten).unwrap_or(i64::MAX) >= AT_MOST)
}
