use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    thread,
};

use planet_data::{Monitor, Occluder, Photo, PhotoStore, PixelBatch, Preprocess};
use planet_geo::{LatLng, Scale};
use rayon::prelude::*;

use super::{
    Occlusion, OcclusionError, OcclusionOptions, PhotoFailure, Reading, ResolvedTarget, map,
    passes,
    plan::{Plan, Request},
};
use crate::{Activations, CellProbabilities, Engine, Locator};

/// Longer side of the photo that a result carries, in pixels.
const PREVIEW: u32 = 1024;

/// Explains photos, each by its id and, where it is known, where it was taken; `take` gets each
/// photo's row and its result as soon as it is there.
///
/// Every photo is decoded once. Variations of one photo or several fill batches of one size;
/// while the engine works on one, the next is prepared. Memory depends on the batch, not on the
/// number of photos. The monitor counts passes: [`passes`] of a square for every photo.
///
/// # Errors
/// The options make no sense, the engine fails or gives no scores, or the monitor says to stop.
/// What is wrong with one photo is its result.
#[expect(clippy::too_many_arguments, reason = "what runs, on what, how, and who is told")]
pub fn explain(
    engine: &mut dyn Engine,
    locator: &Locator,
    preprocess: &Preprocess,
    store: &dyn PhotoStore,
    photos: &[(String, Option<LatLng>)],
    options: &OcclusionOptions,
    monitor: &dyn Monitor,
    mut take: impl FnMut(usize, Result<Occlusion, PhotoFailure>),
) -> Result<(), OcclusionError> {
    options.check()?;
    let most = passes(options, [1 << 16; 2]) as u64;
    monitor.expect(photos.len() as u64 * most);
    let mut feed = Feed {
        locator,
        preprocess,
        store,
        photos,
        options,
        next: 0,
        active: BTreeMap::new(),
        queue: VecDeque::new(),
        ended: Vec::new(),
    };
    let mut ready = feed.prepare(true);
    loop {
        if monitor.cancelled() {
            return Err(OcclusionError::Cancelled);
        }
        if let Some(batch) = ready.take() {
            // The next batch is prepared meanwhile, of what does not depend on this one.
            let (activations, next) = thread::scope(|scope| {
                let ahead = scope.spawn(|| feed.prepare(false));
                let activations = engine.run_checked(&batch.pixels);
                (activations, ahead.join())
            });
            let activations = activations?;
            if activations.classes == 0 || activations.logits.is_empty() {
                return Err(OcclusionError::NoScores { engine: engine.name().to_owned() });
            }
            ready = next.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            feed.record(&batch.jobs, &activations);
            monitor.advance(batch.jobs.len() as u64);
        }
        for (row, used, result) in feed.ended.drain(..) {
            monitor.advance(most.saturating_sub(used as u64));
            take(row, result);
        }
        if ready.is_none() {
            ready = feed.prepare(true);
        }
        if ready.is_none() && feed.is_over() {
            return Ok(());
        }
    }
}

/// A run of the network: which photo's, and what it is to see.
#[derive(Clone, Copy)]
struct Job {
    row: usize,
    request: Request,
}

struct Batch {
    pixels: PixelBatch,
    jobs: Vec<Job>,
}

/// A photo between its first run and its last.
struct Active {
    occluder: Arc<Occluder>,
    plan: Plan,
    target: Option<ResolvedTarget>,
    /// Runs of this round that have not come back.
    outstanding: usize,
    passes: usize,
    answers: BTreeMap<u32, crate::Candidate>,
}

/// Turns photos into batches and what comes of them into results.
struct Feed<'a> {
    locator: &'a Locator,
    preprocess: &'a Preprocess,
    store: &'a dyn PhotoStore,
    photos: &'a [(String, Option<LatLng>)],
    options: &'a OcclusionOptions,
    /// The first photo that was not begun.
    next: usize,
    active: BTreeMap<usize, Active>,
    queue: VecDeque<Job>,
    /// Row, runs and result of photos that are done.
    ended: Vec<(usize, usize, Result<Occlusion, PhotoFailure>)>,
}

