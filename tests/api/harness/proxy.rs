//! A stretch of network between a server and its database, which can be cut at the worst moment.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

/// By which a statement that stores looks is known on the wire.
const STORE: &str = "-- looks::store";

/// When a connection is cut that carries a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The statement does not reach the database.
    BeforeStatement,
    /// The database has committed; nobody hears of it.
    BeforeAnswer,
}

/// Passes everything on unless it was told otherwise. It ends with the value.
pub struct Proxy {
    /// The address of the database, by way of the proxy.
    pub url: String,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    /// Where the database is.
    target: String,
    /// How the statement that is cut begins, how often that has still to happen, and when.
    statement: watch::Sender<&'static str>,
    cuts: AtomicUsize,
    when: watch::Sender<Cut>,
    passable: watch::Sender<bool>,
}

impl Proxy {
    /// Before the database of this address.
    pub async fn before(url: &str) -> Self {
        let mut url = url::Url::parse(url).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        url.set_port(Some(port)).unwrap();
        let state = Arc::new(State {
            target,
            statement: watch::Sender::new(STORE),
            cuts: AtomicUsize::new(0),
            when: watch::Sender::new(Cut::BeforeStatement),
            passable: watch::Sender::new(true),
        });
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&shared).carry(stream));
            }
        });
        Self {
            url: url.to_string(),
            state,
            accepting: accepting.abort_handle(),
        }
    }

    /// The next statements that store looks are cut.
    pub fn cut(&self, times: usize, when: Cut) {
        self.cut_at(STORE, times, when);
    }

    /// The next statements that begin so are cut.
    pub fn cut_at(&self, statement: &'static str, times: usize, when: Cut) {
        self.state.statement.send_replace(statement);
        self.state.when.send_replace(when);
        self.state.cuts.store(times, Ordering::SeqCst);
    }

    /// How many of them are not cut yet.
    pub fn cuts_left(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }

    /// Cuts every connection and lets none through.
    pub fn close(&self) {
        self.state.passable.send_replace(false);
    }

    pub fn open(&self) {
        self.state.passable.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.close();
    }
}

impl State {
    /// Carries one connection until somebody closes it or it is cut.
    async fn carry(self: Arc<Self>, client: TcpStream) {
        let mut passable = self.passable.subscribe();
        if !*passable.borrow() {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.target).await else {
            return;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let doomed = watch::Sender::new(false);
        tokio::select! {
            () = self.asks(from_client, to_server, &doomed) => {}
            () = answers(from_server, to_client, doomed.subscribe()) => {}
            _closed = passable.wait_for(|passable| !passable) => {}
        }
    }

    async fn asks(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        doomed: &watch::Sender<bool>,
    ) {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let said = &piece[..length];
            let statement = self.statement.borrow().as_bytes();
            let is_it = said.windows(statement.len()).any(|part| part == statement);
            if is_it && self.takes_a_cut() {
                if *self.when.borrow() == Cut::BeforeStatement {
                    return;
                }
                doomed.send_replace(true);
            }
            if to.write_all(said).await.is_err() {
                return;
            }
        }
    }

    fn takes_a_cut(&self) -> bool {
        let less = |cuts: usize| cuts.checked_sub(1);
        let order = Ordering::SeqCst;
        self.cuts.fetch_update(order, order, less).is_ok()
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, doomed: watch::Receiver<bool>) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if *doomed.borrow() || to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
