use std::{
    error::Error,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::UNIX_EPOCH,
};

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use planet_data::{DiskStore, NoMonitor, PhotoStore, thumbnail_jpeg};
use planet_library::writing::{
    Action, Journal, LibraryLock, LockError, PlannedWrite, SidecarName, SidecarWriter, SkipReason,
    WriteError,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::outline::unless_known;
use crate::{
    app::App,
    error::{ApiError, has_no_room},
    extract,
    review::{Decided, Item, Review, Stage, State as ReviewState},
};

fn review(app: &App) -> Result<&Arc<Review>, ApiError> {
    let none =
        || ApiError::not_found("no library is open").hint("start the server with --library DIR");
    app.review.as_ref().ok_or_else(none)
}

/// The library under review: every photo with its proposal, evidence and decision, in order of
/// time. Who asks with the `ETag` of an earlier answer (`If-None-Match`) hears nothing (304) while
/// nothing has changed.
#[utoipa::path(get, path = "/api/library",
    responses((status = 200, body = Object), (status = 304), (status = 404)))]
pub(crate) async fn library(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let review = review(&app)?;
    let state = review.state();
    let (done, total) = (review.done.load(Relaxed), review.total.load(Relaxed));
    // Another server counts its versions from the beginning.
    let begun = review.located.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos());
    let name = match &state.stage {
        Stage::Working(stage) => format!("{begun}-{stage}-{done}-{total}"),
        _ => format!("{begun}-{}", state.version),
    };
    Ok(unless_known(&headers, &name, || Json(whole(review, &state)).into_response()))
}

fn whole(review: &Review, state: &ReviewState) -> Value {
    let (name, progress, error) = match &state.stage {
        Stage::Working(stage) => {
            let (done, total) = (review.done.load(Relaxed), review.total.load(Relaxed));
            ("working", json!({ "stage": stage, "done": done, "total": total }), None)
        }
        Stage::Ready => ("ready", Value::Null, None),
        Stage::Failed(error) => ("failed", Value::Null, Some(error.clone())),
    };
    let photos: Vec<Value> =
        state.items.iter().enumerate().map(|(id, it)| photo_of(id, it)).collect();
    json!({
        "folder": review.folder(),
        "state": name,
        "progress": progress,
        "error": error,
        "version": state.version,
        "photos": photos,
    })
}

fn photo_of(id: usize, item: &Item) -> Value {
    let at = |it: planet_geo::LatLng| json!({ "lat": it.lat(), "lng": it.lng() });
    let found = item.prediction.certain.as_ref().filter(|_| item.prediction.truth.is_none());
    let found = found.map(|certain| {
        json!({
            "lat": certain.position.lat(),
            "lng": certain.position.lng(),
            "radius_km": certain.level.radius().km(),
            "probability": certain.probability,
            "level": certain.level.name(),
            "name": certain.name,
        })
    });
    let evidence = item.prediction.evidence.iter().map(|it| it.kind.to_string());
    let evidence: Vec<String> = evidence.collect();
    json!({
        "id": id,
        "photo": item.record.photo,
        "time": item.record.time,
        "known": item.prediction.truth.map(at),
        "found": found,
        "evidence": evidence,
        "decision": item.decision,
        "position": item.position().filter(|_| item.prediction.truth.is_none()).map(at),
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct SizeQuery {
    /// Longer side in pixels, 40 to 2048; 160 if it is not given.
    #[param(minimum = 40, maximum = 2048)]
    size: Option<u32>,
    /// The server's token, where it has one.
    #[serde(default, rename = "token")]
    _token: Option<String>,
}

/// A photo of the library as a small JPEG without metadata.
#[utoipa::path(get, path = "/api/library/photo/{id}", params(("id" = usize, Path,), SizeQuery),
    responses((status = 200, content_type = "image/jpeg"), (status = 400), (status = 404), (status = 422)))]
pub(crate) async fn photo(
    State(app): State<Arc<App>>,
    extract::Path(id): extract::Path<usize>,
    extract::Query(query): extract::Query<SizeQuery>,
) -> Result<Response, ApiError> {
    let size = query.size.unwrap_or(160);
    if !(40..=2048).contains(&size) {
        return Err(ApiError::bad_request("size must be 40 to 2048"));
    }
    let review = review(&app)?;
    let name = review.state().items.get(id).map(|item| item.record.photo.clone());
    let name = name.ok_or_else(|| ApiError::not_found(format!("there is no photo {id}")))?;
    let store = DiskStore::new(&review.options.folder);
    let jpeg = move || {
        let photo = store.photo(&name)?;
        let size = size.min(photo.width().max(photo.height()));
        Ok::<_, ApiError>(thumbnail_jpeg(&photo, size))
    };
    let jpeg = tokio::task::spawn_blocking(jpeg).await.map_err(ApiError::internal)??;
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "private, max-age=3600")], jpeg)
        .into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decisions {
    /// The version that the decisions were made upon.
    version: u64,
    decisions: Vec<OneDecision>,
}

#[derive(Deserialize, ToSchema)]
struct OneDecision {
    id: usize,
    #[serde(flatten)]
    decided: Decided,
}

