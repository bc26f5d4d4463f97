use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
};
use planet::occlusion::{OcclusionOptions, Search, Target};
use planet_data::{Limits, Monitor, Photo, PhotoError, PhotoStore};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use utoipa::IntoParams;

use crate::{app::App, error::ApiError, extract, upload::uploads};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainQuery {
    /// `best`, `truth`, `LAT,LNG`, an ISO country code, or the token of an S2 cell.
    target: Option<String>,
    /// The server's token, where it has one.
    #[serde(default, rename = "token")]
    _token: Option<String>,
}

/// Shows which parts of a photo an answer rests on.
///
/// The body is as for `/api/locate`, with one photo; the answer is what `planet explain -o x.json`
/// writes.
#[utoipa::path(post, path = "/api/explain", params(ExplainQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Object), (status = 400), (status = 413), (status = 422),
        (status = 429), (status = 503)))]
pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    extract::Query(query): extract::Query<ExplainQuery>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let model = app.model()?;
    let target: Target = match &query.target {
        Some(text) => text.parse().map_err(ApiError::bad_request)?,
        None => Target::Best,
    };
    let upload = uploads(&model.inference, request, 1).await?.remove(0);
    let truth = upload.record().known_position();
    let limits = *model.inference.limits();
    let store = Uploaded { photos: HashMap::from([(upload.name.clone(), upload.bytes)]), limits };
    let photos = vec![(upload.name, truth)];
    let options = OcclusionOptions { target, search: Search::CoarseToFine, ..Default::default() };
    let (_waiting, monitor) = Abandoned::new(app.ending.clone());
    let explained = model.inference.exclusive(move |model| {
        let mut result = None;
        let ended = model.explain(&store, &photos, &options, &monitor, |_, it| result = Some(it));
        ended.map_err(|error| error.to_string()).map(|()| result)
    });
    let result = explained.await?.map_err(ApiError::bad_request)?;
    let unprocessable =
        |error: String| ApiError::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, error);
    match result {
        Some(Ok(occlusion)) => Ok(Json(occlusion.to_json())),
        Some(Err(failure)) => Err(unprocessable(failure.to_string())),
        None => Err(ApiError::internal("the photo was not explained")),
    }
}

/// The photos of a request.
pub(super) struct Uploaded {
    pub photos: HashMap<String, Bytes>,
    pub limits: Limits,
}

impl PhotoStore for Uploaded {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let bytes = self.photos.get(id).map_or(&[][..], |bytes| &bytes[..]);
        Photo::decode(bytes, &self.limits)
    }
}

/// Ends work that nobody waits for any more, or when the server ends.
pub(super) struct Abandoned {
    waiting: std::sync::Weak<()>,
    ending: watch::Receiver<bool>,
}

impl Abandoned {
    /// The first value is held by who waits.
    pub(super) fn new(ending: watch::Receiver<bool>) -> (Arc<()>, Self) {
        let waiting = Arc::new(());
        let monitor = Self { waiting: Arc::downgrade(&waiting), ending };
        (waiting, monitor)
    }
}

impl Monitor for Abandoned {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, _steps: u64) {}

    fn cancelled(&self) -> bool {
        self.waiting.strong_count() == 0 || *self.ending.borrow()
    }
}
