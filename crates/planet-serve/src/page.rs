//! The page, which is built from `web/` and embedded here.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

/// Path, media type and content of each file.
const FILES: [(&str, &str, &[u8]); 3] = [
    ("/", "text/html; charset=utf-8", include_bytes!("../../../web/dist/index.html")),
    ("/page.js", "text/javascript; charset=utf-8", include_bytes!("../../../web/dist/page.js")),
    ("/page.css", "text/css; charset=utf-8", include_bytes!("../../../web/dist/page.css")),
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
