//! The yardstick of single looks: `pgbench` with the same two rows in one prepared statement.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::{campaign, measure::Measured, place::Place};

const CLIENTS: u16 = 32;

pub struct Pgbench {
    script: PathBuf,
    url: String,
}

impl Pgbench {
    /// Rows of this campaign, whose edge has so many cells.
    pub fn new(place: &Place, campaign_id: &str, edge: u32) -> anyhow::Result<Self> {
        let script = place.folder().join("looks.pgbench");
        fs::write(&script, text(campaign_id, edge))?;
        Ok(Self {
            script,
            url: place.setting("DATABASE_URL")?.to_owned(),
        })
    }

    pub async fn run(&self, duration: Duration) -> anyhow::Result<Measured> {
        let cores = std::thread::available_parallelism()?.get();
        let output = Command::new("pgbench")
            .args(["--no-vacuum", "--protocol=prepared"])
            .args([
                format!("--client={CLIENTS}"),
                format!("--jobs={cores}"),
                format!("--time={}", duration.as_secs().max(1)),
            ])
            .arg("--file")
            .arg(&self.script)
            .arg(&self.url)
            .output()
            .await
            .context("pgbench (Debian has it in the package of PostgreSQL)")?;
        let told = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "pgbench: {told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let number = |begin: &str| -> anyhow::Result<f64> {
            let line = told.lines().find_map(|line| line.strip_prefix(begin));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            Ok(word
                .with_context(|| format!("pgbench told no {begin}: {told}"))?
                .parse()?)
        };
        let per_second = number("tps = ")?;
        Ok(Measured {
            per_second,
            ..Measured::default()
        })
    }
}

fn text(campaign_id: &str, edge: u32) -> String {
    let first = campaign::cell(0, 0);
    let (x, y) = (first.x, first.y);
    let zoom = first.z;
    format!(
        r"\set volunteer random(1, 10000)
\set x random({x}, {x} + {edge} - 1)
\set y random({y}, {y} + {edge} - 1)
\set cell (({zoom} << 58) | (:x << 29) | :y)
\set lon (:x + 0.5) / {across}.0 * 360.0 - 180.0
\set lat random(0, 8000000) / 1000000.0
WITH new_look AS (
    INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
    VALUES (('00000000-0000-4000-8000-' || lpad(:volunteer::text, 12, '0'))::uuid, gen_random_uuid(), '{campaign_id}', :cell,
            'tagged', 1, '2026-11-23T07:00:00Z', '2026-11-23T07:00:09.5Z',
            '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')
    RETURNING volunteer_id, id
)
INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, note, campaign_version)
SELECT l.volunteer_id, gen_random_uuid(), l.id, '{campaign_id}', :cell, 'wreckage',
       ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), NULL, 1
FROM new_look AS l;
",
        across = 1_u32 << zoom
    )
}
