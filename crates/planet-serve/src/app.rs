//! What all requests share, and which address leads where.

use std::{path::PathBuf, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use tokio::sync::watch;

use crate::{
    error::ApiError,
    game::Games,
    guard::{Guard, guard},
    metrics::Metrics,
    model::Served,
    page,
    review::Review,
    routes::*,
};

/// The state of one server.
pub(crate) struct App {
    pub model: Option<Arc<Served>>,
    pub review: Option<Arc<Review>>,
    pub games: Option<Arc<Games>>,
    /// The page of an evaluation.
    pub report: Option<PathBuf>,
    pub metrics: Arc<Metrics>,
    /// Photos that a request may have.
    pub most_photos: usize,
    /// Becomes true when the server ends, so that streams do.
    pub ending: watch::Receiver<bool>,
}

impl App {
    /// # Errors
    /// There is no model.
    pub(crate) fn model(&self) -> Result<&Arc<Served>, ApiError> {
        self.model.as_ref().ok_or_else(ApiError::no_model)
    }

    /// The model of this name.
    ///
    /// # Errors
    /// There is no such model.
    pub(crate) fn model_named(&self, name: &str) -> Result<&Arc<Served>, ApiError> {
        let model = self.model.as_ref().filter(|model| model.name == name);
        model.ok_or_else(|| ApiError::not_found(format!("there is no model named '{name}'")))
    }
}

/// All addresses, behind the guard.
pub(crate) fn router(app: Arc<App>, guarded: Guard) -> Router {
    Router::new()
        .route("/api/state", get(state::state))
        .route("/api/land", get(outline::land))
        .route("/api/cells/{model}", get(outline::cells))
        .route("/api/locate", post(locate::locate))
        .route("/api/explain", post(explain::explain))
        .route("/api/album", post(album::album))
        .route("/api/library", get(library::library))
        .route("/api/library/photo/{id}", get(library::photo))
        .route("/api/library/decisions", post(library::decisions))
        .route("/api/library/write", post(library::write))
        .route("/api/match", post(game::start))
        .route("/api/match/{id}", get(game::state))
        .route("/api/match/{id}/photo/{round}", get(game::photo))
        .route("/api/match/{id}/guess", post(game::guess))
        .route("/api/match/{id}/summary", get(game::summary))
        .route("/api/match/{id}/predictions", get(game::predictions))
        .route("/api/match/{id}/answers", get(game::answers))
        .route("/api/report", get(report::report))
        .route("/api/openapi.json", get(openapi::openapi))
        .route("/metrics", get(state::metrics))
        .route("/v2", get(kserve::server))
        .route("/v2/health/live", get(kserve::live))
        .route("/v2/health/ready", get(kserve::ready))
        .route("/v2/models/{model}", get(kserve::metadata))
        .route("/v2/models/{model}/ready", get(kserve::model_ready))
        .route("/v2/models/{model}/infer", post(kserve::infer))
        .route("/v2/models/{model}/versions/{version}", get(kserve::metadata))
        .route("/v2/models/{model}/versions/{version}/ready", get(kserve::model_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(kserve::infer))
        .fallback(page::file)
        // Bodies are counted as they are read, by photos and by bytes.
        .layer(DefaultBodyLimit::disable())
        .route_layer(from_fn_with_state(Arc::clone(&app), measured))
        .layer(from_fn_with_state(guarded, guard))
        .with_state(app)
}

async fn measured(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = route.unwrap_or_default();
    app.metrics.request(&route, response.status().as_u16(), begun.elapsed());
    response
}
