//! The processes that this one started.

use std::{
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a service may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(250);
/// How long a service that ended stays away before it is started again.
const REVIVAL_PAUSE: Duration = Duration::from_secs(1);

struct Child {
    name: &'static str,
    /// How it is started.
    command: tokio::process::Command,
    process: tokio::process::Child,
    end: Signal,
}

/// In the order in which they were started; they stop in the opposite one.
#[derive(Default)]
pub struct Children(Vec<Child>);

impl Children {
    /// Starts a service, which `end` asks to stop.
    pub fn start(
        &mut self,
        name: &'static str,
        command: Command,
        end: Signal,
    ) -> anyhow::Result<()> {
        let mut command = tokio::process::Command::from(command);
        let process = command.spawn().with_context(|| {
            format!("{name} could not be started (is the package util-linux there?)")
        })?;
        self.0.push(Child {
            name,
            command,
            process,
            end,
        });
        Ok(())
    }

    /// How a service ended, if it did.
    pub fn ended(&mut self, name: &str) -> Option<ExitStatus> {
        let child = self.0.iter_mut().find(|child| child.name == name)?;
        child.process.try_wait().ok().flatten()
    }

    /// Completes when a service ends that nobody asked to.
    pub async fn first_end(&mut self) -> String {
        loop {
            for child in &mut self.0 {
                if let Ok(Some(status)) = child.process.try_wait() {
                    return format!("{} ended by itself ({status})", child.name);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Starts each service again that ends, as a supervisor does. Completes when one cannot be started.
    pub async fn revive(&mut self) -> String {
        loop {
            for child in &mut self.0 {
                let Ok(Some(status)) = child.process.try_wait() else {
                    continue;
                };
                tracing::warn!(service = child.name, %status, "ended and is started again");
                tokio::time::sleep(REVIVAL_PAUSE).await;
                match child.command.spawn() {
                    Ok(process) => child.process = process,
                    Err(error) => {
                        return format!("{} cannot be started again ({error})", child.name);
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops all, the last one first, each within a bounded time.
    pub async fn stop(&mut self) {
        while let Some(mut child) = self.0.pop() {
            let Some(pid) = child
                .process
                .id()
                .and_then(|id| Pid::from_raw(id.cast_signed()))
            else {
                continue;
            };
            let _gone = kill_process(pid, child.end);
            if tokio::time::timeout(PATIENCE, child.process.wait())
                .await
                .is_err()
            {
                tracing::warn!(service = child.name, "did not stop in time and is killed");
                let _gone = kill_process_group(pid, Signal::KILL);
                let _reaped = child.process.wait().await;
            }
        }
    }
}
