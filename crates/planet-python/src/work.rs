//! Long work: without the interpreter's lock, on threads of this process, ended by Ctrl-C.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use planet_data::Monitor;
use pyo3::prelude::*;
use rayon::ThreadPool;

use crate::failure::failed;

/// How often Python is asked whether the user pressed Ctrl-C.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// Whether work is to end: set by Ctrl-C, and when nobody waits for its results any more.
#[derive(Clone, Debug, Default)]
pub struct Flag(Arc<AtomicBool>);

impl Flag {
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Monitor for Flag {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, _steps: u64) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The threads that computations share. A process that was forked has none of its parent's
/// threads, so that it gets its own.
fn pool() -> Result<Arc<ThreadPool>, String> {
    static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let own = process::id();
    if let Some((_, pool)) = slot.as_ref().filter(|(owner, _)| *owner == own) {
        return Ok(Arc::clone(pool));
    }
    let built = rayon::ThreadPoolBuilder::new().build().map_err(|error| error.to_string())?;
    let pool = Arc::new(built);
    // The parent's pool would wait for threads that are not there.
    std::mem::forget(slot.replace((own, Arc::clone(&pool))));
    Ok(pool)
}

/// What work sends while it goes on; the end is the sender's end.
pub struct Results<T> {
    receiver: Mutex<Receiver<Result<T, PyErr>>>,
    flag: Flag,
}

impl<T: Send + 'static> Results<T> {
    /// Starts work over something that only one thread may use at a time. The lock is taken
    /// outside the pool, whose threads must never wait for it.
    pub fn start<S: Send + 'static>(
        shared: Arc<Mutex<S>>,
        work: impl FnOnce(&mut S, &Flag, &Sender<Result<T, PyErr>>) + Send + 'static,
    ) -> PyResult<Self> {
        let pool = pool().map_err(failed)?;
        let (sender, receiver) = channel();
        let flag = Flag::default();
        let own = flag.clone();
        thread::spawn(move || {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let (state, results) = (&mut *state, sender.clone());
            let run = || pool.install(move || work(state, &own, &results));
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                let what = "the computation panicked; please report this defect";
                let _ = sender.send(Err(failed(what)));
            }
        });
        Ok(Self { receiver: Mutex::new(receiver), flag })
    }

    /// The next result; `None` at the end.
    pub fn next(&self, py: Python<'_>) -> PyResult<Option<T>> {
        loop {
            let wait = || {
                let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
                receiver.recv_timeout(ASKED_EVERY)
            };
            match py.detach(wait) {
                Ok(result) => return result.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    py.check_signals().inspect_err(|_| self.flag.set())?;
                }
            }
        }
    }
}

impl<T> Drop for Results<T> {
    fn drop(&mut self) {
        self.flag.set();
    }
}

/// Runs work that gives one result.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&Flag) -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    run_on(py, &Arc::new(Mutex::new(())), |(), flag| work(flag))
}

/// The same over something that only one thread may use at a time.
pub fn run_on<S: Send + 'static, T: Send + 'static>(
    py: Python<'_>,
    shared: &Arc<Mutex<S>>,
    work: impl FnOnce(&mut S, &Flag) -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    let results = Results::start(Arc::clone(shared), move |state, flag, sender| {
        // Nobody waits after Ctrl-C.
        let _ = sender.send(work(state, flag));
    })?;
    results.next(py)?.ok_or_else(|| failed("the computation ended without a result"))
}
