//! A stretch of network between a server and memcached, which can be cut.

use std::sync::Arc;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// Passes everything on until it is cut. It ends with the value.
pub struct Cut {
    pub address: String,
    passable: Arc<watch::Sender<bool>>,
    accepting: AbortHandle,
}

impl Cut {
    pub async fn before(target: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let passable = Arc::new(watch::Sender::new(true));
        let (target, shared) = (target.to_owned(), Arc::clone(&passable));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, target.clone(), shared.subscribe()));
            }
        });
        Ok(Self {
            address,
            passable,
            accepting: accepting.abort_handle(),
        })
    }

    /// From now on nothing gets through. Connections stay open and hear nothing, as when a cable is
    /// pulled, until the stretch is mended: then they end.
    pub fn cut(&self) {
        self.passable.send_replace(false);
    }

    pub fn mend(&self) {
        self.passable.send_replace(true);
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut near: TcpStream, target: String, mut passable: watch::Receiver<bool>) {
    let passing = async {
        let mut far = TcpStream::connect(&target).await?;
        copy_bidirectional(&mut near, &mut far).await
    };
    if *passable.borrow_and_update() {
        tokio::select! {
            _ended = passing => return,
            _cut = passable.wait_for(|passable| !passable) => {}
        }
    }
    let _mended = passable.wait_for(|passable| *passable).await;
}
