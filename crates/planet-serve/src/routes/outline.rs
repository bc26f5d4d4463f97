use std::sync::{Arc, LazyLock};

use axum::{
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};

use crate::{app::App, error::ApiError, extract, outlines};

static LAND: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(outlines::of_land()));

/// The outlines of the land, in binary form.
#[utoipa::path(get, path = "/api/land", responses((status = 200, content_type = "application/octet-stream")))]
pub(crate) async fn land(headers: HeaderMap) -> Response {
    binary(&headers, env!("CARGO_PKG_VERSION"), LAND.clone())
}

/// The outlines of a model's classes in binary form, in the order of the classes.
#[utoipa::path(get, path = "/api/cells/{model}", params(("model" = String, Path,)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404)))]
pub(crate) async fn cells(
    State(app): State<Arc<App>>,
    extract::Path(name): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let model = app.model_named(&name)?;
    let fingerprint = &model.package.description().partition_fingerprint;
    Ok(binary(&headers, fingerprint, model.cells()))
}

fn binary(headers: &HeaderMap, name: &str, content: Bytes) -> Response {
    unless_known(headers, name, || {
        ([(CONTENT_TYPE, "application/octet-stream")], content).into_response()
    })
}

/// What does not change while its name does not; nothing (304) to who has it already.
pub(super) fn unless_known(
    headers: &HeaderMap,
    name: &str,
    content: impl FnOnce() -> Response,
) -> Response {
    let tag = format!("\"{name}\"");
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    // Another model may have this name tomorrow: the browser asks each time, which costs no bytes.
    let caching = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag)];
    match known {
        true => (StatusCode::NOT_MODIFIED, caching).into_response(),
        false => (caching, content()).into_response(),
    }
}