/// Keeps decisions about photos.
#[utoipa::path(post, path = "/api/library/decisions", request_body = Decisions,
    responses((status = 200, body = Object), (status = 400), (status = 404),
        (status = 409, description = "something changed since that version")))]
pub(crate) async fn decisions(
    State(app): State<Arc<App>>,
    extract::Json(body): extract::Json<Decisions>,
) -> Result<Response, ApiError> {
    let review = Arc::clone(review(&app)?);
    let all: Vec<_> = body.decisions.into_iter().map(|it| (it.id, it.decided)).collect();
    let decide = move || review.decide(body.version, &all);
    let decided = tokio::task::spawn_blocking(decide).await.map_err(ApiError::internal)??;
    Ok(match decided {
        Ok(version) => Json(json!({ "version": version })).into_response(),
        Err(version) => {
            let error = "the library was changed in another window; load it again";
            (StatusCode::CONFLICT, Json(json!({ "error": error, "version": version })))
                .into_response()
        }
    })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// The version that the owner looked at.
    version: u64,
    /// Whether to write; else only say what would be written.
    apply: bool,
}

/// Writes accepted and corrected positions into sidecars, as `planet library write` does, or says
/// what would be written.
#[utoipa::path(post, path = "/api/library/write", request_body = Write,
    responses((status = 200, body = Object), (status = 400), (status = 404),
        (status = 409, description = "something changed since that version, or another process writes")))]
pub(crate) async fn write(
    State(app): State<Arc<App>>,
    extract::Json(body): extract::Json<Write>,
) -> Result<Json<Value>, ApiError> {
    let review = Arc::clone(review(&app)?);
    let work = move || {
        let conflict = |what: String| ApiError::new(StatusCode::CONFLICT, what);
        let items = {
            let state = review.state();
            if state.version != body.version {
                return Err(conflict("the library was changed in another window".to_owned()));
            }
            state.items.clone()
        };
        let folder = &review.options.folder;
        let _lock = LibraryLock::take(folder).map_err(|error| match error {
            LockError::Held { .. } => conflict(error.to_string()),
            _ => not_written(error),
        })?;
        let writer = SidecarWriter::new(folder, SidecarName::WithExtension, Some(review.located))
            .map_err(ApiError::internal)?;
        let options = &review.options.proposals;
        let planned: Vec<PlannedWrite> = items
            .iter()
            .filter_map(|item| item.proposal(folder, options, &review.gazetteer))
            .map(|proposal| writer.plan(proposal))
            .collect();
        let mut failed = Vec::new();
        if body.apply {
            failed = apply(&review, &writer, &planned)?;
        }
        Ok(said(&review, &planned, &failed, body.apply))
    };
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?.map(Json)
}

/// Photos that could not be written, and why.
///
/// # Errors
/// There is no room, or nothing at all could be written.
fn apply(
    review: &Review,
    writer: &SidecarWriter,
    planned: &[PlannedWrite],
) -> Result<Vec<(String, String)>, ApiError> {
    let mut journal = Journal::open(&review.options.journal).map_err(not_written)?;
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (mut written, mut failed) = (0, Vec::new());
    writer
        .apply(planned, &mut journal, (&time, "planet serve"), &NoMonitor, |planned, result| {
            match result {
                Ok(()) => written += 1,
                Err(error) => failed.push((planned.proposal.photo.clone(), error)),
            }
        })
        .map_err(not_written)?;
    let is_fatal = |it: &(String, WriteError)| written == 0 || has_no_room(&it.1);
    if let Some(at) = failed.iter().position(is_fatal) {
        return Err(not_written(failed.swap_remove(at).1));
    }
    Ok(failed.into_iter().map(|(photo, error)| (photo, error.to_string())).collect())
}

/// What was written until then stands in the journal, and the same request writes the rest.
fn not_written(error: impl Error + 'static) -> ApiError {
    ApiError::storage(&error).hint("make room or change the rights, then write again")
}

fn said(
    review: &Review,
    planned: &[PlannedWrite],
    failed: &[(String, String)],
    apply: bool,
) -> Value {
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for PlannedWrite { proposal, action } in planned {
        let reason = match action {
            Action::Create(file) | Action::Change(file) => {
                match failed.iter().find(|it| it.0 == proposal.photo) {
                    Some((_, error)) => error.clone(),
                    None => {
                        files.push(json!({
                            "photo": proposal.photo,
                            "file": file.strip_prefix(&review.options.folder).unwrap_or(file),
                            "lat": proposal.position.lat(),
                            "lng": proposal.position.lng(),
                            "radius_m": proposal.accuracy_m,
                            "name": proposal.names[0],
                        }));
                        continue;
                    }
                }
            }
            Action::Written(_) => "written already".to_owned(),
            Action::Skip(SkipReason::Sidecar(error)) => error.to_string(),
            Action::Skip(SkipReason::Unreadable(error)) => error.to_string(),
            Action::Skip(reason) => reason.name().to_owned(),
        };
        skipped.push(json!({ "photo": proposal.photo, "reason": reason }));
    }
    let journal = apply.then(|| review.options.journal.display().to_string());
    json!({ "apply": apply, "files": files, "skipped": skipped, "journal": journal })
}
