//! Downloads: all tags or looks of a campaign as one file, streamed piece by piece.
//!
//! **Invariant:** memory and the time for which a connection is held do not depend on the size:
//! each piece is one short statement that goes on after the last row of the piece before.
//!
//! **Invariant:** a row is in the file at most once, and every row that was received before the
//! download began and still stands is in it. When it breaks off, the transfer ends with an
//! error, never as if it were whole.

mod file;
mod handlers;
mod stream;

pub use handlers::routes;
