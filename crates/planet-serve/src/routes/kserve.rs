//! The KServe Open Inference Protocol, version 2: <https://github.com/kserve/open-inference-protocol>.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use planet_data::PhotoRecord;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::tensors::{self, BinaryParts, Tensor};
use crate::{
    app::App,
    error::ApiError,
    extract,
    inference::{Output, Place},
    model::Served,
    upload::body,
};

/// Length of the JSON before binary tensors.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");
/// A package has one version.
const VERSION: &str = "1";
/// Name of the input of preprocessed pixels, f32 `[photos, 3, height, width]`.
const PIXELS: &str = "pixels";
/// Name of the input of encoded photos, BYTES `[photos]`.
const PHOTOS: &str = "photo";

/// The server's name, version and extensions.
#[utoipa::path(get, path = "/v2", responses((status = 200, body = Object)))]
pub(crate) async fn server() -> Json<Value> {
    Json(json!({
        "name": "planet",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data"],
    }))
}

/// The server runs.
#[utoipa::path(get, path = "/v2/health/live", responses((status = 200, body = Object)))]
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// The server has a model.
#[utoipa::path(get, path = "/v2/health/ready", responses((status = 200, body = Object), (status = 503)))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let ready = app.model.is_some();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready }))).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Named {
    model: String,
    version: Option<String>,
}

impl Named {
    fn model<'a>(&self, app: &'a App) -> Result<&'a Arc<Served>, ApiError> {
        match &self.version {
            Some(version) if version != VERSION => {
                Err(ApiError::not_found(format!("the model has no version '{version}'")))
            }
            _ => app.model_named(&self.model),
        }
    }
}

/// Inputs and outputs of a model.
#[utoipa::path(get, path = "/v2/models/{model}", params(("model" = String, Path,)),
    responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn metadata(
    State(app): State<Arc<App>>,
    extract::Path(named): extract::Path<Named>,
) -> Result<Json<Value>, ApiError> {
    let model = named.model(&app)?;
    let about = model.package.description();
    let [height, width] = about.preprocess.size;
    let outputs: Vec<Value> = outputs_of(model)
        .into_iter()
        .map(|(name, width)| json!({ "name": name, "datatype": "FP32", "shape": [-1, width] }))
        .collect();
    Ok(Json(json!({
        "name": model.name,
        "versions": [VERSION],
        "platform": "planet",
        "inputs": [
            { "name": PIXELS, "datatype": "FP32", "shape": [-1, 3, height, width] },
            { "name": PHOTOS, "datatype": "BYTES", "shape": [-1] },
        ],
        "outputs": outputs,
    })))
}

/// Names of the outputs and their values for each photo.
fn outputs_of(model: &Served) -> Vec<(&'static str, usize)> {
    let about = model.package.description();
    let embedding = (about.features > 0).then_some(("embedding", about.features));
    let others = [("logits", about.classes), ("probabilities", about.classes), ("position", 2)];
    others.into_iter().chain(embedding).collect()
}

/// Whether a model can be asked.
#[utoipa::path(get, path = "/v2/models/{model}/ready", params(("model" = String, Path,)),
    responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn model_ready(
    State(app): State<Arc<App>>,
    extract::Path(named): extract::Path<Named>,
) -> Result<Json<Value>, ApiError> {
    let model = named.model(&app)?;
    Ok(Json(json!({ "name": model.name, "ready": true })))
}

/// Runs a model over `pixels` (preprocessed, FP32) or `photo` (encoded photos, BYTES; base64 in
/// JSON), with JSON or binary tensors.
#[utoipa::path(post, path = "/v2/models/{model}/infer", params(("model" = String, Path,)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 413),
        (status = 422), (status = 429)))]
