//! Ports for the services: free ones at loopback, the same in each run where possible.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
};

use anyhow::Context;
use rand::Rng;

use super::folder::{Folder, write_private};

/// Below the range from which the kernel gives ports to outgoing connections (32768 on), so that
/// none of these takes a service's port while it is stopped.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
const TRIES: usize = 200;

/// The ports of one state folder, by service.
pub struct Ports<'a> {
    folder: &'a Folder,
    kept: BTreeMap<String, u16>,
}

impl<'a> Ports<'a> {
    pub fn open(folder: &'a Folder) -> Self {
        // A file that cannot be read costs new ports, no more.
        let kept = std::fs::read_to_string(folder.join("ports.json"))
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Self { folder, kept }
    }

    /// A free port for a service to listen at.
    pub fn choose(&mut self, service: &str) -> anyhow::Result<u16> {
        self.bind(service)?
            .local_addr()
            .map(|address| address.port())
            .context("a port")
    }

    /// The same, already listening.
    pub fn bind(&mut self, service: &str) -> anyhow::Result<TcpListener> {
        let kept = self.kept.get(service).copied();
        let mut rng = rand::rng();
        let candidates = kept
            .into_iter()
            .chain(std::iter::repeat_with(|| rng.random_range(RANGE)).take(TRIES));
        for port in candidates {
            if self
                .kept
                .iter()
                .any(|(other, taken)| other != service && *taken == port)
            {
                continue;
            }
            let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
                continue;
            };
            if kept != Some(port) {
                self.kept.insert(service.to_owned(), port);
                write_private(
                    &self.folder.join("ports.json"),
                    &serde_json::to_string(&self.kept)?,
                )?;
            }
            return Ok(listener);
        }
        anyhow::bail!(
            "found no free port for {service} between {} and {}",
            RANGE.start,
            RANGE.end
        )
    }
}
