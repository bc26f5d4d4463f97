use std::{
    sync::mpsc::{Receiver, sync_channel},
    thread::JoinHandle,
};

use planet_data::{Batch, LoaderError};

/// An epoch's batches, each put together on a thread of its own while the one before is learned
/// from: a graphics card learns from a batch in the time that this takes. Dropping it ends the
/// thread.
pub(crate) struct Ahead {
    batches: Option<Receiver<Result<Batch, LoaderError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    pub(crate) fn of(
        batches: impl Iterator<Item = Result<Batch, LoaderError>> + Send + 'static,
    ) -> Self {
        let (send, receive) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            for batch in batches {
                if send.send(batch).is_err() {
                    break;
                }
            }
        });
        Self { batches: Some(receive), thread: Some(thread) }
    }
}

impl Iterator for Ahead {
    type Item = Result<Batch, LoaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.as_ref()?.recv().ok()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // The thread notices that its results are no longer received.
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // What broke down there has ended the batches; the loader says so itself.
            let _ = thread.join();
        }
    }
}
