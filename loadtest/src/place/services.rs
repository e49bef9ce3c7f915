//! The services, to be ended at the worst moment. `spotter dev --revive` starts them again.

use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    Place,
    process::{child_of, signal},
};
use crate::statements;

/// Longest wait until a service that was ended is there again.
const REVIVAL_WAIT: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    Memcached,
    PgBouncer,
    Postgres,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Memcached => "memcached",
            Self::PgBouncer => "pgbouncer",
            Self::Postgres => "postgres",
        }
    }
}

impl Place {
    /// Ends a service by this signal and waits until it serves again.
    pub async fn restart(&self, service: Service, by: Signal) -> anyhow::Result<()> {
        let parent = self.services.id()?;
        let before = child_of(parent, service.name())?;
        signal(before, by)?;
        let again = async {
            loop {
                let now = child_of(parent, service.name());
                if now.is_ok_and(|now| now != before) && self.serves(service).await {
                    return;
                }
                tokio::time::sleep(STEP).await;
            }
        };
        tokio::time::timeout(REVIVAL_WAIT, again)
            .await
            .with_context(|| format!("{} does not come back", service.name()))
    }

    async fn serves(&self, service: Service) -> bool {
        let setting = match service {
            Service::Memcached => return self.ask_memcached("version").await.is_ok(),
            Service::PgBouncer => "PGBOUNCER_URL",
            Service::Postgres => "DATABASE_URL",
        };
        let Ok(url) = self.setting(setting) else {
            return false;
        };
        match statements::connect(url).await {
            Ok(client) => client.batch_execute("SELECT 1").await.is_ok(),
            Err(_) => false,
        }
    }

    /// Makes memcached forget everything.
    pub async fn flush_memcached(&self) -> anyhow::Result<()> {
        let answer = self.ask_memcached("flush_all").await?;
        ensure!(answer == "OK", "flush_all was answered {answer:?}");
        Ok(())
    }

    async fn ask_memcached(&self, command: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(self.setting("MEMCACHED")?).await?;
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .await?;
        let mut answer = [0; 64];
        let bytes = stream.read(&mut answer).await?;
        ensure!(bytes > 0, "memcached hung up");
        let answer = String::from_utf8_lossy(answer.get(..bytes).unwrap_or_default());
        Ok(answer.trim().to_owned())
    }
}
