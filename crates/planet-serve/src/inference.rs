//! The engine behind its queue: requests come from many connections, the network runs batches.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use planet::{EngineError, Model};
use planet_data::{Limits, Photo, PixelBatch, Preprocess};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{error::ApiError, metrics::Metrics};

/// How long the first photo of a batch waits for others that are being received or decoded.
const GATHER: Duration = Duration::from_millis(2);
/// Photos that the engine takes at once.
const BATCH: usize = 8;

/// A network's output for one photo.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// Scores, `[classes]`.
    pub logits: Vec<f32>,
    /// The layer below, `[features]`; empty where the model has none.
    pub embedding: Vec<f32>,
}

/// Runs a model for all requests: a bounded number of photos waits, in batches.
pub(crate) struct Inference {
    jobs: Sender<Job>,
    preprocess: Preprocess,
    limits: Limits,
    /// Photos in work at once.
    queue: usize,
    /// A permit for each photo that is received, decoded or waits.
    photos: Arc<Semaphore>,
    /// A permit for each photo that is decoded at the same time.
    decoders: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// A place in the queue; free again when it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

type Exclusive = Box<dyn FnOnce(&mut Model) + Send>;

enum Job {
    Photo { pixels: Vec<f32>, reply: oneshot::Sender<Result<Output, String>> },
    Exclusive(Exclusive),
}

impl Inference {
    /// Begins a thread that runs the model; it ends when this is dropped. At most `queue` photos
    /// are in work at once.
    pub(crate) fn new(model: Model, limits: Limits, queue: usize, metrics: Arc<Metrics>) -> Self {
        let preprocess = model.description().preprocess.clone();
        let (jobs, waiting) = mpsc::channel();
        let photos = Arc::new(Semaphore::new(queue));
        let (of_thread, places) = (Arc::clone(&metrics), Arc::clone(&photos));
        let in_work = move || queue.saturating_sub(places.available_permits());
        thread::spawn(move || work(model, &waiting, in_work, &of_thread));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            jobs,
            preprocess,
            limits,
            queue,
            photos,
            decoders: Arc::new(Semaphore::new(cores)),
            metrics,
        }
    }

    /// A place for one photo.
    ///
    /// # Errors
    /// The queue is full.
    pub(crate) fn place(&self) -> Result<Place, ApiError> {
        Arc::clone(&self.photos).try_acquire_owned().map_err(|_| ApiError::busy())
    }

    /// A place for one photo, once there is one: for work that the server does by itself.
    pub(crate) async fn wait_for_place(&self) -> Place {
        Arc::clone(&self.photos).acquire_owned().await.expect("the queue is never closed")
    }

    /// Photos that are in work.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.saturating_sub(self.photos.available_permits())
    }

    /// Photos in work at once that keep the engine and all cores busy, and leave half of the queue
    /// to requests: for work that the server does by itself.
    pub(crate) fn share(&self) -> usize {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (2 * BATCH + cores).min(self.queue / 2).max(1)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Runs the network over the bytes of a photo.
    ///
    /// # Errors
    /// The bytes cannot be decoded, or the engine fails.
    pub(crate) async fn run_bytes(
        &self,
        bytes: impl AsRef<[u8]> + Send + 'static,
        place: Place,
    ) -> Result<Output, ApiError> {
        let permit = self.decoders.acquire().await.expect("decoders are never closed");
        let (limits, preprocess) = (self.limits, self.preprocess.clone());
        let decode = move || {
            let photo = Photo::decode_for(bytes.as_ref(), &limits, &preprocess)?;
            Ok::<_, ApiError>(preprocess.apply(&photo))
        };
        let begun = Instant::now();
        let pixels = tokio::task::spawn_blocking(decode).await.map_err(ApiError::internal)??;
        self.metrics.decoding.observe(begun.elapsed());
        drop(permit);
        self.run_pixels(pixels, place).await
    }

    /// Runs the network over a preprocessed photo, `[3, height, width]`.
    ///
    /// # Errors
    /// The engine fails.
    pub(crate) async fn run_pixels(
        &self,
        pixels: Vec<f32>,
        place: Place,
    ) -> Result<Output, ApiError> {
        let (reply, output) = oneshot::channel();
        let gone = || ApiError::internal("the engine has ended");
        self.jobs.send(Job::Photo { pixels, reply }).map_err(|_| gone())?;
        let output = output.await.map_err(|_| gone())?;
        drop(place);
        output.map_err(ApiError::internal)
    }

    /// Runs something that needs the whole model; photos wait meanwhile.
    ///
    /// # Errors
    /// The engine has ended.
    pub(crate) async fn exclusive<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Model) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let (reply, result) = oneshot::channel();
        let job = move |model: &mut Model| {
            // Nobody waits for it any more.
            if !reply.is_closed() {
                let _ = reply.send(work(model));
            }
        };
        let gone = || ApiError::internal("the engine has ended");
        self.jobs.send(Job::Exclusive(Box::new(job))).map_err(|_| gone())?;
        result.await.map_err(|_| gone())
    }
}

/// Runs batches until nobody can send any more. `in_work` counts the photos that have a place.
fn work(mut model: Model, waiting: &Receiver<Job>, in_work: impl Fn() -> usize, metrics: &Metrics) {
    let [height, width] = model.description().preprocess.size;
    let mut next = None;
    while let Some(job) = next.take().or_else(|| waiting.recv().ok()) {
        let (pixels, reply) = match job {
            Job::Exclusive(work) => {
                work(&mut model);
                continue;
            }
            Job::Photo { pixels, reply } => (pixels, reply),
        };
        let mut photos = vec![(pixels, reply)];
        let until = Instant::now() + GATHER;
        // A photo that is alone waits for nobody.
        let most = if in_work() <= 1 { 1 } else { BATCH };
        while photos.len() < most {
            match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Job::Photo { pixels, reply }) => photos.push((pixels, reply)),
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        // Requests that were given up leave the queue here.
        photos.retain(|(_, reply)| !reply.is_closed());
        if photos.is_empty() {
            continue;
        }
        let mut batch = PixelBatch::with_capacity(photos.len(), height, width);
        photos.iter().for_each(|(pixels, _)| batch.push(pixels));
        let begun = Instant::now();
        let result = model.run(&batch);
        metrics.batch(photos.len(), begun.elapsed());
        for (at, (_, reply)) in photos.into_iter().enumerate() {
            let output = result.as_ref().map_err(EngineError::to_string).map(|it| Output {
                logits: it.logits_of(at).to_vec(),
                embedding: it.embedding_of(at).to_vec(),
            });
            let _ = reply.send(output);
        }
    }
}
