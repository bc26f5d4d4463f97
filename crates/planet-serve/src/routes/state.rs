use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use planet::{ModelPackage, album::Scheme};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// What this server offers.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerState {
    /// Version of PlaNet.
    version: &'static str,
    model: Option<ModelState>,
    /// The commands by which one gets a model; empty where there is one.
    get_model: Vec<&'static str>,
    library: Option<LibraryState>,
    #[serde(rename = "match")]
    matches: Option<MatchState>,
    /// Whether there is a report of an evaluation.
    report: bool,
    limits: LimitState,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ModelState {
    name: String,
    architecture: String,
    /// Number of classes.
    classes: usize,
    /// Height and width of the network's input in pixels.
    input: [usize; 2],
    /// Number of features; 0 where the model has none.
    features: usize,
    /// Why its answers must not be relied on.
    warning: Option<String>,
    /// The schemes by which albums can be located.
    #[schema(value_type = Vec<String>)]
    schemes: Vec<Scheme>,
}

#[derive(Serialize, ToSchema)]
struct LibraryState {
    folder: String,
    photos: usize,
}

#[derive(Serialize, ToSchema)]
struct MatchState {
    dataset: String,
    photos: usize,
}

#[derive(Serialize, ToSchema)]
struct LimitState {
    photo_bytes: u64,
    pixels: u64,
    /// Photos of a request, but for albums.
    request_photos: usize,
}

impl ModelState {
    pub(crate) fn of(package: &ModelPackage, schemes: Vec<Scheme>) -> Self {
        let about = package.description();
        Self {
            name: about.name.clone(),
            architecture: about.architecture.clone(),
            classes: about.classes,
            input: about.preprocess.size,
            features: about.features,
            warning: about.provenance.warning().map(str::to_owned),
            schemes,
        }
    }
}

/// What this server offers: the model, a library, matches, and limits.
#[utoipa::path(get, path = "/api/state", responses((status = 200, body = ServerState)))]
pub(crate) async fn state(State(app): State<Arc<App>>) -> Json<ServerState> {
    let limits = match &app.model {
        Some(model) => *model.inference.limits(),
        None => planet_data::Limits::default(),
    };
    let get_model = match &app.model {
        Some(_) => Vec::new(),
        None => vec!["planet demo", "planet train MANIFEST", "planet model import FILE.onnx"],
    };
    Json(ServerState {
        version: env!("CARGO_PKG_VERSION"),
        model: app.model.as_deref().map(|it| ModelState::of(&it.package, it.schemes())),
        get_model,
        library: app
            .review
            .as_ref()
            .map(|review| LibraryState { folder: review.folder(), photos: review.photos() }),
        matches: app
            .games
            .as_ref()
            .map(|games| MatchState { dataset: games.dataset(), photos: games.photos() }),
        report: app.report.is_some(),
        limits: LimitState {
            photo_bytes: limits.bytes,
            pixels: limits.pixels,
            request_photos: app.most_photos,
        },
    })
}

/// Counters and histograms in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let waiting = app.model.as_ref().map_or(0, |model| model.inference.waiting());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(waiting)).into_response()
}
