//! Stands between a server and memcached and behaves as bad networks do.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    Pass,
    /// Each answer comes so much later.
    Slow(Duration),
    /// Connections are taken and nothing is answered.
    Silent,
    /// Connections are closed.
    Cut,
}

/// A listener that ends with the value.
pub struct Between {
    pub address: String,
    mode: watch::Sender<Mode>,
}

impl Between {
    pub async fn start(to: &str, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, receiver) = watch::channel(mode);
        let to = to.to_owned();
        tokio::spawn(async move {
            let mut ended = receiver.clone();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        if let Ok((stream, _)) = accepted {
                            tokio::spawn(carry(stream, to.clone(), receiver.clone()));
                        }
                    }
                    changed = ended.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                }
            }
        });
        Self {
            address,
            mode: sender,
        }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

/// Until one side ends or the connection is cut.
async fn carry(mut client: TcpStream, to: String, mut mode: watch::Receiver<Mode>) {
    let Ok(mut server) = TcpStream::connect(&to).await else {
        return;
    };
    let (mut asked, mut answered) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        let now = *mode.borrow_and_update();
        if now == Mode::Cut {
            return;
        }
        let speaks = now != Mode::Silent;
        tokio::select! {
            changed = mode.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            read = client.read(&mut asked), if speaks => {
                let Ok(bytes @ 1..) = read else { return };
                if server.write_all(&asked[..bytes]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered), if speaks => {
                let Ok(bytes @ 1..) = read else { return };
                if let Mode::Slow(by) = now {
                    tokio::time::sleep(by).await;
                }
                if client.write_all(&answered[..bytes]).await.is_err() {
                    return;
                }
            }
        }
    }
}
