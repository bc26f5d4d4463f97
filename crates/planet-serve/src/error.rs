use std::{error::Error, io};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use planet::EngineError;
use planet_data::PhotoError;
use serde_json::json;

/// Seconds after which a refused request may be sent again.
const RETRY_SECONDS: u64 = 1;

/// Why a request has no answer: a status and one sentence, as JSON `{"error", "hint"}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: String,
    hint: Option<String>,
}

/// Whether the cause is a full disk, a quota, or a limit of the process.
pub(crate) fn has_no_room(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let is_full = |it: &io::Error| matches!(it.kind(), StorageFull | QuotaExceeded | FileTooLarge);
    std::iter::successors(Some(error), |&it| it.source())
        .any(|it| it.downcast_ref::<io::Error>().is_some_and(is_full))
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: impl ToString) -> Self {
        Self { status, error: error.to_string(), hint: None }
    }

    pub(crate) fn bad_request(error: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn not_found(error: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// The queue is full.
    pub(crate) fn busy() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "the server is busy")
            .hint("send the request again after the seconds that Retry-After states")
    }

    pub(crate) fn too_large(error: impl ToString) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    /// There is no model, and no answer without one.
    pub(crate) fn no_model() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no model is loaded")
            .hint("start the server with planet serve --model MODEL")
    }

    /// A file cannot be written: 507 where there is no room, else 500.
    pub(crate) fn storage(error: &(dyn Error + 'static)) -> Self {
        let status = match has_no_room(error) {
            true => StatusCode::INSUFFICIENT_STORAGE,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error)
    }

    /// Something of ours failed.
    pub(crate) fn internal(error: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    }

    /// The same in other words.
    pub(crate) fn said(self, error: String) -> Self {
        Self { error, ..self }
    }

    pub(crate) fn hint(mut self, hint: impl ToString) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The sentence.
    pub(crate) fn message(&self) -> &str {
        &self.error
    }
}

impl From<PhotoError> for ApiError {
    fn from(error: PhotoError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.error });
        if let Some(hint) = self.hint {
            body["hint"] = hint.into();
        }
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}
