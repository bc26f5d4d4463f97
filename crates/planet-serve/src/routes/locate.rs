use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use planet_data::PhotoRecord;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use utoipa::IntoParams;

use crate::{
    app::App,
    error::ApiError,
    extract,
    model::{MOST_CANDIDATES, Served},
    upload::{Upload, uploads},
};

/// Probability below which a class is left out of a posterior.
const LEAST: f32 = 1e-6;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocateQuery {
    /// Candidates of each photo, 1 to 20; 5 if it is not given.
    #[param(minimum = 1, maximum = 20)]
    top: Option<usize>,
    /// Whether the probability of every class is wanted.
    #[serde(default)]
    posterior: bool,
    /// The server's token, where it has one.
    #[serde(default, rename = "token")]
    _token: Option<String>,
}

/// Locates one photo or several.
///
/// The body is a form with fields named `photo`, or the bytes of one photo. One photo has the
/// object that `planet locate --format jsonl` writes; several have `{"photos": [...]}` in their
/// order, where a photo that cannot be decoded has an `error`.
#[utoipa::path(post, path = "/api/locate", params(LocateQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Object), (status = 400), (status = 408), (status = 413),
        (status = 422, description = "the photo cannot be decoded"),
        (status = 429, description = "the queue is full"), (status = 503)))]
pub(crate) async fn locate(
    State(app): State<Arc<App>>,
    extract::Query(query): extract::Query<LocateQuery>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let top = query.top.unwrap_or(5);
    if !(1..=MOST_CANDIDATES).contains(&top) {
        return Err(ApiError::bad_request(format!("top must be 1 to {MOST_CANDIDATES}")));
    }
    let model = app.model()?;
    let mut uploads = uploads(&model.inference, request, app.most_photos).await?;
    if uploads.len() == 1 {
        let upload = uploads.remove(0);
        return answer(model, upload, top, query.posterior).await.map(Json);
    }
    // Aborted where the client goes away.
    let mut work = JoinSet::new();
    let photos = uploads.len();
    for (at, upload) in uploads.into_iter().enumerate() {
        let model = Arc::clone(model);
        work.spawn(async move {
            let name = upload.name.clone();
            let answer = answer(&model, upload, top, query.posterior).await;
            let failed = |error: ApiError| json!({ "photo": name, "error": error.message() });
            (at, answer.unwrap_or_else(failed))
        });
    }
    let mut answers = vec![Value::Null; photos];
    while let Some(done) = work.join_next().await {
        let (at, answer) = done.map_err(ApiError::internal)?;
        answers[at] = answer;
    }
    Ok(Json(json!({ "photos": answers })))
}

async fn answer(
    model: &Served,
    upload: Upload,
    top: usize,
    posterior: bool,
) -> Result<Value, ApiError> {
    let record = upload.record();
    let (mut prediction, output) = model.locate(&record, upload.bytes, upload.place).await?;
    prediction.candidates.truncate(top);
    let mut answer = object(&prediction, &record)?;
    if posterior {
        let probabilities =
            model.locator.probabilities(&output.logits).map_err(ApiError::internal)?;
        let mut classes: Vec<(usize, f32)> =
            probabilities.values().iter().copied().enumerate().filter(|it| it.1 > LEAST).collect();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let (classes, probabilities): (Vec<usize>, Vec<f32>) = classes.into_iter().unzip();
        answer["posterior"] = json!({ "classes": classes, "probabilities": probabilities });
    }
    Ok(answer)
}

/// A prediction as `planet locate --format jsonl` writes it, with the photo's time.
pub(super) fn object(
    prediction: &planet::Prediction,
    record: &PhotoRecord,
) -> Result<Value, ApiError> {
    let mut object: Value =
        serde_json::from_str(&prediction.to_json()).map_err(ApiError::internal)?;
    if let Some(time) = &record.time {
        object["time"] = time.clone().into();
    }
    Ok(object)
}
