//! Organisers' API keys: `spk_<prefix>_<secret>`.

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::queries;
use crate::db::Db;

const PREFIX_CHARS: usize = 8;
/// 256 random bits.
const SECRET_BYTES: usize = 32;
/// Characters of an organiser's name.
const NAME_CHARS_MAX: usize = 100;

/// What a key allows.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Define and steer campaigns.
    Campaigns,
    /// Define imagery layers.
    Imagery,
    /// Read drafts and what volunteers tagged.
    Read,
    /// Manage organisers.
    Admin,
}

impl Scope {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaigns => "campaigns",
            Self::Imagery => "imagery",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// A key as it is shown, once.
pub struct ApiKey(String);

impl ApiKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key as it is listed.
#[derive(Clone, Debug, Serialize)]
pub struct KeyRow {
    pub prefix: String,
    pub organiser: String,
    pub scopes: Vec<String>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Makes an organiser with one key.
pub async fn create(db: &Db, name: &str, scopes: &[Scope]) -> anyhow::Result<ApiKey> {
    let chars = name.trim().chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.contains('\0') {
        bail!("--name must have 1 to {NAME_CHARS_MAX} characters");
    }
    let prefix: String = {
        let mut rng = rand::rng();
        (0..PREFIX_CHARS)
            .map(|_| char::from(rng.sample(rand::distr::Alphanumeric)))
            .collect()
    };
    let mut secret = [0_u8; SECRET_BYTES];
    rand::rng().fill(&mut secret);
    let key = format!("spk_{prefix}_{}", URL_SAFE_NO_PAD.encode(secret));
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let conn = db.get().await?;
    queries::insert_organiser(&*conn, name.trim(), &prefix, &hash(&key), &scopes)
        .await
        .context("storing the key")?;
    Ok(ApiKey(key))
}

pub async fn list(db: &Db) -> anyhow::Result<Vec<KeyRow>> {
    Ok(queries::list_keys(&*db.get().await?).await?)
}

/// Revokes the key with this prefix (or whole key); fails if there is none.
pub async fn revoke(db: &Db, key: &str) -> anyhow::Result<()> {
    let prefix = prefix_of(key).unwrap_or(key);
    if queries::revoke_key(&*db.get().await?, prefix).await? == 0 {
        bail!("there is no key {prefix} that is not revoked; `spotter organiser list` shows them");
    }
    Ok(())
}

/// The public part of a whole key.
pub(super) fn prefix_of(key: &str) -> Option<&str> {
    let (prefix, _) = key.strip_prefix("spk_")?.split_once('_')?;
    Some(prefix)
}

pub(super) fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// A key that was found valid.
#[derive(Clone, Debug)]
pub(super) struct KnownKey {
    pub id: Uuid,
    pub organiser_id: Uuid,
    pub name: String,
    pub secret_hash: Vec<u8>,
    pub scopes: Vec<String>,
}
