//! `spotter serve`: every feature's routes behind one stack of middleware, and the graceful stop.
//!
//! **Invariant:** a stopping server takes no new connection and answers every request that it
//! accepted, as long as that takes no longer than `SHUTDOWN_SECONDS`.

mod bare;
mod fallback;
mod health;
mod listen;

use std::{future::Future, net::TcpListener, time::Duration};

use actix_web::{App as WebApp, dev::Server, web::Data};
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use utoipa::openapi::OpenApi;

use crate::{
    accounts::{self, Departed, TokenKeys},
    admission::{self, Admission},
    assignments::{self, Dealer},
    campaigns, cells,
    config::ListenConfig,
    downloads,
    http::{
        Routes,
        middleware::{Around, Traffic},
        openapi,
    },
    imagery::{self, Tiles},
    looks::{self, Batcher},
    packs, pages, prefetch, progress,
    rates::{Door, Rates},
    state::App,
    sync::{self, Streams, Tail},
    volunteers,
};
pub use bare::bare;
use fallback::Methods;

/// Without a request for so long, a stopping server ends its idle connections.
const QUIET: Duration = Duration::from_millis(500);

/// What the handlers share beside [`App`].
#[derive(Clone)]
pub struct Shared {
    pub app: App,
    pub traffic: Traffic,
    keys: TokenKeys,
    departed: Departed,
    rates: Rates,
    pub tiles: Tiles,
    dealer: Dealer,
    batcher: Batcher,
    tail: Tail,
    streams: Streams,
    admission: Admission,
    metrics: Option<PrometheusHandle>,
}

impl Shared {
    pub fn new(
        app: App,
        config: &ListenConfig,
        metrics: Option<PrometheusHandle>,
    ) -> anyhow::Result<Self> {
        let keys = TokenKeys::parse(&app.config.token_keys)?;
        let page = pages::busy()
            .map(|(html, policy)| admission::Page::new(html, policy))
            .transpose()?;
        let (cache, clock) = (app.cache.clone(), app.clock.clone());
        let rates = Rates::new(&app.config.rates, &keys, cache, clock);
        Ok(Self {
            admission: Admission::new(&config.admission, keys.clone(), rates.clone(), page),
            rates,
            keys,
            departed: Departed::default(),
            tiles: Tiles::new(&app)?,
            traffic: Traffic::default(),
            dealer: Dealer::default(),
            batcher: Batcher::default(),
            tail: Tail::new(usize::try_from(config.admission.in_work_streams)?),
            streams: Streams::default(),
            app,
            metrics,
        })
    }
}

/// Builds the server on a listener. Nothing is answered until the result is awaited.
pub fn build(
    shared: &Shared,
    listener: TcpListener,
    config: &ListenConfig,
) -> anyhow::Result<Server> {
    let Shared {
        app,
        traffic,
        keys,
        departed,
        rates,
        tiles,
        dealer,
        batcher,
        tail,
        streams,
        admission,
        metrics,
    } = shared.clone();
    let app = Data::new(app);
    let traffic = Data::new(traffic);
    let (keys, tiles, metrics) = (Data::new(keys), Data::new(tiles), Data::new(metrics));
    let (rates, departed) = (Data::new(rates), Data::new(departed));
    let (dealer, batcher) = (Data::new(dealer), Data::new(batcher));
    let (tail, streams) = (Data::new(tail), Data::new(streams));
    let admission = Data::new(admission);
    let document = document();
    let methods = Data::new(Methods::new(&openapi::methods(&document), pages::paths())?);
    let text = Data::new(openapi_text(&document)?);
    listen::serve(listener, config, move || {
        WebApp::new()
            .app_data(app.clone())
            .app_data(traffic.clone())
            .app_data(keys.clone())
            .app_data(departed.clone())
            .app_data(rates.clone())
            .app_data(tiles.clone())
            .app_data(dealer.clone())
            .app_data(batcher.clone())
            .app_data(tail.clone())
            .app_data(streams.clone())
            .app_data(admission.clone())
            .app_data(metrics.clone())
            .app_data(methods.clone())
            .app_data(text.clone())
            .configure(|config| features(&mut Routes::of_server(config)))
            .configure(health::docs)
            .configure(pages::routes)
            .default_service(actix_web::web::to(fallback::answer))
            .wrap(admission::Layer::new(admission.get_ref().clone()))
            .wrap(Door::new(
                rates.get_ref().clone(),
                keys.get_ref().clone(),
                departed.get_ref().clone(),
            ))
            .wrap(Around::new(traffic.get_ref().clone()))
    })
}

