//! A server: the router behind a socket, with workers beside it, until it is told to end.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use model::Moment;
use tokio::sync::{Semaphore, watch};

use crate::app::App;
use crate::idle::{Waits, Watching};
use crate::jobs;
use crate::opening::{Opening, Shares};
use crate::peer::Network;
use crate::tls::{Certificates, Unfit};

/// How long requests that are under way may take to end; whoever ends us waits for a minute.
const GRACE: Duration = Duration::from_secs(45);
/// How long jobs may take to end after that. What does not is done again by others.
const JOBS: Duration = Duration::from_secs(10);
/// For so many connections there is room, where nobody says for how many.
const CONNECTIONS: usize = 512;
/// How often certificates are looked at.
const GLANCE: Duration = Duration::from_secs(10);
/// How long somebody may take to say what they want.
const HEADERS: Duration = Duration::from_secs(15);
/// For how long whoever is connected is waited for.
const WAITS: Waits = Waits {
    first: HEADERS,
    // Longer than proxies keep a connection that they may use again: a minute, most of them.
    between: Duration::from_secs(90),
    // Longer than anybody works on an answer.
    within: Duration::from_mins(5),
};
/// How often whoever speaks HTTP/2 is asked whether they are there, and how long they may take to say.
const PING: Duration = Duration::from_secs(30);

/// Where to listen, and how.
#[derive(Clone, Debug)]
pub struct Listening {
    /// `127.0.0.1:8080`; port 0 is any that is free.
    pub address: SocketAddr,
    /// Certificates and their key, in PEM, for HTTPS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How many jobs are done at once; none leaves them to workers elsewhere.
    pub workers: usize,
}

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody can listen there.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        why: std::io::Error,
    },
    /// The certificates are none.
    #[error(transparent)]
    Certificates(#[from] Unfit),
    /// It broke off.
    #[error("the server failed: {0}")]
    Failed(std::io::Error),
}

/// A server that has its socket, and does not answer yet.
pub struct Bound {
    listener: TcpListener,
    tls: Option<Certificates>,
    address: SocketAddr,
    workers: usize,
    connections: usize,
    pub(crate) waits: Waits,
    proxies: Vec<Network>,
}

impl Bound {
    /// Takes the socket: from now on nobody else can.
    pub async fn to(listening: &Listening) -> Result<Self, Error> {
        let address = listening.address;
        let failed = |why| Error::Listen { address, why };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let tls = match listening.tls.clone() {
            None => None,
            Some((certificates, key)) => {
                let open = move || Certificates::open(&certificates, &key, now());
                let opened = tokio::task::spawn_blocking(open).await;
                Some(opened.map_err(|error| Error::Failed(error.into()))??)
            }
        };
        let (workers, connections, proxies) = (listening.workers, CONNECTIONS, Vec::new());
        Ok(Self { listener, tls, address, workers, connections, waits: WAITS, proxies })
    }

    /// The same with room for so many connections; those beyond are told to come again.
    #[must_use]
    pub fn with_room_for(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// The same where these proxies may have all the connections there is room for; any other remote
    /// address has a share of them.
    #[must_use]
    pub fn behind(self, proxies: Vec<Network>) -> Self {
        Self { proxies, ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Is it spoken to by HTTPS?
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Answers until `end` comes to pass; then requests and jobs that are under way are finished.
    pub async fn serve(
        self,
        app: App,
        router: Router,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let (stop, stopped) = watch::channel(false);
        let handle = Handle::new();
        let workers = tokio::spawn(jobs::work(app.clone(), self.workers, stopped));
        let graceful = handle.clone();
        let ending = app.clone();
        tokio::spawn(async move {
            end.await;
            tracing::info!("ending: no more requests are taken");
            ending.end();
            let _ = stop.send(true);
            graceful.graceful_shutdown(Some(GRACE));
        });
        let clock = app.clone();
        let served = self.answering(router, handle, move || clock.now()).await;
        served.map_err(Error::Failed)?;
        let _ = tokio::time::timeout(JOBS, workers).await;
        app.store.close().await;
        tracing::info!("ended");
        Ok(())
    }

    /// Answers until `end` comes to pass; then requests that are under way are finished.
    pub async fn answer(
        self,
        router: Router,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let handle = Handle::new();
        let graceful = handle.clone();
        tokio::spawn(async move {
            end.await;
            graceful.graceful_shutdown(Some(GRACE));
        });
        self.answering(router, handle, now).await.map_err(Error::Failed)
    }

    async fn answering(
        self,
        router: Router,
        handle: Handle<SocketAddr>,
        now: impl Fn() -> Moment + Send + 'static,
    ) -> std::io::Result<()> {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let room = Arc::new(Semaphore::new(self.connections.max(1)));
        let shares = Arc::new(Shares::of(self.connections, &self.proxies));
        let opening = Opening { patience: HEADERS, room, shares, tls: self.tls.is_some() };
        if let Some(tls) = self.tls {
            let mut server = axum_server::from_tcp_rustls(self.listener, tls.config())?
                .map(|acceptor| Watching::new(acceptor.acceptor(opening), self.waits))
                .handle(handle);
            patient(server.http_builder());
            let renewing = tokio::spawn(renew(tls, now));
            let served = server.serve(service).await;
            renewing.abort();
            served
        } else {
            let mut server = axum_server::from_tcp(self.listener)?
                .acceptor(Watching::new(opening, self.waits))
                .handle(handle);
            patient(server.http_builder());
            server.serve(service).await
        }
    }
}

/// What time it is, for certificates alone: there is no [`App`] yet.
fn now() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |it| it.as_micros());
    Moment::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// Looks now and then whether the certificates were renewed.
async fn renew(mut certificates: Certificates, now: impl Fn() -> Moment) {
    loop {
        tokio::time::sleep(GLANCE).await;
        match certificates.look_again(now()) {
            Ok(true) => tracing::info!("the certificates were renewed, and are in use"),
            Ok(false) => {}
            Err(error) => {
                let hint = error.hint();
                tracing::error!(%error, hint, "the certificates changed; the former ones are in use");
            }
        }
    }
}

/// Does jobs until `end` comes to pass, and answers nobody.
pub async fn work(app: App, workers: usize, end: impl Future<Output = ()> + Send + 'static) {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        end.await;
        let _ = stop.send(true);
    });
    jobs::work(app.clone(), workers, stopped).await;
    app.store.close().await;
}

/// Whoever begins a request and does not end it must not hold a connection for ever.
fn patient<E>(builder: &mut hyper_util::server::conn::auto::Builder<E>) {
    builder
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(64 << 10);
    builder
        .http2()
        .timer(hyper_util::rt::TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(100);
}