pub(crate) async fn infer(
    State(app): State<Arc<App>>,
    extract::Path(named): extract::Path<Named>,
    request: Request,
) -> Result<Response, ApiError> {
    let model = named.model(&app)?;
    // One place until the number of photos is known, so that bodies cannot fill the memory.
    let first = model.inference.place()?;
    let headers = request.headers().clone();
    let body = body(request, model.inference.limits().bytes).await?;
    let inference = tensors::read(&body, json_length(&headers)?)?;
    let wanted = inference.outputs(&outputs_of(model))?;
    let photos = inputs(model, &inference.inputs, app.most_photos)?;
    let mut places: Vec<Place> = vec![first];
    while places.len() < photos.len() {
        places.push(model.inference.place()?);
    }
    let mut work = JoinSet::new();
    let count = photos.len();
    for ((at, photo), place) in photos.into_iter().enumerate().zip(places) {
        let model = Arc::clone(model);
        work.spawn(async move {
            let output = match photo {
                Input::Pixels(pixels) => model.inference.run_pixels(pixels, place).await,
                Input::Photo(bytes) => model.inference.run_bytes(bytes, place).await,
            };
            (at, output)
        });
    }
    let mut outputs: Vec<Option<Output>> = vec![None; count];
    while let Some(done) = work.join_next().await {
        let (at, output) = done.map_err(ApiError::internal)?;
        outputs[at] = Some(output?);
    }
    let outputs: Vec<Output> = outputs.into_iter().flatten().collect();
    let mut tensors = Vec::new();
    for (name, binary) in wanted {
        tensors.push((tensor(model, name, &outputs)?, binary));
    }
    respond(model, inference.id, &tensors)
}

fn json_length(headers: &HeaderMap) -> Result<Option<usize>, ApiError> {
    let Some(length) = headers.get(&JSON_LENGTH) else { return Ok(None) };
    let length = length.to_str().ok().and_then(|it| it.parse().ok());
    length.map(Some).ok_or_else(|| ApiError::bad_request(format!("{JSON_LENGTH} is no number")))
}

/// One photo of a request.
enum Input {
    Pixels(Vec<f32>),
    Photo(Bytes),
}

fn inputs(model: &Served, inputs: &[Tensor], most: usize) -> Result<Vec<Input>, ApiError> {
    let [height, width] = model.package.description().preprocess.size;
    let [input] = inputs else {
        return Err(ApiError::bad_request(format!("give one input: {PIXELS} or {PHOTOS}")));
    };
    let all: Vec<Input> = match input.name.as_str() {
        PIXELS => {
            let values = input.f32(&[3, height, width])?;
            values.chunks(3 * height * width).map(|it| Input::Pixels(it.to_vec())).collect()
        }
        PHOTOS => input.bytes()?.into_iter().map(Input::Photo).collect(),
        other => return Err(ApiError::bad_request(format!("there is no input named '{other}'"))),
    };
    match all.len() {
        0 => Err(ApiError::bad_request("the input has no photos")),
        photos if photos > most => Err(crate::upload::too_many(most)),
        _ => Ok(all),
    }
}

/// One output for all photos.
fn tensor(model: &Served, name: &'static str, outputs: &[Output]) -> Result<Tensor, ApiError> {
    let mut values = Vec::new();
    for output in outputs {
        match name {
            "logits" => values.extend(&output.logits),
            "embedding" => values.extend(&output.embedding),
            "probabilities" => {
                let found =
                    model.locator.probabilities(&output.logits).map_err(ApiError::internal)?;
                values.extend(found.values());
            }
            _ => {
                let record = PhotoRecord::default();
                let prediction = model.predict(&record, &output.logits)?;
                let position = prediction.best().map(|best| best.position);
                let at = position.map_or([f32::NAN; 2], |it| [it.lat() as f32, it.lng() as f32]);
                values.extend(at);
            }
        }
    }
    Ok(Tensor::of_f32(name, outputs.len(), values))
}

fn respond(
    model: &Served,
    id: Option<String>,
    tensors: &[(Tensor, bool)],
) -> Result<Response, ApiError> {
    let mut parts = BinaryParts::default();
    let outputs: Vec<Value> =
        tensors.iter().map(|(tensor, binary)| tensor.to_json(*binary, &mut parts)).collect();
    let mut answer =
        json!({ "model_name": model.name, "model_version": VERSION, "outputs": outputs });
    if let Some(id) = id {
        answer["id"] = id.into();
    }
    if parts.is_empty() {
        return Ok(Json(answer).into_response());
    }
    let json = answer.to_string();
    let length = HeaderValue::from(json.len());
    let body = [json.into_bytes(), parts.into_bytes()].concat();
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, kind), (JSON_LENGTH, length)], body).into_response())
}
