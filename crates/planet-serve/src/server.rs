use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, thread, time::Duration};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use planet::{LocatorOptions, Model};
use planet_data::{Limits, Manifest};
use planet_engine::EngineOptions;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{
    app::{App, router},
    game::Games,
    guard::Guard,
    metrics::Metrics,
    model::{MOST_CANDIDATES, Served},
    review::{Review, ReviewOptions},
};

/// Longest time in which a client must send the head of a request.
const SLOWEST_HEAD: Duration = Duration::from_secs(10);
/// Connections at the same time; more wait to be accepted.
const CONNECTIONS: usize = 1024;
/// Time between two looks at whether the server shall end.
const LOOK: Duration = Duration::from_millis(50);
/// Time that requests have to end after the signal.
const LAST_CALL: Duration = Duration::from_millis(700);

/// What is served, and to whom.
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// What every request must bring; an address that is not the loopback needs one.
    pub token: Option<String>,
    /// The model, and the engine that its sequence networks are opened with.
    pub model: Option<ModelOptions>,
    /// A library to review.
    pub library: Option<ReviewOptions>,
    /// Photos of known position for matches.
    pub matches: Option<Manifest>,
    /// The page of an evaluation.
    pub report: Option<PathBuf>,
    /// Limits of a photo.
    pub limits: Limits,
    /// Photos that a request may have, but for albums.
    pub request_photos: usize,
    /// Photos that are received, decoded or wait at the same time; beyond, requests are refused
    /// with 429.
    pub queue: usize,
}

/// A model to serve.
pub struct ModelOptions {
    /// The model.
    pub model: Model,
    /// What opens the package's sequence networks.
    pub engine: EngineOptions,
}

impl ModelOptions {
    /// What the model must be opened with, so that answers have as many candidates as may be
    /// asked for.
    pub fn locator_options() -> LocatorOptions {
        LocatorOptions { top: MOST_CANDIDATES, ..LocatorOptions::default() }
    }
}

impl Default for ServeOptions {
    /// Port 8080 of the loopback, nothing but the page; 64 MiB and 120 million pixels for each
    /// photo, 64 photos for each request and in the queue.
    fn default() -> Self {
        let limits = Limits { bytes: 64 << 20, pixels: 120_000_000, ..Limits::default() };
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            token: None,
            model: None,
            library: None,
            matches: None,
            report: None,
            limits,
            request_photos: 64,
            queue: 64,
        }
    }
}

/// Binds a server and runs it on threads of its own until `ended` says so; `on_ready` gets the
/// address once it listens.
///
/// # Errors
/// As [`Server::bind`] and [`Server::run`].
pub fn serve(
    options: ServeOptions,
    on_ready: impl FnOnce(SocketAddr),
    ended: impl Fn() -> bool,
) -> Result<(), ServeError> {
    let address = options.address;
    let failed = |source| ServeError::Listen { address, source };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let result = runtime.block_on(async {
        let server = Server::bind(options).await?;
        on_ready(server.address());
        let end = async {
            while !ended() {
                tokio::time::sleep(LOOK).await;
            }
        };
        server.run(end).await.map_err(failed)
    });
    // Work that a thread is still at must not keep the process.
    runtime.shutdown_background();
    result
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// Others could reach it.
    #[error("{0} is not a loopback address, and there is no token")]
    NoToken(SocketAddr),
    /// A match needs photos of known position.
    #[error("{0} photos have a known position; a match needs at least 5")]
    TooFewPhotos(usize),
    /// The file that decisions are kept in.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A server that is bound and accepts no connection yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
    guard: Guard,
    ended: watch::Sender<bool>,
}

impl Server {
    /// Listens, and begins what works in the background.
    ///
    /// # Errors
    /// The address is taken, or is reached by others and there is no token; too few photos for
    /// matches; a file of decisions that cannot be used.
    pub async fn bind(options: ServeOptions) -> Result<Self, ServeError> {
        if !options.address.ip().is_loopback() && options.token.is_none() {
            return Err(ServeError::NoToken(options.address));
        }
        let (ended, ending) = watch::channel(false);
        let metrics = Arc::new(Metrics::default());
        let model = options.model.map(|ModelOptions { model, engine }| {
            let metrics = Arc::clone(&metrics);
            Arc::new(Served::new(model, engine, options.limits, options.queue, metrics))
        });
        if let Some(model) = &model {
            let locator = Arc::clone(&model.locator);
            thread::spawn(move || locator.gazetteer().load());
        }
        let games = options.matches.map(Games::new).transpose()?.map(Arc::new);
        let review = match options.library {
            Some(library) => Some(Review::start(library, model.clone(), ending.clone())?),
            None => None,
        };
        let app = App {
            model,
            review,
            games,
            report: options.report,
            metrics,
            most_photos: options.request_photos,
            ending,
        };
        let failed = |source| ServeError::Listen { address: options.address, source };
        let listener = TcpListener::bind(options.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Guard::new(address, options.token);
        Ok(Self { listener, address, app: Arc::new(app), guard, ended })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `end` does; open requests and streams have less than a second to
    /// end themselves.
    ///
    /// # Errors
    /// Connections can no longer be accepted.
    pub async fn run(self, end: impl Future<Output = ()>) -> io::Result<()> {
        let router = router(self.app, self.guard);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(SLOWEST_HEAD);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut end = std::pin::pin!(end);
        loop {
            let place = Arc::clone(&places).acquire_owned();
            let accepted = async { (place.await, self.listener.accept().await) };
            let (place, stream) = tokio::select! {
                () = &mut end => break,
                accepted = accepted => accepted,
            };
            // A client that has gone, or too many open files: the next one may do better.
            let Ok((stream, _)) = stream else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(router.clone());
            let connection = http.serve_connection(TokioIo::new(stream), service);
            let mut ending = self.ended.subscribe();
            connections.spawn(async move {
                let ended = async move { drop(ending.wait_for(|ended| *ended).await) };
                let mut connection = std::pin::pin!(connection);
                tokio::select! {
                    _ = connection.as_mut() => {}
                    () = ended => {
                        connection.as_mut().graceful_shutdown();
                        let _ = connection.await;
                    }
                }
                drop(place);
            });
            while connections.try_join_next().is_some() {}
        }
        let _ = self.ended.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_CALL, all).await;
        Ok(())
    }
}