/// Serves until `stop` completes, then lets accepted requests finish.
pub async fn run(
    shared: &Shared,
    listener: TcpListener,
    config: &ListenConfig,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (app, mode) = (shared.app.clone(), shared.admission.mode().clone());
    let departed = shared.departed.clone();
    // The first request is to meet the mode that is in force, and departed volunteers their end.
    if let Err(cause) = mode.refresh(&app.db_apart).await {
        tracing::warn!(cause = %cause, "the mode cannot be read yet");
    }
    if let Err(cause) = departed.refresh(&app.db_apart).await {
        tracing::warn!(cause = %cause, "departed volunteers cannot be read yet");
    }
    let following = actix_web::rt::spawn(async move {
        tokio::join!(mode.follow(&app.db_apart), departed.follow(&app.db_apart))
    });
    let server = build(shared, listener, config)?;
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    let writing = actix_web::rt::spawn(shared.batcher.clone().run(shared.app.clone()));
    let tidying = actix_web::rt::spawn(shared.dealer.clone().tidy(shared.app.clone()));
    let tailing = actix_web::rt::spawn(shared.tail.clone().follow(shared.app.clone()));
    let counting = actix_web::rt::spawn(shared.rates.clone().tidy());
    stop.await;
    tracing::info!("stopping: no new connections, accepted requests are finished");
    shared.traffic.drain();
    shared.tail.end();
    tokio::time::sleep(Duration::from_secs(config.drain_seconds)).await;
    tokio::select! {
        () = handle.stop(true) => {}
        () = quiet(&shared.traffic) => handle.stop(false).await,
    }
    // Also what nobody waits for any more.
    shared.batcher.close();
    writing.await.context("the writers of looks")?;
    tidying.abort();
    counting.abort();
    following.abort();
    tailing.abort();
    shared.dealer.give_back(&shared.app).await;
    serving
        .await
        .context("the server's task")?
        .context("the server")
}

/// Completes when no request was in work for a while.
async fn quiet(traffic: &Traffic) {
    const STEP: Duration = Duration::from_millis(50);
    let mut still = Duration::ZERO;
    while still < QUIET {
        tokio::time::sleep(STEP).await;
        still = if traffic.in_flight() == 0 {
            still + STEP
        } else {
            Duration::ZERO
        };
    }
}

/// Every feature of the API. Routes are tried in this order, so what is asked most comes first.
fn features(routes: &mut Routes<'_>) {
    imagery::tile_routes(routes);
    assignments::routes(routes);
    campaigns::public_routes(routes);
    looks::routes(routes);
    sync::routes(routes);
    accounts::routes(routes);
    campaigns::routes(routes);
    progress::routes(routes);
    packs::routes(routes);
    cells::routes(routes);
    downloads::routes(routes);
    volunteers::routes(routes);
    prefetch::routes(routes);
    imagery::routes(routes);
    admission::routes(routes);
    health::routes(routes);
}

/// The OpenAPI document, from the handlers.
pub fn document() -> OpenApi {
    let mut collected = OpenApi::default();
    features(&mut Routes::of_document(&mut collected));
    let mut document = openapi::complete(collected);
    admission::document(&mut document);
    document
}

/// The document as it is served.
pub fn openapi_text(document: &OpenApi) -> anyhow::Result<String> {
    document.to_pretty_json().context("the OpenAPI document")
}
