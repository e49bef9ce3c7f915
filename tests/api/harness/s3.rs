//! A service that speaks S3: moto's server, which `./dev test` installs.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::process::{Child, Command};

use super::{App, app::Builder, within};

/// Python needs some seconds to start on a slow machine.
const START_WAIT: Duration = Duration::from_mins(1);

/// A running service with one bucket, `tiles`. It ends with the value.
pub struct S3 {
    pub endpoint: String,
    _server: Child,
}

impl S3 {
    pub async fn start() -> Self {
        let program = program();
        assert!(
            program.exists(),
            "{} is missing: ./dev test installs it (a virtual environment of Python with moto)",
            program.display()
        );
        let port = super::free_port().to_string();
        let server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let endpoint = format!("http://127.0.0.1:{port}");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        within(START_WAIT, "the bucket is made", || async {
            let made = http.put(format!("{endpoint}/tiles")).send().await;
            made.is_ok_and(|answer| answer.status().is_success())
                .then_some(())
        })
        .await;
        Self {
            endpoint,
            _server: server,
        }
    }

    /// Keys of all objects.
    pub async fn keys(&self) -> Vec<String> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let list = http.get(format!("{}/tiles?list-type=2", self.endpoint));
        let list = list.send().await.unwrap().text().await.unwrap();
        let keys = list.split("<Key>").skip(1);
        keys.map(|rest| rest.split("</Key>").next().unwrap().to_owned())
            .collect()
    }
}

fn program() -> PathBuf {
    let folder = std::env::var_os("SPOTTER_TEST_S3").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/s3")),
        PathBuf::from,
    );
    folder.join("bin/moto_server")
}

/// An installation whose store is a bucket of the service at this address.
pub fn stored_at(endpoint: &str, store: &str) -> Builder {
    App::builder()
        .setting("STORE", store)
        .setting("AWS_ENDPOINT_URL", endpoint)
        .setting("AWS_REGION", "us-east-1")
        .setting("AWS_ACCESS_KEY_ID", "key")
        .setting("AWS_SECRET_ACCESS_KEY", "secret")
}
