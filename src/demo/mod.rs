//! placeholder
pub mod scene;
#[derive(clap::Args)]
pub struct DevConfig {}
pub async fn run(_c: DevConfig, _s: impl Future<Output=()>) -> anyhow::Result<()> { Ok(()) }
