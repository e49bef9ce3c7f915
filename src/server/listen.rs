//! The sockets of a server: how many connections, and how each is served.

use std::{net::TcpListener, time::Duration};

use actix_http::{Extensions, HttpService, KeepAlive, Request, Response, body::BoxBody};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::{
    body::MessageBody,
    dev::{AppConfig, Server},
    rt::net::TcpStream,
};
use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    config::ListenConfig,
    http::connection::{Connection, Patience},
};

/// Files that a server opens beside its clients' connections: database, memcached, sources and
/// the object store.
const OTHER_FILES: u64 = 512;
/// Connections that wait to be accepted. The kernel takes what `net.core.somaxconn` allows; beyond
/// it a client tries again only after a second.
const BACKLOG: i32 = 4096;
/// Bytes of answers that the kernel takes of a connection beyond what its network has room for. Those of a
/// client that takes nothing would be megabytes otherwise.
#[cfg(target_os = "linux")]
const UNSENT_BYTES_MAX: u32 = 64 * 1024;
/// How long the end of a connection may take, or a body that nobody reads any more.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves what `app` makes for each worker.
pub fn serve<F, I, S, B>(
    listener: TcpListener,
    config: &ListenConfig,
    app: F,
) -> anyhow::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error>,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    B: MessageBody + 'static,
{
    listen(&listener)?;
    let workers = match config.http_workers {
        0 => std::thread::available_parallelism()?.get(),
        some => some,
    };
    let connections = usize::try_from(connections(config.max_connections))?;
    let patience = Patience {
        client: Duration::from_secs(config.slow_client_seconds),
        idle: Duration::from_secs(config.keep_alive_seconds),
    };
    let server = Server::build();
    let stopping = server.graceful_shutdown_signal();
    let server = server
        .workers(workers)
        .max_concurrent_connections(connections.div_ceil(workers))
        .shutdown_timeout(config.shutdown_seconds)
        .disable_signals()
        .listen("http", listener, move || {
            let stopping = stopping.clone();
            let service = app()
                .into_factory()
                .map_err(|error| -> Response<BoxBody> { error.into().error_response().into() });
            // Connections keep the time themselves.
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(KeepAlive::Os)
                // Who hangs up gives their permit, or their place in the queue, back.
                .h1_allow_half_closed(false)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(END_TIMEOUT)
                .on_connect_ext(|connection: &Connection, data: &mut Extensions| {
                    data.insert(connection.work().clone());
                })
                .finish(map_config(service, |()| AppConfig::default()));
            fn_service(move |socket: TcpStream| {
                let from = socket.peer_addr().ok();
                let connection = Connection::new(socket, patience);
                async move { Ok((connection, actix_http::Protocol::Http1, from)) }
            })
            .and_then(http)
        })
        .context("PORT: cannot listen")?;
    Ok(server.run())
}

/// Begins to listen. Connections have their limits from their listener.
fn listen(listener: &TcpListener) -> anyhow::Result<()> {
    rustix::net::listen(listener, BACKLOG).context("PORT: cannot listen")?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(listener)
        .set_tcp_notsent_lowat(UNSENT_BYTES_MAX)
        .context("PORT: cannot limit what is not sent")?;
    Ok(())
}

/// Lets the process open as many files as it ever may, and gives how many connections there is
/// room for.
fn connections(wanted: u32) -> u64 {
    let wanted = u64::from(wanted);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Without a number there is no limit.
    let may = maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let may = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => may,
        Err(_) => current.unwrap_or(u64::MAX),
    };
    let room = may.saturating_sub(OTHER_FILES).max(may / 2).max(1);
    if room < wanted {
        tracing::warn!(
            open_files = may,
            connections = room,
            "MAX_CONNECTIONS is more than the limit of open files has room for; raise that limit (ulimit -n, LimitNOFILE)"
        );
    }
    wanted.min(room)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn what_is_not_sent_of_a_connection_is_limited() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listen(&listener).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (connection, _) = listener.accept().unwrap();
        let limit = socket2::SockRef::from(&connection).tcp_notsent_lowat();
        assert_eq!(limit.unwrap(), UNSENT_BYTES_MAX);
    }
}
