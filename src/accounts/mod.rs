//! Who calls: volunteers with signed tokens, organisers with API keys.
//!
//! **Invariant:** a volunteer has no row and no raw IP address is stored: the token itself says
//! who it is, and the signature that we said so.
//!
//! **Invariant:** a key is shown once, when it is made; only its hash is stored.

mod api_key;
mod credentials;
mod extract;
mod handlers;
mod line;
mod queries;
mod token;

pub use api_key::{ApiKey, KeyRow, Scope, create, list, revoke};
pub use credentials::{Claimed, claimed};
pub use extract::{KeyFound, MaybeVolunteer, Organiser, Viewer, Volunteer};
pub use handlers::{SignedUp, routes};
pub use line::LetIn;
pub use token::TokenKeys;
