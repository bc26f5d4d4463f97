//! Photos that come with a request: never stored, counted before they are read.

use std::{io::Cursor, time::Duration};

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::{StatusCode, header::CONTENT_TYPE},
};
use futures_util::StreamExt;
use planet_data::{Limits, PhotoFacts, PhotoRecord};

use crate::{
    error::ApiError,
    inference::{Inference, Place},
};

/// Name of the form's fields that hold photos.
const FIELD: &str = "photo";
/// What a photo without a name is called.
const UNNAMED: &str = "photo";
/// Longest name that is kept, in bytes.
const LONGEST_NAME: usize = 1024;
/// Most memory that is reserved for a body because of the length that its header states.
const MOST_RESERVED: u64 = 8 << 20;
/// Longest time that the bytes of one photo may take.
const SLOWEST: Duration = Duration::from_secs(60);

/// One photo of a request.
pub(crate) struct Upload {
    pub name: String,
    pub bytes: Bytes,
    /// Its place in the queue.
    pub place: Place,
}

impl Upload {
    /// What the photo says of itself; nothing where its headers cannot be read.
    pub(crate) fn record(&self) -> PhotoRecord {
        record(&self.name, &self.bytes)
    }
}

/// What a photo in memory says of itself; nothing where its headers cannot be read.
pub(crate) fn record(name: &str, bytes: &Bytes) -> PhotoRecord {
    let facts = PhotoFacts::from_reader(Cursor::new(bytes), bytes.len() as u64);
    let nothing = || PhotoRecord { photo: name.to_owned(), ..PhotoRecord::default() };
    facts.map_or_else(|_| nothing(), |facts| facts.into_record(name.to_owned()))
}

/// The photos of a request: the fields `photo` of a form, or the body itself.
///
/// # Errors
/// More photos than a request may have, a photo over the limit, a full queue, or a body that is
/// no form or does not arrive.
pub(crate) async fn uploads(
    inference: &Inference,
    request: Request,
    most: usize,
) -> Result<Vec<Upload>, ApiError> {
    if !is_form(&request) {
        let most = inference.limits().bytes;
        let place = match inference.place() {
            Ok(place) => place,
            Err(busy) => {
                // A browser hears an answer only after it has sent everything.
                let _ = body(request, most).await;
                return Err(busy);
            }
        };
        let bytes = body(request, most).await?;
        return Ok(vec![Upload { name: UNNAMED.to_owned(), bytes, place }]);
    }
    let mut form = form(request).await?;
    let mut uploads = Vec::new();
    loop {
        let upload = match next_photo(&mut form, inference, FullQueue::Refuse).await {
            Ok(Some(_)) if uploads.len() == most => Err(too_many(most)),
            Ok(None) => break,
            other => other,
        };
        match upload {
            Ok(upload) => uploads.extend(upload),
            Err(error) => {
                drop(uploads);
                discard(form).await;
                return Err(error);
            }
        }
    }
    match uploads.is_empty() {
        true => Err(no_photo()),
        false => Ok(uploads),
    }
}

/// Reads the rest of a form and keeps nothing: a browser hears an answer only after it has sent
/// everything.
async fn discard(mut form: Multipart) {
    let _ = timed(async { while let Ok(Some(_)) = form.next_field().await {} }).await;
}

pub(crate) fn too_many(most: usize) -> ApiError {
    ApiError::too_large(format!("a request may have {most} photos"))
        .hint("divide the photos among several requests")
}

pub(crate) fn no_photo() -> ApiError {
    ApiError::bad_request(format!("the form has no field named {FIELD}"))
}

fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    content_type.is_some_and(|it| it.trim_start().starts_with("multipart/form-data"))
}

/// The form of a request.
///
/// # Errors
/// It has none.
pub(crate) async fn form(request: Request) -> Result<Multipart, ApiError> {
    if !is_form(&request) {
        return Err(ApiError::bad_request("the body is not multipart/form-data"));
    }
    Multipart::from_request(request, &()).await.map_err(ApiError::bad_request)
}

/// What a photo does that finds the queue full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FullQueue {
    Wait,
    Refuse,
}

/// The next photo of a form, which has its place in the queue before its bytes are read; other
/// fields are passed over.
///
/// # Errors
/// The form is broken or does not arrive, there is no place, or the photo is over the limit.
pub(crate) async fn next_photo(
    form: &mut Multipart,
    inference: &Inference,
    full: FullQueue,
) -> Result<Option<Upload>, ApiError> {
    loop {
        let field = timed(form.next_field()).await?.map_err(ApiError::bad_request)?;
        match field {
            None => return Ok(None),
            Some(field) if field.name() == Some(FIELD) => {
                let place = match full {
                    FullQueue::Wait => inference.wait_for_place().await,
                    FullQueue::Refuse => inference.place()?,
                };
                let (name, bytes) = read(field, inference.limits()).await?;
                return Ok(Some(Upload { name, bytes, place }));
            }
            Some(_) => {}
        }
    }
}

async fn read(mut field: Field<'_>, limits: &Limits) -> Result<(String, Bytes), ApiError> {
    let name = field.file_name().filter(|name| !name.is_empty()).unwrap_or(UNNAMED);
    let name: String = name.chars().filter(|it| !it.is_control()).take(LONGEST_NAME).collect();
    let read = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(ApiError::bad_request)? {
            if (bytes.len() + chunk.len()) as u64 > limits.bytes {
                return Err(over(limits.bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(bytes))
    };
    Ok((name, timed(read).await??))
}

/// The whole body of a request, of at most so many bytes.
///
/// # Errors
/// It is longer, empty, or does not arrive.
pub(crate) async fn body(request: Request, most: u64) -> Result<Bytes, ApiError> {
    let read = async {
        let stated = request.body().size_hint().lower().min(most).min(MOST_RESERVED);
        let mut bytes = Vec::with_capacity(usize::try_from(stated).unwrap_or_default());
        let mut chunks = request.into_body().into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(ApiError::bad_request)?;
            if (bytes.len() + chunk.len()) as u64 > most {
                return Err(over(most));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(bytes))
    };
    let bytes = timed(read).await??;
    match bytes.is_empty() {
        true => Err(ApiError::bad_request("the request has no body")),
        false => Ok(bytes),
    }
}

fn over(bytes: u64) -> ApiError {
    ApiError::too_large(format!("the body is larger than {bytes} bytes"))
}

async fn timed<T>(work: impl Future<Output = T>) -> Result<T, ApiError> {
    let late = |_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
    tokio::time::timeout(SLOWEST, work).await.map_err(late)
}
