//! A private memcached.

use rustix::process::Signal;

use super::super::{
    children::Children,
    folder::Folder,
    ports::Ports,
    tools::{self, Account},
};

const NAME: &str = "memcached";

/// Starts it and gives its address.
pub async fn start(
    folder: &Folder,
    account: &Account,
    ports: &mut Ports<'_>,
    children: &mut Children,
) -> anyhow::Result<String> {
    let port = ports.choose(NAME)?;
    let mut command = account.command(&tools::program(NAME)?, "TERM");
    // Its own switch of user (-u) would make the kernel forget the signal at our death.
    command.args([
        "-l",
        "127.0.0.1",
        "-p",
        &port.to_string(),
        "-U",
        "0",
        "-m",
        "64",
    ]);
    let log = super::log_file(folder, NAME)?;
    command.stdout(log.try_clone()?).stderr(log);
    children.start(NAME, command, Signal::TERM)?;
    super::wait_for_port(NAME, port, folder, children).await?;
    Ok(format!("127.0.0.1:{port}"))
}
