//! Volunteers as persons: devices that become one volunteer, all that belongs to one as a file, and
//! being forgotten.
//!
//! **Invariant:** a look that was acknowledged is one volunteer's, once, whatever devices are linked
//! and when; each cell still counts distinct volunteers.
//!
//! **Invariant:** of who was forgotten nothing stays but a hash of the id: no look, no tag, in no
//! number, also of what was on its way when they asked. Every server refuses their tokens
//! within two seconds.
//!
//! **Invariant:** a link code is used once. It is kept as a keyed hash, and wrong ones are limited
//! before they are looked up.

mod code;
mod departure;
mod export;
mod handlers;
mod job;
mod link;
mod queries;

use std::time::Duration;

pub use departure::{forget, of_any};
pub use export::Export;
pub use handlers::routes;
pub use job::step;
pub use link::forget_codes;

/// How long a link code can be used.
const CODE_LIFETIME: Duration = Duration::from_mins(10);
/// Codes of one volunteer that can be used; one more ends the oldest.
const CODES_MAX: i64 = 5;
/// Volunteers that one volunteer can take in.
const JOINED_MAX: i64 = 100;
/// Looks that leave in one transaction.
const PIECE_LOOKS: i64 = 500;
/// After a departure it is looked for so long whether something more was stored under the id. The
/// longest call, a batch of looks over a slow line, takes ten minutes, and a server knows of a
/// departure after two seconds.
const WATCHED_FOR: Duration = Duration::from_mins(15);
/// Shortest and longest time until the next look; in between it is as long as the time that has gone by.
const WATCHED_AFTER_MIN: Duration = Duration::from_secs(2);
const WATCHED_AFTER_MAX: Duration = Duration::from_mins(2);
