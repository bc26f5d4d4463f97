use std::sync::Arc;

use planet::{EngineError, EngineErrorKind};
use rayon::prelude::*;

use super::super::NAME;
use crate::Threads;

/// The threads that share the work of one operation.
#[derive(Clone)]
pub(in crate::native) struct Workers {
    /// `None` is the pool of the process.
    pool: Option<Arc<rayon::ThreadPool>>,
    count: usize,
}

impl Workers {
    pub(in crate::native) fn new(threads: Threads) -> Result<Self, EngineError> {
        let Some(count) = threads.0 else {
            return Ok(Self { pool: None, count: rayon::current_num_threads() });
        };
        if count.get() == 1 {
            return Ok(Self { pool: None, count: 1 });
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count.get()).build();
        let pool = pool.map_err(|error| {
            EngineError::new(EngineErrorKind::Library, NAME, error.to_string()).with_source(error)
        })?;
        Ok(Self { pool: Some(Arc::new(pool)), count: count.get() })
    }

    /// Runs work on one of the threads, from which the others are reached at little cost.
    pub(in crate::native) fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None if self.count == 1 => work(),
            None => rayon::scope(|_| work()),
        }
    }

    /// Does every task once, in any order.
    pub(in crate::native) fn each(&self, tasks: usize, work: impl Fn(usize) + Sync + Send) {
        if self.count == 1 || tasks <= 1 {
            (0..tasks).for_each(work);
        } else {
            (0..tasks).into_par_iter().with_max_len(1).for_each(work);
        }
    }

    /// What the tasks give, in their order.
    pub(in crate::native) fn map<R: Send>(
        &self,
        tasks: usize,
        work: impl Fn(usize) -> R + Sync + Send,
    ) -> Vec<R> {
        if self.count == 1 {
            (0..tasks).map(work).collect()
        } else {
            (0..tasks).into_par_iter().with_max_len(1).map(work).collect()
        }
    }

    /// Does the work of every piece of so many numbers.
    pub(super) fn chunks(
        &self,
        values: &mut [f32],
        size: usize,
        work: impl Fn(usize, &mut [f32]) + Sync + Send,
    ) {
        if self.count == 1 || values.len() <= size {
            values.chunks_mut(size).enumerate().for_each(|(at, chunk)| work(at, chunk));
        } else {
            let chunks = values.par_chunks_mut(size).enumerate().with_max_len(1);
            chunks.for_each(|(at, chunk)| work(at, chunk));
        }
    }

    /// Into how many tasks work of so many multiplications is cut: some for each thread, so that all
    /// end together, but none so short that handing it over costs more.
    pub(super) fn tasks(&self, multiplications: usize) -> usize {
        /// About 10 µs of one core.
        const LEAST: usize = 500_000;
        if self.count == 1 { 1 } else { (multiplications / LEAST).clamp(1, 4 * self.count) }
    }
}
