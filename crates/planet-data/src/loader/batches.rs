use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use super::{Batch, Loader, LoaderError, Sample};
use crate::PixelBatch;

/// The batches of an epoch, in order. Threads decode ahead while a batch is in use; dropping
/// this ends them.
pub struct Batches {
    loader: Loader,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    next: usize,
    /// Whether an error ended the epoch.
    failed: bool,
    /// The memory of the latest batches, which is used again once they are dropped: to fetch
    /// fresh memory from the system for every batch takes as long as to decode its photos.
    lent: VecDeque<PixelBatch>,
}

/// Batches whose memory is waited for; with more in use at once, the oldest one's is given up.
const MOST_LENT: usize = 4;

/// What the threads share with the one who takes the batches.
struct Shared {
    state: Mutex<State>,
    /// A place is done.
    done: Condvar,
    /// There is room again.
    room: Condvar,
}

struct State {
    places: Box<dyn Iterator<Item = (u64, usize)> + Send>,
    /// Places handed out and not yet taken, in order; `None` while a thread works on one.
    samples: VecDeque<Option<Result<Sample, LoaderError>>>,
    /// Number of places taken so far.
    taken: usize,
    /// Most places that are handed out and not yet taken.
    window: usize,
    stopped: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Threads catch what panics outside the lock; the state is whole at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batches {
    pub(super) fn start(loader: Loader, epoch: u64, first: usize, threads: usize) -> Self {
        let batch = loader.options.batch;
        let end = loader.batches_per_epoch();
        let first = first.min(end);
        let places = loader.places(epoch).take(end * batch).skip(first * batch);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                places: Box::new(places),
                samples: VecDeque::new(),
                taken: 0,
                window: batch * (loader.options.ahead + 1),
                stopped: false,
            }),
            done: Condvar::new(),
            room: Condvar::new(),
        });
        let threads = (0..threads)
            .map(|_| {
                let (loader, shared) = (loader.clone(), Arc::clone(&shared));
                std::thread::spawn(move || work(&loader, &shared, epoch))
            })
            .collect();
        Self { loader, shared, threads, next: first, failed: false, lent: VecDeque::new() }
    }

    /// The next batch, of `photos` photos instead of [`LoaderOptions::batch`]; `None` at the end of
    /// the epoch. As many batches of this size are decoded ahead from now on.
    ///
    /// For loaders that leave out what cannot be decoded: a batch of another size than the others
    /// shifts those that follow it.
    ///
    /// [`LoaderOptions::batch`]: super::LoaderOptions::batch
    pub fn next_of(&mut self, photos: usize) -> Option<Result<Batch, LoaderError>> {
        if self.failed {
            return None;
        }
        let window = photos * (self.loader.options.ahead + 1);
        if std::mem::replace(&mut self.shared.lock().window, window) < window {
            self.shared.room.notify_all();
        }
        let batch = self.batch(photos);
        self.failed = batch.is_err();
        self.next += 1;
        batch.transpose()
    }

    /// The next sample in order; `None` at the end of the epoch.
    fn sample(&mut self) -> Option<Result<Sample, LoaderError>> {
        let mut state = self.shared.lock();
        loop {
            if let Some(Some(_)) = state.samples.front() {
                state.taken += 1;
                self.shared.room.notify_all();
                return state.samples.pop_front().flatten();
            }
            if state.samples.is_empty() && state.stopped {
                return None;
            }
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn batch(&mut self, photos: usize) -> Result<Option<Batch>, LoaderError> {
        let mut batch = Batch {
            number: self.next,
            pixels: self.memory(photos),
            rows: Vec::with_capacity(photos),
            failed: Vec::new(),
        };
        for at in 0..photos {
            match self.sample() {
                Some(sample) => {
                    let sample = sample?;
                    batch.failed.extend(sample.failed);
                    if let Some((row, fitted)) = sample.photo {
                        let preprocess = &self.loader.preprocess;
                        batch.pixels.push_with(|values| preprocess.normalise(&fitted, values));
                        batch.rows.push(row);
                    }
                }
                None if at == 0 => return Ok(None),
                None => break,
            }
        }
        self.lent.push_back(batch.pixels.clone());
        if self.lent.len() > MOST_LENT {
            self.lent.pop_front();
        }
        Ok(Some(batch))
    }

    /// An empty batch, where possible in the memory of one that has been dropped.
    fn memory(&mut self, photos: usize) -> PixelBatch {
        let free = self.lent.iter_mut().position(PixelBatch::empty_if_unshared);
        free.and_then(|at| self.lent.remove(at)).unwrap_or_else(|| {
            let [height, width] = self.loader.preprocess.size;
            PixelBatch::with_capacity(photos.min(self.loader.photos.len()), height, width)
        })
    }
}

/// One thread: takes the next place, decodes it, puts it where it belongs.
fn work(loader: &Loader, shared: &Shared, epoch: u64) {
    loop {
        let mut state = shared.lock();
        while !state.stopped && state.samples.len() >= state.window {
            state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return;
        }
        let Some((place, row)) = state.places.next() else {
            state.stopped = true;
            shared.done.notify_all();
            shared.room.notify_all();
            return;
        };
        let number = state.taken + state.samples.len();
        state.samples.push_back(None);
        drop(state);
        let sample = catch_unwind(AssertUnwindSafe(|| loader.sample(epoch, place, row)))
            .unwrap_or(Err(LoaderError::Thread));
        let mut state = shared.lock();
        // Samples are taken in order, so that this one's place is still there unless all ended.
        let at = number.wrapping_sub(state.taken);
        if let Some(slot) = state.samples.get_mut(at) {
            *slot = Some(sample);
        }
        shared.done.notify_all();
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, LoaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_of(self.loader.options.batch)
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.stopped = true;
            state.samples.clear();
        }
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that broke down has said so in its sample.
            let _ = thread.join();
        }
    }
}
