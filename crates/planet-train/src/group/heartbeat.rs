use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use super::c10d::{C10dGroup, Store};

/// How often a rank says that it lives.
const BEAT: Duration = Duration::from_secs(2);

/// A rank that was not heard of while another looked so often is lost. Looks are counted and not
/// seconds, so that ranks which were all held up for a while do not accuse each other.
const LOOKS: u32 = 10;

/// How long the store may take to answer, and how long a failure waits for its explanation.
const ANSWER: Duration = Duration::from_secs(20);
const EXPLANATION: Duration = Duration::from_secs(30);

/// The key under which it is said which rank is lost.
const LOST: &str = "lost";

/// Finds out when another rank is gone, and which one: libtorch waits for half an hour, or says
/// that some connection broke.
///
/// Every rank counts up a number in the store and looks at the number of the rank before it, so
/// that the store's work grows with the ranks and not with their square.
#[derive(Debug)]
pub(super) struct Heartbeat {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How a rank ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All have come to the end.
    InOrder,
    /// The others still wait for this one.
    Early,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Who is lost, and how one knows.
    lost: Option<String>,
    exit: Option<Exit>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this holds, so long at most.
    fn wait(&self, most: Duration, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, most, |state| !until(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Heartbeat {
    /// `holder` says who holds the store.
    pub(super) fn start(
        store: &Store,
        (rank, ranks): (usize, usize),
        group: Arc<C10dGroup>,
        holder: String,
    ) -> Result<Self, String> {
        let store = store.connect_again(ANSWER)?;
        let shared = Arc::new(Shared::default());
        let mut beats =
            Beats { store, rank, before: (rank + ranks - 1) % ranks, last: None, still: 0 };
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for beat in 0u64.. {
                let lost = match beats.look(beat) {
                    Ok(lost) => lost,
                    Err(what) => Some(format!("{holder} is gone: {what}")),
                };
                if let Some(lost) = lost {
                    theirs.lock().lost.get_or_insert(lost);
                    theirs.changed.notify_all();
                    // A device that cannot be reached any more waits no longer either.
                    let _ = group.abort();
                }
                match theirs.wait(BEAT, |state| state.exit.is_some()).exit {
                    None => {}
                    Some(Exit::InOrder) => return,
                    Some(Exit::Early) => return beats.end_early(),
                }
            }
        });
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Who is lost. Asked when something failed; waits a while until that is known.
    pub(super) fn lost(&self) -> Option<String> {
        self.shared.wait(EXPLANATION, |state| state.lost.is_some()).lost.clone()
    }

    /// Ends the heartbeat, the first time as it is said; whether all ranks came to the end.
    pub(super) fn end(&self, exit: Exit) -> bool {
        let exit = *self.shared.lock().exit.get_or_insert(exit);
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that broke down has nothing left to say.
            let _ = thread.join();
        }
        exit == Exit::InOrder
    }
}

/// What one rank says and hears.
struct Beats {
    store: Store,
    rank: usize,
    /// The rank that this one listens to.
    before: usize,
    last: Option<String>,
    still: u32,
}

impl Beats {
    /// One beat: who is lost, if anybody is.
    fn look(&mut self, beat: u64) -> Result<Option<String>, String> {
        let mine = format!("beat/{}", self.rank);
        self.store.set(&mine, &beat.to_string())?;
        // Waits for an answer no longer than the store's limit.
        self.store.wait_for(&mine)?;
        if let Some(lost) = self.store.get(LOST)? {
            return Ok(Some(lost));
        }
        let heard = self.store.get(&format!("beat/{}", self.before))?;
        self.still = if heard == self.last { self.still + 1 } else { 0 };
        self.last = heard;
        if self.before == self.rank || self.still < LOOKS {
            return Ok(None);
        }
        let seconds = BEAT.as_secs() * u64::from(LOOKS);
        let lost = format!("rank {} is gone: no heartbeat for {seconds} s", self.before);
        self.store.set(LOST, &lost)?;
        Ok(Some(lost))
    }

    /// Tells the others that this rank does not go on, unless another ended before.
    fn end_early(&self) {
        let lost =
            format!("rank {} ended before the others; its own error message says why", self.rank);
        // Where the store is gone, the others know already.
        if let Ok(None) = self.store.get(LOST) {
            let _ = self.store.set(LOST, &lost);
        }
    }
}
