//! The load balancer as it is shipped (`deploy/haproxy.cfg`), before real servers.

use std::process::Stdio;

use tokio::process::{Child, Command};

use super::{App, Client, eventually, free_port};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/haproxy.cfg");
const BUSY_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web/busy.html");

/// A running load balancer. It ends with the value.
pub struct Balancer {
    pub url: String,
    metrics: Client,
    _process: Child,
}

impl Balancer {
    /// Before two servers at these ports, of which at least one need not be there yet.
    pub async fn before([one, two]: [u16; 2]) -> Self {
        let (port, metrics) = (free_port(), free_port());
        let process = Command::new(program())
            .args(["-db", "-f", CONFIG])
            .env_clear()
            .env("SERVER_1", format!("127.0.0.1:{one}"))
            .env("SERVER_2", format!("127.0.0.1:{two}"))
            .env("LB_BIND", format!("127.0.0.1:{port}"))
            .env("LB_METRICS_BIND", format!("127.0.0.1:{metrics}"))
            .env("LB_MAXCONN", "500")
            .env("BUSY_PAGE", BUSY_PAGE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let metrics = Client::new(vec![format!("http://127.0.0.1:{metrics}")]);
        eventually("the load balancer listens", || async {
            metrics.get("/livez").attempt().await.ok()
        })
        .await;
        Self {
            url: format!("http://127.0.0.1:{port}"),
            metrics,
            _process: process,
        }
    }

    pub fn client(&self, app: &App) -> Client {
        app.public().at(&self.url)
    }

    /// Waits until the load balancer sees so many servers up.
    pub async fn sees(&self, wanted: usize) {
        eventually(&format!("{wanted} servers are up"), || async {
            let text = self.metrics.get("/metrics").await.text();
            let up = text.lines().filter(|line| {
                line.starts_with("haproxy_server_status{proxy=\"api\"")
                    && line.contains("state=\"UP\"")
                    && line.ends_with(" 1")
            });
            (up.count() == wanted).then_some(())
        })
        .await;
    }
}

fn program() -> &'static str {
    ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .expect("haproxy is missing: ./dev test installs it, or apt-get install haproxy")
}
