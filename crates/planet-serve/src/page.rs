//! The page, which is built from `web/` and embedded here.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

pub(crate) const INDEX: &str = include_str!("../../../web/dist/index.html");
pub(crate) const PAGE_JS: &[u8] = include_bytes!("../../../web/dist/page.js");
pub(crate) const PAGE_CSS: &[u8] = include_bytes!("../../../web/dist/page.css");
/// The worker of a site without a server, and what keeps that site for use without a network.
pub(crate) const WORKER_JS: &[u8] = include_bytes!("../../../web/dist/worker.js");
pub(crate) const OFFLINE: &str = include_str!("../../../web/dist/offline.js");

/// Path, media type and content of each file that is served.
const FILES: [(&str, &str, &[u8]); 3] = [
    ("/", "text/html; charset=utf-8", INDEX.as_bytes()),
    ("/page.js", "text/javascript; charset=utf-8", PAGE_JS),
    ("/page.css", "text/css; charset=utf-8", PAGE_CSS),
];

/// The page's files.
pub(crate) async fn file(uri: Uri) -> Response {
    let found = FILES.iter().find(|(path, ..)| *path == uri.path());
    match found {
        Some((_, kind, content)) => {
            ([(CONTENT_TYPE, HeaderValue::from_static(kind))], *content).into_response()
        }
        None => crate::error::ApiError::new(StatusCode::NOT_FOUND, "there is no such address")
            .hint("the addresses are listed at /api/openapi.json")
            .into_response(),
    }
}
