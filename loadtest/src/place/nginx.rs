//! nginx with `proxy_cache`, as people put it in front of tiles.

use std::{fs, time::Duration};

use anyhow::Context;
use tokio::{net::TcpStream, process::Child};

use super::{
    Place, free_port,
    process::{dying_with_us, signal},
};

/// Longest wait until it listens.
const START_WAIT: Duration = Duration::from_secs(20);
/// Of its port.
const SEED: u64 = 80;
const STEP: Duration = Duration::from_millis(20);

/// A running nginx. It ends with the value.
pub struct Nginx {
    pub address: String,
    child: Child,
}

impl Nginx {
    /// In front of the place's source of tiles, with as many workers as there are cores.
    pub async fn start(place: &Place) -> anyhow::Result<Self> {
        let folder = place.folder().join("nginx");
        fs::create_dir_all(&folder)?;
        let port = free_port(SEED)?;
        let address = format!("127.0.0.1:{port}");
        let settings = folder.join("nginx.conf");
        let folder_name = folder.to_str().context("the folder's name")?;
        fs::write(&settings, text(folder_name, port, &place.source.address))?;
        let mut command = dying_with_us("nginx");
        command.env(
            "PATH",
            "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin",
        );
        command.arg("-p").arg(&folder).arg("-c").arg(&settings);
        command.arg("-e").arg(folder.join("error.log"));
        let child = command.spawn().context("nginx (./dev bench installs it)")?;
        let mut nginx = Self { address, child };
        let listening = async {
            while TcpStream::connect(&nginx.address).await.is_err() {
                if let Some(status) = nginx.child.try_wait()? {
                    let told = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
                    anyhow::bail!("nginx ended at once ({status}): {told}");
                }
                tokio::time::sleep(STEP).await;
            }
            Ok(())
        };
        tokio::time::timeout(START_WAIT, listening)
            .await
            .context("nginx does not listen")??;
        Ok(nginx)
    }

    pub async fn end(mut self) -> anyhow::Result<()> {
        if let Some(id) = self.child.id() {
            signal(id, rustix::process::Signal::TERM)?;
        }
        self.child.wait().await?;
        Ok(())
    }
}

fn text(folder: &str, port: u16, source: &str) -> String {
    // Root's workers would run as somebody who cannot enter the folder.
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    format!(
        "daemon off;
{user}
worker_processes auto;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    default_type image/jpeg;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache levels=1:2 keys_zone=tiles:64m max_size=8g inactive=1d use_temp_path=off;
    open_file_cache max=20000 inactive=10m;
    upstream source {{
        server {source};
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://source;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_cache tiles;
            proxy_cache_lock on;
            proxy_cache_valid 200 1d;
        }}
    }}
}}
"
    )
}
