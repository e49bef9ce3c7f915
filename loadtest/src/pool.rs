//! Connections that many clients share, as they do behind a load balancer.
//!
//! **Invariant:** no more than so many connections are open, and each exchange ends in bounded time.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::http::{Answer, Connection};

/// Longest wait for one answer. The slowest limit of a server is shorter.
const ANSWER_WAIT: Duration = Duration::from_secs(15);

pub struct Pool {
    servers: Vec<Server>,
    permits: Semaphore,
    next: AtomicUsize,
}

struct Server {
    address: String,
    /// Kept open, the one used last on top.
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub fn new(servers: Vec<String>, connections: usize) -> Self {
        let server = |address| Server {
            address,
            idle: Mutex::new(Vec::new()),
        };
        Self {
            servers: servers.into_iter().map(server).collect(),
            permits: Semaphore::new(connections),
            next: AtomicUsize::new(0),
        }
    }

    /// Where the first server is.
    pub fn first(&self) -> Option<&str> {
        self.servers.first().map(|server| server.address.as_str())
    }

    /// Opens so many connections ahead.
    pub async fn open(&self, connections: usize) -> io::Result<()> {
        for (_, server) in (0..connections).zip(self.servers.iter().cycle()) {
            let opened = Connection::open(&server.address).await?;
            server.put(opened);
        }
        Ok(())
    }

    /// Asks the servers in turn; `read` takes from the answer what is needed.
    pub async fn ask<T>(
        &self,
        request: &[u8],
        read: impl FnOnce(&Answer<'_>) -> T,
    ) -> io::Result<T> {
        let _permit = self.permits.acquire().await.map_err(io::Error::other)?;
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.servers.len().max(1);
        let server = self
            .servers
            .get(turn)
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        match tokio::time::timeout(ANSWER_WAIT, server.ask(request, read)).await {
            Ok(answered) => answered,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Server {
    async fn ask<T>(&self, request: &[u8], read: impl FnOnce(&Answer<'_>) -> T) -> io::Result<T> {
        let kept = self.take();
        let was_kept = kept.is_some();
        let mut connection = match kept {
            Some(kept) => kept,
            None => Connection::open(&self.address).await?,
        };
        let mut answered = connection
            .exchange(request)
            .await
            .map(|answer| answer.status);
        if answered.is_err() && was_kept {
            // The server may have closed what was kept: once more on a new one, as browsers do.
            connection = Connection::open(&self.address).await?;
            answered = connection
                .exchange(request)
                .await
                .map(|answer| answer.status);
        }
        answered?;
        let taken = read(&connection.last());
        self.put(connection);
        Ok(taken)
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }

    fn put(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(connection);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::http::get;

    /// A server that closes each connection after one answer, without a word.
    async fn forgetful() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 1024];
                let _bytes = stream.read(&mut asked).await;
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_opened_anew() {
        let pool = Pool::new(vec![forgetful().await], 4);
        for _ in 0..5 {
            let body = pool.ask(&get("/"), |answer| answer.body.to_vec()).await;
            assert_eq!(body.unwrap(), b"ok");
        }
    }

    #[tokio::test]
    async fn servers_are_asked_in_turn_and_one_that_is_away_is_told() {
        let gone = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().to_string()
        };
        let pool = Pool::new(vec![forgetful().await, gone], 4);
        let mut good = 0;
        for _ in 0..6 {
            good += usize::from(pool.ask(&get("/"), |_| ()).await.is_ok());
        }
        assert_eq!(good, 3);
    }
}
