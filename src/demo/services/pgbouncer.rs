//! PgBouncer in transaction mode, for any database of the private PostgreSQL.

use std::path::Path;

use rustix::process::Signal;

use super::{
    super::{
        children::Children,
        folder::{Folder, write_private},
        ports::Ports,
        tools::{self, Account},
    },
    postgres::{DATABASE, Postgres, USER},
};

const NAME: &str = "pgbouncer";

/// Starts it and gives its URL.
pub async fn start(
    folder: &Folder,
    account: &Account,
    place: &Path,
    postgres: &Postgres,
    ports: &mut Ports<'_>,
    children: &mut Children,
) -> anyhow::Result<String> {
    let port = ports.choose(NAME)?;
    let (settings, users) = (place.join("pgbouncer.ini"), place.join("pgbouncer.users"));
    write_private(&users, &format!("\"{USER}\" \"{}\"\n", postgres.password))?;
    // Few server connections for many clients, so that clients do meet each other's leavings; and
    // none kept for long, so that a test can drop its database. A database that is away is said
    // to be so within seconds, not after the two minutes that are the default.
    write_private(
        &settings,
        &format!(
            "[databases]\n\
         * = host=127.0.0.1 port={}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {}\n\
         pool_mode = transaction\n\
         default_pool_size = 4\n\
         max_client_conn = 2000\n\
         server_idle_timeout = 5\n\
         autodb_idle_timeout = 5\n\
         query_wait_timeout = 5\n\
         server_login_retry = 1\n\
         log_connections = 0\n\
         log_disconnections = 0\n\
         log_stats = 0\n",
            postgres.port,
            users.display()
        ),
    )?;
    account.own(&users)?;
    account.own(&settings)?;
    let mut command = account.command(&tools::program(NAME)?, "TERM");
    command.arg(&settings);
    let log = super::log_file(folder, NAME)?;
    command.stdout(log.try_clone()?).stderr(log);
    children.start(NAME, command, Signal::TERM)?;
    super::wait_for_port(NAME, port, folder, children).await?;
    Ok(format!(
        "postgres://{USER}:{}@127.0.0.1:{port}/{DATABASE}",
        postgres.password
    ))
}
