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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Says back what it hears.
    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ended = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn nothing_passes_a_cut_and_its_connections_end_when_it_is_mended() {
        let cut = Cut::before(&echo().await).await.unwrap();
        let mut stream = TcpStream::connect(&cut.address).await.unwrap();
        let mut heard = [0; 2];
        stream.write_all(b"hi").await.unwrap();
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hi");

        cut.cut();
        stream.write_all(b"hi").await.unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut heard));
        assert!(silence.await.is_err());

        cut.mend();
        let ended = stream.read(&mut heard).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        let mut stream = TcpStream::connect(&cut.address).await.unwrap();
        stream.write_all(b"ho").await.unwrap();
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"ho");
    }
}
