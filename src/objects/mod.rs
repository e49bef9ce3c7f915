//! The object store: tiles and exports. A folder, or a bucket of a service that speaks S3.
//!
//! **Invariant:** an object is created whole, once, and never changed. A store that would write over
//! one that is there is refused when the process starts.

mod folder;
mod in_memory;

use std::{ops::Deref, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use bytes::Bytes;
use object_store::{
    ClientConfigKey, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    path,
    prefix::PrefixStore,
};

use crate::clock::Clock;
pub use folder::Folder;

/// How the address of a bucket begins.
const BUCKET: &str = "s3://";
/// Longest wait for a connection to the service.
const CONNECT_WAIT: &str = "2s";
/// Longest wait for an answer of the service.
const ANSWER_WAIT: &str = "5s";
/// A request that failed for a passing reason is sent again so often …
const RETRIES: usize = 2;
/// … and not after this time.
const RETRY_WAIT: Duration = Duration::from_secs(5);
/// The object by which a store is tried.
const TRIAL: &str = "checks/created-once";

/// The object store of a process. Cheap to clone.
#[derive(Clone)]
pub enum Objects {
    Folder(Arc<Folder>),
    Bucket(Arc<dyn ObjectStore>),
}

impl Objects {
    /// A whole object, if this machine has it in memory, without waiting for anything.
    pub fn at_hand(&self, location: &path::Path) -> Option<Bytes> {
        match self {
            Self::Folder(folder) => folder.at_hand(location),
            Self::Bucket(_) => None,
        }
    }
}

impl Deref for Objects {
    type Target = dyn ObjectStore;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Folder(folder) => &**folder,
            Self::Bucket(bucket) => &**bucket,
        }
    }
}

/// The folder that an address names; `None` for a bucket.
pub fn local(address: &str) -> Option<&Path> {
    (!address.contains("://")).then(|| Path::new(address))
}

/// Opens the store at an address, `s3://bucket/prefix` or a folder, and tries whether it creates
/// objects once. A service that does not answer is no reason not to start.
pub async fn open(address: &str, clock: &Clock) -> anyhow::Result<Objects> {
    let store = match address.strip_prefix(BUCKET) {
        Some(place) => Objects::Bucket(bucket(place)?),
        None if address.contains("://") => {
            bail!("STORE must be a folder or {BUCKET}bucket/prefix; found {address:?}")
        }
        None => Objects::Folder(Arc::new(folder(Path::new(address), clock)?)),
    };
    check(&*store)
        .await
        .with_context(|| format!("STORE: {address} cannot be used"))?;
    Ok(store)
}

/// Makes the folder if it is missing.
fn folder(folder: &Path, clock: &Clock) -> anyhow::Result<Folder> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("STORE: cannot make the folder {}", folder.display()))?;
    Folder::open(folder, clock.clone())
        .with_context(|| format!("STORE: cannot open the folder {}", folder.display()))
}

/// Where the service is and who we are there stands in the environment, as for every client of S3.
fn bucket(place: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let mut builder = AmazonS3Builder::from_env();
    let plain = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .find_map(|key| builder.get_config_value(key))
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    for (key, value) in [
        (ClientConfigKey::ConnectTimeout, CONNECT_WAIT),
        (ClientConfigKey::Timeout, ANSWER_WAIT),
        (
            ClientConfigKey::AllowHttp,
            if plain { "true" } else { "false" },
        ),
    ] {
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_retry(RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_WAIT,
            ..RetryConfig::default()
        })
        .build()
        .with_context(|| format!("STORE: {BUCKET}{place} and the settings AWS_…"))?;
    let prefix = path::Path::parse(prefix.trim_end_matches('/'))
        .with_context(|| format!("STORE: the prefix of {BUCKET}{place}"))?;
    Ok(if prefix.is_root() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    })
}

/// Some services that speak S3 take no notice of `If-None-Match` and write over what is there.
async fn check(store: &dyn ObjectStore) -> anyhow::Result<()> {
    let trial = path::Path::from(TRIAL);
    let create = || store.put_opts(&trial, "".into(), PutOptions::from(PutMode::Create));
    let created = match create().await {
        Ok(_) => create().await,
        other => other,
    };
    match created {
        Err(Error::AlreadyExists { .. }) => Ok(()),
        Ok(_) => bail!(
            "it writes over objects that are there (If-None-Match: * is not honoured by the service); \
             use a service or a version that does"
        ),
        Err(error @ (Error::Generic { .. } | Error::NotImplemented { .. })) => {
            // Whether it is away, or answers but does not know how to create.
            match store.head(&path::Path::from("checks/nothing")).await {
                Ok(_) | Err(Error::NotFound { .. }) => {
                    Err(error).context("it answers, but does not create objects")
                }
                Err(_) => {
                    tracing::warn!(
                        cause = %error,
                        "the object store does not answer; until it does, tiles that this process does not hold fail"
                    );
                    Ok(())
                }
            }
        }
        Err(error) => Err(error.into()),
    }
}
