//! Server, worker, imagery source and crowd in this process, from the first request to the last.

use std::{future::Future, net::TcpListener, path::Path};

use anyhow::{Context, anyhow};
use futures_util::FutureExt;
use tokio::sync::watch;

use super::{
    CrowdConfig, DevConfig, base_url, children::Children, crowd, definition::CAMPAIGN,
    folder::Folder, ports::Ports, say, seed, services::Ready, source,
};
use crate::{
    config::{
        AdmissionConfig, KEEP_ALIVE_SECONDS, ListenConfig, MAX_CONNECTIONS, SLOW_CLIENT_SECONDS,
    },
    server::{self, Shared},
    state::App,
    telemetry, worker,
};

/// How long requests that were accepted may take at the end.
const SHUTDOWN_SECONDS: u64 = 10;

/// Where everything is.
struct Address<'a> {
    base: &'a str,
    key: &'a str,
    env: &'a Path,
}

/// Serves until `stop` completes, or until something ends that should not.
pub async fn run(
    config: &DevConfig,
    folder: &Folder,
    ready: Ready,
    listener: TcpListener,
    children: &mut Children,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let base = base_url(address);
    write_env(folder, &ready, Some((&base, address)))?;
    let metrics = telemetry::init_metrics()?;
    let app = App::open(ready.config).await?;
    let listen = ListenConfig {
        host: address.ip(),
        port: address.port(),
        http_workers: 0,
        max_connections: MAX_CONNECTIONS,
        keep_alive_seconds: KEEP_ALIVE_SECONDS,
        slow_client_seconds: SLOW_CLIENT_SECONDS,
        shutdown_seconds: SHUTDOWN_SECONDS,
        drain_seconds: 0,
        admission: AdmissionConfig::default(),
    };
    let shared = Shared::new(app.clone(), &listen, Some(metrics))?;
    // Kept until the server has answered what it accepted, tiles too.
    let source = if config.no_demo {
        None
    } else {
        Some(source::start(Ports::open(folder).bind("imagery")?)?)
    };
    let template = source.as_ref().map(|source| source.url_template.as_str());
    let (end, ended) = watch::channel(false);
    let (served, all_served) = watch::channel(false);
    let finish = |outcome: anyhow::Result<()>| {
        end.send_replace(true);
        outcome
    };
    let serving = async {
        let outcome = server::run(&shared, listener, &listen, becomes_true(&ended)).await;
        served.send_replace(true);
        finish(outcome)
    };
    let guiding = async {
        let env = folder.join("env");
        let address = Address {
            base: &base,
            key: &ready.organiser_key,
            env: &env,
        };
        guide(config, &address, template, becomes_true(&ended))
            .await
            .or_else(|error| finish(Err(error)))
    };
    let watching = async {
        let died = tokio::select! {
            () = stop => None,
            () = becomes_true(&ended) => None,
            died = children.first_end() => Some(died),
        };
        finish(died.map_or(Ok(()), |what| {
            Err(anyhow!(
                "{what}; its log is in {}",
                folder.join("log").display()
            ))
        }))
    };
    let working = worker::run(&app, shared.tiles.clone(), becomes_true(&all_served));
    let (served, (), guided, watched) = tokio::join!(serving, working, guiding, watching);
    watched.and(guided).and(served)
}

/// Makes the demo's search, tells the person where everything is, and lets the crowd in.
async fn guide(
    config: &DevConfig,
    address: &Address<'_>,
    template: Option<&str>,
    ended: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let ended = ended.shared();
    if let Some(template) = template {
        tokio::select! {
            seeded = seed::seed(address.base, address.key, template) => {
                seeded.context("the demo's search could not be made")?;
            }
            () = ended.clone() => return Ok(()),
        }
    }
    say(&welcome(config, address));
    if config.crowd == 0 {
        ended.await;
        return Ok(());
    }
    let crowd = CrowdConfig {
        base_url: address.base.to_owned(),
        campaign: CAMPAIGN.to_owned(),
        volunteers: config.crowd,
        minutes: None,
        speed: config.crowd_speed,
    };
    crowd::run(crowd, ended).await
}

fn welcome(config: &DevConfig, address: &Address) -> String {
    let Address { base, key, env } = address;
    let pages = if config.no_demo {
        format!("  the searches      {base}/\n")
    } else {
        format!(
            "  a volunteer's     {base}/s/{CAMPAIGN}\n  an organiser's    {base}/organise/{CAMPAIGN}#key={key}\n"
        )
    };
    let crowd = match config.crowd {
        0 => String::new(),
        some => format!("{some} simulated volunteers are coming.\n"),
    };
    format!(
        "\nSpotter runs at {base}\n\n{pages}  the API           {base}/docs\n  organiser's key   {key}\n  all settings      {}\n\n{crowd}Ctrl-C stops all of it.",
        env.display()
    )
}

/// Keeps the services for others until `stop` completes.
pub async fn only_services(
    config: &DevConfig,
    folder: &Folder,
    ready: &Ready,
    children: &mut Children,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    write_env(folder, ready, None)?;
    say(&format!(
        "the services are ready; the settings are in {}",
        folder.join("env").display()
    ));
    let ending = async {
        if config.revive {
            children.revive().await
        } else {
            children.first_end().await
        }
    };
    tokio::select! {
        () = stop => Ok(()),
        died = ending => Err(anyhow!("{died}; its log is in {}", folder.join("log").display())),
    }
}

/// Under the names that `spotter` itself reads, so that one more server can be started with them.
fn write_env(
    folder: &Folder,
    ready: &Ready,
    served: Option<(&str, std::net::SocketAddr)>,
) -> anyhow::Result<()> {
    let config = &ready.config;
    let mut settings = vec![
        ("DATABASE_URL", config.database.database_url.clone()),
        ("MEMCACHED", config.memcached.join(",")),
        ("CACHE_PREFIX", config.cache_prefix.clone()),
        ("STORE", config.store.clone()),
        ("TOKEN_KEYS", config.token_keys.join(",")),
        (
            "ALLOW_INTERNAL_SOURCES",
            config.allow_internal_sources.to_string(),
        ),
        ("ORGANISER_KEY", ready.organiser_key.clone()),
        ("LOG", "info".to_owned()),
        ("LOG_FORMAT", "text".to_owned()),
    ];
    if let Some((base, address)) = served {
        settings.push(("BASE_URL", base.to_owned()));
        settings.push(("HOST", address.ip().to_string()));
        settings.push(("PORT", address.port().to_string()));
    }
    if let Some(url) = &ready.pgbouncer_url {
        settings.push(("PGBOUNCER_URL", url.clone()));
    }
    folder.write_env(&settings)
}

async fn becomes_true(flag: &watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it everything there was to wait for.
    let mut flag = flag.clone();
    let _over = flag.wait_for(|set| *set).await;
}
