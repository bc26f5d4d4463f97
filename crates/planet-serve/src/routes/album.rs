use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{Multipart, Request, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use planet::{
    Candidate, LocatorOptions, Prediction,
    album::{AlbumInput, Embeddings, PhotoProbabilities, Scheme, albums, locate_albums},
};
use planet_data::{NoMonitor, PhotoRecord};
use planet_library::{Library, ModelOutput};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::locate::object;
use crate::{
    app::App,
    error::ApiError,
    extract,
    inference::Output,
    model::{MOST_CANDIDATES, Served},
    upload::{FullQueue, form, next_photo, no_photo, too_many},
};

/// Candidates of an answer; its posterior has up to [`MOST_CANDIDATES`].
const CANDIDATES: usize = 5;
/// Photos that an album may have.
const MOST_PHOTOS: usize = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlbumQuery {
    /// How neighbouring photos are combined: one of the schemes that `/api/state` lists.
    scheme: Option<String>,
    /// The server's token, where it has one.
    #[serde(default, rename = "token")]
    _token: Option<String>,
}

type Events = mpsc::Sender<Result<Event, Infallible>>;

/// Locates the photos of an album together.
///
/// The body is a form with 2 to 1000 fields named `photo`. The answer is a stream of events:
/// `progress` with `{"done", "stage"}`, then `result` with `{"scheme", "photos": [{"photo", "time",
/// "alone", "album"}]}` in the order of time, or `error` with `{"error"}`. What a photo says alone and
/// what the album says of it are answers as of `/api/locate`, each with the `posterior` of its most
/// probable classes.
#[utoipa::path(post, path = "/api/album", params(AlbumQuery),
    request_body(content = Vec<u8>, content_type = "multipart/form-data"),
    responses((status = 200, content_type = "text/event-stream"), (status = 400), (status = 503)))]
pub(crate) async fn album(
    State(app): State<Arc<App>>,
    extract::Query(query): extract::Query<AlbumQuery>,
    request: Request,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let model = Arc::clone(app.model()?);
    let scheme: Scheme = match &query.scheme {
        Some(name) => name.parse().map_err(ApiError::bad_request)?,
        None => Scheme::Average,
    };
    if !model.schemes().contains(&scheme) {
        return Err(ApiError::bad_request(format!("the model has no scheme named {scheme}")));
    }
    let form = form(request).await?;
    let (events, stream) = mpsc::channel(16);
    let mut ending = app.ending.clone();
    tokio::spawn(async move {
        // Streams must end with the server, or it would wait for them.
        tokio::select! {
            () = located(&model, scheme, form, &events) => {}
            _ = ending.wait_for(|ended| *ended) => {}
            () = events.closed() => {}
        }
    });
    Ok(Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::default()))
}

async fn located(model: &Served, scheme: Scheme, form: Multipart, events: &Events) {
    let (name, data) = match together(model, scheme, form, events).await {
        Ok(result) => ("result", result),
        Err(error) => ("error", json!({ "error": error.message() })),
    };
    send(events, name, &data).await;
}

async fn send(events: &Events, name: &str, data: &Value) {
    let event = Event::default().event(name).data(data.to_string());
    // A client that went away hears nothing more.
    let _ = events.send(Ok(event)).await;
}

/// A photo and what the network says of it.
struct Member {
    record: PhotoRecord,
    output: Result<Output, String>,
}

async fn together(
    model: &Served,
    scheme: Scheme,
    mut form: Multipart,
    events: &Events,
) -> Result<Value, ApiError> {
    let inference = &model.inference;
    let mut members = Vec::new();
    // Each photo is dropped before the next one is read: an album takes the memory of one.
    while let Some(upload) = next_photo(&mut form, inference, FullQueue::Wait).await? {
        if members.len() == MOST_PHOTOS {
            return Err(too_many(MOST_PHOTOS));
        }
        let record = upload.record();
        let output = inference.run_bytes(upload.bytes, upload.place).await;
        members.push(Member { record, output: output.map_err(|it| it.message().to_owned()) });
        let progress = json!({ "done": members.len(), "stage": "network" });
        send(events, "progress", &progress).await;
    }
    if members.is_empty() {
        return Err(no_photo());
    }
    // Without a name of an album they are one.
    members.sort_by(|a, b| {
        a.record
            .time
            .is_none()
            .cmp(&b.record.time.is_none())
            .then_with(|| a.record.time.cmp(&b.record.time))
    });
    for member in &mut members {
        member.record.album = Some("album".to_owned());
        member.record.author = None;
    }
    let photos = by_scheme(model, scheme, &members).await?;
    let rows: Result<Vec<Value>, ApiError> = members
        .iter()
        .zip(photos)
        .map(|(Member { record, output }, album)| {
            let alone = match output {
                Ok(output) => model.predict(record, &output.logits)?,
                Err(error) => Prediction::failed(&record.photo, error),
            };
            Ok(json!({
                "photo": record.photo,
                "time": record.time,
                "alone": answer(alone, record)?,
                "album": answer(album, record)?,
            }))
        })
        .collect();
    Ok(json!({ "scheme": scheme, "photos": rows? }))
}