impl Feed<'_> {
    fn is_over(&self) -> bool {
        self.next == self.photos.len() && self.active.is_empty() && self.ended.is_empty()
    }

    /// Photos that may be open at once: enough to fill two batches, whatever round each is in.
    fn room(&self) -> usize {
        3 + self.options.batch / 16
    }

    /// The next batch of what is known to be needed. A batch that is not full only if `partly`
    /// or if nothing else could fill it.
    fn prepare(&mut self, partly: bool) -> Option<Batch> {
        let size = self.options.batch.max(1);
        while self.queue.len() < size
            && self.next < self.photos.len()
            && self.active.len() < self.room()
            && (self.ended.is_empty() || self.queue.is_empty())
        {
            self.begin();
        }
        if self.queue.is_empty() || (!partly && self.queue.len() < size) {
            return None;
        }
        let jobs: Vec<Job> = self.queue.drain(..size.min(self.queue.len())).collect();
        let vary = |job: &Job| {
            let photo = &self.active[&job.row];
            let hidden = photo.plan.hidden(job.request)?;
            Some(photo.occluder.without(hidden))
        };
        let varied: Vec<Option<Vec<f32>>> = jobs.par_iter().map(vary).collect();
        let [height, width] = self.preprocess.size;
        let mut pixels = PixelBatch::with_capacity(jobs.len(), height, width);
        for (job, varied) in jobs.iter().zip(varied) {
            match varied {
                Some(values) => pixels.push(&values),
                None => pixels.push(self.active[&job.row].occluder.whole()),
            }
        }
        Some(Batch { pixels, jobs })
    }

    /// Decodes the next photo and queues its first round.
    fn begin(&mut self) {
        let row = self.next;
        self.next += 1;
        let photo = match self.store.photo(&self.photos[row].0) {
            Ok(photo) => photo,
            Err(error) => return self.ended.push((row, 0, Err(error.into()))),
        };
        let size = [photo.height(), photo.width()];
        let mut plan = Plan::new(size, self.options);
        let side = plan.grid.height.max(plan.grid.width);
        let occluder = Occluder::new(photo, self.preprocess, self.options.fill, side);
        let round = plan.first();
        let active = Active {
            occluder: Arc::new(occluder),
            plan,
            target: None,
            outstanding: round.len(),
            passes: 0,
            answers: BTreeMap::new(),
        };
        self.active.insert(row, active);
        self.queue.extend(round.into_iter().map(|request| Job { row, request }));
    }

    /// Takes what came of a batch.
    fn record(&mut self, jobs: &[Job], activations: &Activations) {
        for (at, job) in jobs.iter().enumerate() {
            let logits = activations.logits_of(at);
            if let Err(failure) = self.record_one(*job, logits) {
                let used = self.active.remove(&job.row).map_or(0, |active| active.passes);
                self.queue.retain(|other| other.row != job.row);
                self.ended.push((job.row, used, Err(failure)));
            }
        }
    }

    fn record_one(&mut self, job: Job, logits: &[f32]) -> Result<(), PhotoFailure> {
        // A photo that has failed may have had runs in this batch or the next.
        let Some(active) = self.active.get_mut(&job.row) else { return Ok(()) };
        let probabilities = self.locator.probabilities(logits)?;
        if active.target.is_none() {
            // The whole photo is the first of every photo's runs.
            let (truth, scale) = (self.photos[job.row].1, self.options.scale);
            let target = self.options.target.resolve(self.locator, truth, &probabilities, scale)?;
            active.target = Some(target);
        }
        let reading = read(self.locator, &probabilities, active.target.as_ref());
        if let Some((class, probability)) = reading.best
            && let Some(candidate) = self.locator.candidate(class, probability)
        {
            active.answers.entry(class.0).or_insert(candidate);
        }
        active.plan.record(job.request, reading);
        active.passes += 1;
        active.outstanding -= 1;
        if active.outstanding > 0 {
            return Ok(());
        }
        let round = active.plan.next();
        active.outstanding = round.len();
        if round.is_empty() {
            self.finish(job.row);
        } else {
            self.queue.extend(round.into_iter().map(|request| Job { row: job.row, request }));
        }
        Ok(())
    }

    fn finish(&mut self, row: usize) {
        let Some(active) = self.active.remove(&row) else { return };
        let Some((whole, boxes)) = active.plan.finish() else { return };
        let photo = active.occluder.photo();
        let result = Occlusion {
            photo: self.photos[row].0.clone(),
            size: [photo.height(), photo.width()],
            target: active.target.expect("the first run found it"),
            scale: self.options.scale,
            whole,
            boxes,
            passes: active.passes,
            answers: active.answers,
            preview: preview(photo),
        };
        self.ended.push((row, result.passes, Ok(result)));
    }
}

fn read(
    locator: &Locator,
    probabilities: &CellProbabilities,
    target: Option<&ResolvedTarget>,
) -> Reading {
    let best = locator.best(probabilities);
    let Some(target) = target else { return Reading { best, ..Reading::default() } };
    let of = |class: &planet_geo::ClassId| f64::from(probabilities.of(*class));
    let within = target
        .position
        .map_or([0.0; Scale::ALL.len()], |middle| locator.within(probabilities, middle));
    Reading { target: target.classes.iter().map(of).sum(), within, best }
}

/// The photo small enough for a picture.
fn preview(photo: &Photo) -> Photo {
    let size = map::raster_size([photo.height(), photo.width()], PREVIEW);
    if size == [photo.height() as usize, photo.width() as usize] {
        return photo.clone();
    }
    resized(photo, size)
}

/// A photo in another size, `[height, width]`.
pub(super) fn resized(photo: &Photo, size: [usize; 2]) -> Photo {
    let plain = Preprocess { size, mean: [0.0; 3], std: [1.0; 3], ..Preprocess::inception(1) };
    let (values, plane) = (plain.apply(photo), size[0] * size[1]);
    let byte = |at: usize| (values[at % 3 * plane + at / 3] * 255.0).round() as u8;
    let pixels = (0..3 * plane).map(byte).collect();
    Photo::from_rgb(size[1] as u32, size[0] as u32, pixels).expect("three bytes for every pixel")
}
