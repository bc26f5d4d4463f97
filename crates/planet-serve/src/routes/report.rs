use std::sync::Arc;

use axum::{
    extract::State,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS},
    response::{IntoResponse, Response},
};

use crate::{app::App, error::ApiError};

/// A report shows its own styles and pictures, and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
     frame-ancestors 'self'; sandbox";

/// The page of an evaluation, where the server was given one.
#[utoipa::path(get, path = "/api/report", responses((status = 200, content_type = "text/html"), (status = 404)))]
pub(crate) async fn report(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let path = app.report.clone().ok_or_else(|| {
        ApiError::not_found("there is no report")
            .hint("planet evaluate writes one; start the server with --report REPORT/index.html")
    })?;
    let read = tokio::task::spawn_blocking(move || std::fs::read(path));
    let page = read.await.map_err(ApiError::internal)?.map_err(ApiError::not_found)?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    Ok((headers, page).into_response())
}
