//! Who calls: volunteers with signed tokens, organisers with API keys.
//!
//! **Invariant:** a volunteer has no row and no raw IP address is stored: the token itself says
//! who it is, and the signature that we said so. Only who departed is written down (`departed`).
//!
//! **Invariant:** who has a device's secret is its volunteer, at every server; nobody else can be, since the
//! secret is 256 random bits and the id a keyed hash of it.
//!
//! **Invariant:** a key is shown once, when it is made; only its hash is stored.

mod api_key;
mod credentials;
mod departed;
mod device;
mod extract;
mod handlers;
mod line;
mod queries;
mod token;

pub use api_key::{ApiKey, KeyRow, Scope, create, list, revoke};
pub use credentials::{Claimed, claimed};
pub use departed::{Departed, Standing, departure_hash};
pub use device::DeviceSecret;
pub use extract::{KeyFound, MaybeVolunteer, Organiser, Viewer, Volunteer, forgotten};
pub use handlers::{SignedUp, routes};
pub use line::LetIn;
pub use queries::formerly;
pub use token::{Token, TokenKeys};
