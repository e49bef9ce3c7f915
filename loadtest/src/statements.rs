//! How many SQL statements the servers ran, as PostgreSQL counts them.

use anyhow::Context;
use tokio_postgres::{Client, NoTls};

/// The role of the servers, so that their statements can be told from the worker's and ours.
pub const ROLE: &str = "loadtest_server";

pub struct Statements {
    client: Client,
}

/// One statement by the name in its first line.
#[derive(Clone, Debug)]
pub struct Counted {
    pub name: String,
    pub calls: i64,
    /// Time in the database, in milliseconds.
    pub total_ms: f64,
}

pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("DATABASE_URL")?;
    tokio::spawn(connection);
    Ok(client)
}

impl Statements {
    /// PostgreSQL must have been started with the library.
    pub async fn begin(url: &str) -> anyhow::Result<Self> {
        let client = connect(url).await?;
        client
            .batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            .await
            .context("pg_stat_statements (Debian has it in the package of PostgreSQL)")?;
        Ok(Self { client })
    }

    pub async fn reset(&self) -> anyhow::Result<()> {
        self.client
            .batch_execute("SELECT pg_stat_statements_reset()")
            .await?;
        Ok(())
    }

    /// Everything that the servers ran since, most frequent first.
    pub async fn read(&self) -> anyhow::Result<Vec<Counted>> {
        self.of(true).await
    }

    /// Everything that the worker ran since, most time first.
    pub async fn read_of_worker(&self) -> anyhow::Result<Vec<Counted>> {
        let mut statements = self.of(false).await?;
        statements.sort_by(|one, other| other.total_ms.total_cmp(&one.total_ms));
        Ok(statements)
    }

    async fn of(&self, servers: bool) -> anyhow::Result<Vec<Counted>> {
        let sql = "SELECT ltrim(split_part(s.query, E'\\n', 1), '- ') AS name,
                          sum(s.calls)::int8 AS calls, sum(s.total_exec_time) AS total_ms
                   FROM pg_stat_statements AS s
                   JOIN pg_roles AS r ON r.oid = s.userid
                   WHERE (r.rolname = $1) = $2
                   GROUP BY 1
                   ORDER BY 2 DESC";
        let rows = self.client.query(sql, &[&ROLE, &servers]).await?;
        Ok(rows
            .iter()
            .map(|row| Counted {
                name: row.get("name"),
                calls: row.get("calls"),
                total_ms: row.get("total_ms"),
            })
            .collect())
    }
}
