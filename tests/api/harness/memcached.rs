//! A memcached of the test's own, for tests that flush or kill it.

use std::process::Stdio;

use rustix::process::geteuid;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use super::eventually;

/// A process that ends with the value. It comes back at the same address.
pub struct Memcached {
    pub address: String,
    child: Option<Child>,
}

impl Memcached {
    pub async fn start() -> Self {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut memcached = Self {
            address,
            child: None,
        };
        memcached.restart().await;
        memcached
    }

    /// Forgets everything.
    pub async fn flush(&self) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(b"flush_all\r\n").await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"OK\r\n");
    }

    /// Ends it at once, as a power cut does.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("memcached runs");
        child.kill().await.unwrap();
    }

    /// Starts it, empty.
    pub async fn restart(&mut self) {
        let (host, port) = self.address.split_once(':').unwrap();
        let mut command = Command::new("memcached");
        command.args(["-l", host, "-p", port, "-U", "0", "-m", "16"]);
        if geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        self.child = Some(command.spawn().unwrap());
        eventually("memcached listens", || async {
            TcpStream::connect(&self.address).await.ok()
        })
        .await;
    }
}
