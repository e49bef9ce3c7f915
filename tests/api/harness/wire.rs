//! A connection byte by byte, for clients that no library would be.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{DEADLINE, Value};

/// One connection to a server.
pub struct Wire(TcpStream);

/// What was answered, read to the end of the connection or of the first answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Wire {
    pub async fn to(server: &str) -> Self {
        Self(TcpStream::connect(address(server)).await.unwrap())
    }

    /// With room for little that comes in.
    pub async fn with_little_room(server: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self(
            socket
                .connect(address(server).parse().unwrap())
                .await
                .unwrap(),
        )
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Says each piece after a pause, until the connection is closed or nothing is left.
    pub async fn say_slowly(&mut self, pieces: impl IntoIterator<Item = Vec<u8>>, pause: Duration) {
        for piece in pieces {
            tokio::time::sleep(pause).await;
            if self.0.write_all(&piece).await.is_err() {
                return;
            }
        }
    }

    /// The next answer, whose head tells its length.
    pub async fn answer(&mut self) -> Answer {
        let reading = async {
            let mut read = Vec::new();
            loop {
                let mut piece = [0; 4096];
                let bytes = self.0.read(&mut piece).await.unwrap();
                assert!(bytes > 0, "closed: {}", String::from_utf8_lossy(&read));
                read.extend_from_slice(&piece[..bytes]);
                if let Some(answer) = Answer::parse(&read)
                    && answer.body.len() >= answer.length()
                {
                    return answer;
                }
            }
        };
        tokio::time::timeout(DEADLINE, reading)
            .await
            .expect("an answer")
    }

    /// Whether something has come already.
    pub fn is_answered(&self) -> bool {
        self.0.try_read(&mut [0]).is_ok()
    }

    /// Everything that comes until the server closes; a reset ends it too.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        let reading = async {
            let mut piece = vec![0; 64 * 1024];
            while let Ok(bytes @ 1..) = self.0.read(&mut piece).await {
                read.extend_from_slice(&piece[..bytes]);
            }
        };
        tokio::time::timeout(DEADLINE, reading)
            .await
            .expect("the server closes the connection");
        read
    }

    /// Says something slowly and listens until the server closes.
    pub async fn rest_while_saying(
        mut self,
        pieces: impl IntoIterator<Item = Vec<u8>>,
        pause: Duration,
    ) -> Vec<u8> {
        let (read, write) = self.0.split();
        let (mut read, mut write) = (read, write);
        let mut heard = Vec::new();
        let listening = async {
            let mut piece = vec![0; 64 * 1024];
            while let Ok(bytes @ 1..) = read.read(&mut piece).await {
                heard.extend_from_slice(&piece[..bytes]);
            }
        };
        let saying = async {
            for piece in pieces {
                tokio::time::sleep(pause).await;
                if write.write_all(&piece).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::time::timeout(DEADLINE, async {
            tokio::select! {
                () = listening => {}
                () = saying => {}
            }
        })
        .await
        .expect("the server closes the connection");
        heard
    }
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        })
    }

    fn length(&self) -> usize {
        let lines = self.head.lines();
        let mut lengths = lines.filter_map(|line| line.strip_prefix("content-length: "));
        lengths.next().map_or(0, |length| length.parse().unwrap())
    }

    /// Demands a problem with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(
            self.head
                .contains("\r\ncontent-type: application/problem+json"),
            "{self:?}"
        );
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert_eq!(self.body.len(), self.length(), "{self:?}");
    }
}

fn address(server: &str) -> &str {
    server.strip_prefix("http://").unwrap()
}
