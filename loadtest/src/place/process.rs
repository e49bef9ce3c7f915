//! A child process that says when it is ready. It ends with us.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::measure::Random;

/// Longest wait for a process to be ready, or to end.
const PATIENCE: Duration = Duration::from_mins(2);

/// A child that said that it is ready.
pub struct Process {
    child: Child,
    /// Where it listens, when it does.
    pub address: String,
    /// Kept open, so that the child can write.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Waits until the process writes a line that begins so; the rest of it is the address.
    pub async fn start(mut command: Command, ready: &str) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let waiting = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(rest) = line.strip_prefix(ready) {
                    return Ok(rest.trim_start_matches("http://").to_owned());
                }
            }
            anyhow::bail!("it ended before it was ready; it was to write {ready:?}")
        };
        let address = tokio::time::timeout(PATIENCE, waiting)
            .await
            .context("a process is not ready")??;
        Ok(Self {
            child,
            address,
            _stdout: lines,
        })
    }

    pub fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("a process ended by itself")
    }

    /// Asks it to stop and waits for its end.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        if let Some(id) = self.child.id() {
            signal(id, Signal::TERM)?;
        }
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("a process does not end")??;
        Ok(())
    }

    /// Ends it at once, as the kernel does when memory is short (`SIGKILL`).
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("a process to be killed")
    }

    /// Bytes of memory that it has in use.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kilobytes.context("VmRSS")? * 1024)
    }
}

/// The process of this name that the process `parent` started.
pub fn child_of(parent: u32, name: &str) -> anyhow::Result<u32> {
    let found = fs::read_dir("/proc")?.find_map(|entry| {
        let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (command, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let its_parent: u32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (command == name && its_parent == parent).then_some(id)
    });
    found.with_context(|| format!("{name} does not run"))
}

pub fn signal(id: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(pid.context("a process's number")?, signal)?;
    Ok(())
}

/// A command that is signalled should we be killed, and is killed when its handle is dropped.
pub fn dying_with_us(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig=TERM", "--"])
        .arg(program)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// This program in another role, with these arguments.
pub async fn ourselves(arguments: &[&OsStr]) -> anyhow::Result<Process> {
    let mut command = dying_with_us(std::env::current_exe()?);
    command.args(arguments);
    Process::start(command, "serving at ").await
}

/// A port that nobody listens at. It is below those that the kernel gives to outgoing connections, so
/// that none of these takes it while whoever listens there is away.
pub fn free_port(seed: u64) -> anyhow::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: usize = 12_000;
    const TRIES: usize = 200;
    let mut random = Random::new(seed ^ u64::from(std::process::id()));
    for _ in 0..TRIES {
        let port = FIRST + u16::try_from(random.below(COUNT))?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("found no free port")
}

/// Lets this process and its children have as many files open as the system permits, which must
/// be enough for so many connections.
pub fn allow_connections(wanted: u64) -> anyhow::Result<()> {
    /// What else a server and we have open.
    const OTHERS: u64 = 300;
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)?;
    let permitted = limit.maximum.unwrap_or(u64::MAX);
    ensure!(
        permitted >= wanted + OTHERS,
        "{wanted} connections need more open files than the {permitted} that are permitted: raise the hard limit (ulimit -Hn)"
    );
    Ok(())
}