/// An answer with the most probable classes as its posterior.
fn answer(mut prediction: Prediction, record: &PhotoRecord) -> Result<Value, ApiError> {
    let class = |it: &Candidate| Some((it.class?.0, it.probability?));
    let (classes, probabilities): (Vec<u32>, Vec<f32>) =
        prediction.candidates.iter().filter_map(class).unzip();
    prediction.candidates.truncate(CANDIDATES);
    let mut answer = object(&prediction, record)?;
    answer["posterior"] = json!({ "classes": classes, "probabilities": probabilities });
    Ok(answer)
}

async fn by_scheme(
    model: &Served,
    scheme: Scheme,
    members: &[Member],
) -> Result<Vec<Prediction>, ApiError> {
    let records: Vec<PhotoRecord> = members
        .iter()
        .enumerate()
        // Two photos may have one name.
        .map(|(at, it)| PhotoRecord { photo: at.to_string(), ..it.record.clone() })
        .collect();
    let mut predictions = vec![Prediction::default(); members.len()];
    if scheme == Scheme::Hmm {
        by_hmm(model, members, &records, &mut predictions)?;
    } else {
        let (locator, albums) = (model.plain_locator(), albums(&records));
        let emit = |row: usize, it| predictions[row] = it;
        let located = match scheme.is_sequence() {
            true => {
                let embeddings = embeddings(model, members);
                model
                    .with_sequence(scheme, |network| {
                        let input = AlbumInput::Sequence(network, &embeddings);
                        locate_albums(&records, &albums, scheme, input, &locator, &NoMonitor, emit)
                    })
                    .await?
            }
            false => {
                let output = probabilities(model, members)?;
                let input = AlbumInput::Probabilities(&output);
                locate_albums(&records, &albums, scheme, input, &locator, &NoMonitor, emit)
            }
        };
        located.map_err(ApiError::internal)?;
    }
    for (prediction, member) in predictions.iter_mut().zip(members) {
        prediction.photo.clone_from(&member.record.photo);
        prediction.truth = member.record.known_position();
        prediction.warning = model.warning();
    }
    Ok(predictions)
}

fn probabilities(model: &Served, members: &[Member]) -> Result<PhotoProbabilities, ApiError> {
    let of = |member: &Member| {
        let output = member.output.as_ref().ok()?;
        Some(model.locator.probabilities(&output.logits).ok()?.values().to_vec())
    };
    let classes = model.locator.partition().len();
    PhotoProbabilities::of(classes, members.iter().map(of)).map_err(ApiError::internal)
}

fn embeddings(model: &Served, members: &[Member]) -> Embeddings {
    let mut embeddings = Embeddings::new(String::new(), model.package.description().features);
    for (at, member) in members.iter().enumerate() {
        if let Ok(output) = &member.output {
            embeddings.add(&at.to_string(), &output.embedding);
        }
    }
    embeddings
}

/// Known positions are evidence here.
fn by_hmm(
    model: &Served,
    members: &[Member],
    records: &[PhotoRecord],
    predictions: &mut [Prediction],
) -> Result<(), ApiError> {
    let computed = probabilities(model, members)?;
    let probabilities = |row: usize| computed.get(row);
    let partition = model.package.partition();
    let output = ModelOutput { partition, probabilities: &probabilities, prior: None };
    let library = Library::new(records, Some(output));
    let known = library.known_positions();
    let options = LocatorOptions { top: MOST_CANDIDATES, ..LocatorOptions::default() };
    let calibration =
        library.calibrate(&known, &options, &NoMonitor).map_err(ApiError::internal)?;
    let gazetteer = model.locator.shared_gazetteer();
    library
        .locate(&known, &calibration, &options, &gazetteer, &NoMonitor, |row, it| {
            predictions[row] = it;
        })
        .map_err(ApiError::internal)?;
    Ok(())
}
