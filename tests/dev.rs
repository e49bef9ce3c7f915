//! `spotter dev` as a process: what it starts, what it leaves behind, how it refuses.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs::{self, DirBuilder, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for a start: the first one makes a database cluster.
const START_WAIT: Duration = Duration::from_secs(90);
const STOP_WAIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(50);

/// A state folder that goes away with the test.
struct State(PathBuf);

impl State {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("spotter-dev-{}-{number}", std::process::id()));
        // PostgreSQL's own user has to pass through when the tests run as root.
        DirBuilder::new().mode(0o711).create(&path).unwrap();
        Self(path)
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spotter"));
        command
            .args(["dev", "--no-demo", "--fast-and-unsafe", "--state"])
            .arg(&self.0)
            .args(flags);
        // `./dev test` has set them for the other tests.
        command
            .env_remove("LOG")
            .env_remove("LOG_FORMAT")
            .stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it serves.
    fn start(&self) -> Running {
        let out = self.0.join("out");
        let child = self
            .command(&["--port", "0"])
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(self.0.join("err")).unwrap())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let said = || fs::read_to_string(&out).unwrap();
        until("it serves", START_WAIT, || {
            assert!(
                running.0.try_wait().unwrap().is_none(),
                "it ended: {}",
                self.err()
            );
            said().contains("Ctrl-C stops all of it")
        });
        running
    }

    fn err(&self) -> String {
        fs::read_to_string(self.0.join("err")).unwrap_or_default()
    }

    /// A setting of the env file, as a shell reads it.
    fn setting(&self, name: &str) -> String {
        let script = format!(
            ". '{}'; printf %s \"${name}\"",
            self.0.join("env").display()
        );
        let output = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir_all(&self.0);
    }
}

struct Running(Child);

impl Running {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn is_up(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain: {what}");
        sleep(STEP);
    }
}

/// State and parent of a process; nothing if there is none.
fn process(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands before, in brackets, and may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// The services, which a process started itself.
fn children(of: u32) -> Vec<u32> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| process(*pid).is_some_and(|(_, parent)| parent == of))
        .collect()
}

/// All processes below one; PostgreSQL has many, some of them for a moment.
fn descendants(of: u32) -> Vec<u32> {
    let mut found = children(of);
    let mut next = 0;
    while next < found.len() {
        found.extend(children(found[next]));
        next += 1;
    }
    found
}

/// A zombie has ended; whether it is reaped is up to the machine's first process.
fn is_alive(pid: u32) -> bool {
    process(pid).is_some_and(|(state, _)| state != 'Z')
}

fn get(base_url: &str, path: &str) -> String {
    let address = base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn ended_with_an_error(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_serves_and_its_env_file_starts_one_more_server() {
    let state = State::new();
    let _running = state.start();
    let base_url = state.setting("BASE_URL");
    let ready = get(&base_url, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert_eq!(mode(&state.0.join("env")), 0o600);

    let script = format!(
        "set -a; . '{}/env'; set +a; exec '{}' organiser list",
        state.0.display(),
        env!("CARGO_BIN_EXE_spotter")
    );
    let listed = Command::new("sh").args(["-euc", &script]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let key = state.setting("ORGANISER_KEY");
    assert!(listed.contains(key.split('_').nth(1).unwrap()), "{listed}");
}

#[test]
fn a_second_run_beside_the_first_names_it_and_does_no_harm() {
    let state = State::new();
    let mut running = state.start();
    let base_url = state.setting("BASE_URL");
    let before = children(running.0.id());

    let second = state.command(&["--port", "0"]).output().unwrap();
    let error = ended_with_an_error(&second);
    assert!(
        error.contains("another `spotter dev`") && error.contains(&base_url),
        "{error}"
    );

    assert!(running.is_up());
    assert!(before.iter().all(|pid| is_alive(*pid)));
    assert!(get(&base_url, "/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_is_started() {
    let state = State::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = ended_with_an_error(&state.command(&["--port", &port]).output().unwrap());
    assert!(error.contains(&port) && error.contains("--port"), "{error}");
    assert!(!state.0.join("services").exists());
}

#[test]
fn ctrl_c_leaves_no_process_behind_and_the_next_run_finds_everything() {
    let state = State::new();
    let mut running = state.start();
    let (database, key) = (
        state.setting("DATABASE_URL"),
        state.setting("ORGANISER_KEY"),
    );
    let children = descendants(running.0.id());
    assert!(
        children.len() >= 2,
        "PostgreSQL and memcached: {children:?}"
    );

    running.signal(Signal::INT);
    until("it stops", STOP_WAIT, || !running.is_up());
    assert!(running.0.wait().unwrap().success(), "{}", state.err());
    assert!(!children.iter().any(|pid| is_alive(*pid)));

    let _again = state.start();
    assert_eq!(state.setting("DATABASE_URL"), database);
    assert_eq!(state.setting("ORGANISER_KEY"), key);
}

#[test]
fn ctrl_c_while_it_starts_leaves_no_process_behind() {
    let state = State::new();
    let mut running = Running(
        state
            .command(&["--port", "0"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until("the database is being made", START_WAIT, || {
        !descendants(running.0.id()).is_empty()
    });
    running.signal(Signal::INT);
    let children = descendants(running.0.id());
    until("it stops", STOP_WAIT, || !running.is_up());
    until("they end", STOP_WAIT, || {
        !children.iter().any(|pid| is_alive(*pid))
    });
}

#[test]
fn kill_9_leaves_no_process_behind_and_the_next_run_recovers() {
    let state = State::new();
    let mut running = state.start();
    let children = descendants(running.0.id());

    running.signal(Signal::KILL);
    until("it is gone", STOP_WAIT, || !running.is_up());
    let _at_once = state.start();
    until("they end", STOP_WAIT, || {
        !children.iter().any(|pid| is_alive(*pid))
    });
}

#[test]
fn a_service_that_is_killed_is_started_again_when_that_is_wanted() {
    let state = State::new();
    let out = state.0.join("out");
    let mut running = Running(
        state
            .command(&["--services", "--revive"])
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(state.0.join("err")).unwrap())
            .spawn()
            .unwrap(),
    );
    until("the services are ready", START_WAIT, || {
        let said = fs::read_to_string(&out).unwrap();
        said.contains("the services are ready")
    });
    let parent = running.0.id();
    let memcached = || {
        let is_named = |pid: &u32| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            name.trim() == "memcached"
        };
        children(parent).into_iter().find(is_named)
    };
    let killed = memcached().unwrap();
    kill_process(Pid::from_raw(killed.cast_signed()).unwrap(), Signal::KILL).unwrap();
    until("another one serves", START_WAIT, || {
        memcached().is_some_and(|now| now != killed)
            && TcpStream::connect(state.setting("MEMCACHED")).is_ok()
    });
    assert!(running.is_up(), "{}", state.err());

    running.signal(Signal::INT);
    until("it stops", STOP_WAIT, || !running.is_up());
    assert!(memcached().is_none());
}
