use std::sync::{Mutex, PoisonError};

use planet_data::{FailedPhoto, Monitor};
use planet_train::{AlbumSamples, Epoch, Run, Samples, Status, TrainMonitor};

use crate::progress::Progress;

/// Failed photos that are named; the others are only counted.
const NAMED: usize = 20;

/// What is counted in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Photos whose cell came first.
    Cells,
    /// Copies that were found.
    Copies,
}

impl Counted {
    /// In tables and lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cells => "cell",
            Self::Copies => "copies",
        }
    }
}

/// Training on a terminal: a bar a epoch, a line behind each.
pub struct TrainProgress {
    progress: Progress,
    counted: Counted,
    /// Photos that failed, named once each.
    failed: Mutex<Vec<String>>,
}

impl TrainProgress {
    /// Draws nothing where not `shown`: of several processes one does.
    pub fn new(shown: bool) -> Self {
        let progress = if shown { Progress::new("photos") } else { Progress::silent() };
        Self { progress, counted: Counted::Cells, failed: Mutex::default() }
    }

    /// For codes of near-duplicates.
    pub fn of_codes() -> Self {
        Self { counted: Counted::Copies, ..Self::new(true) }
    }

    /// Says what is learned from.
    pub fn samples(&self, name: &str, samples: &Samples) {
        self.progress.say(&format!(
            "{name}: {} photos with a position, {} of them outside every cell; {} without a position",
            samples.len(),
            samples.outside(),
            samples.without_position()
        ));
    }

    /// Says how many photos codes are learned from.
    pub fn codes(&self, name: &str, photos: usize) {
        self.progress.say(&format!("{name}: {photos} photos"));
    }

    /// Says which albums are learned from.
    pub fn albums(&self, name: &str, samples: &AlbumSamples) {
        self.progress.say(&format!(
            "{name}: {} albums, {} photos; {} without a position, {} outside every cell, {} \
             that could not be decoded",
            samples.len(),
            samples.photos(),
            samples.without_position(),
            samples.outside(),
            samples.without_embedding()
        ));
    }

    /// Says what begins.
    pub fn begin(&self, run: &Run) {
        let count = run.network().count();
        self.progress.say(&format!(
            "{}: {} parameters, {} classes, {} photos; {}",
            run.network().name(),
            count.parameters,
            run.network().classes(),
            run.photos(),
            run.backend()
        ));
        if let Some(matched) = run.matched() {
            self.progress.say(&format!(
                "initial weights: {} loaded, {} with another shape ({}), {} missing, {} unknown",
                matched.taken,
                matched.other_shape.len(),
                matched.other_shape.join(", "),
                matched.missing.len(),
                matched.unknown.len()
            ));
        }
    }

    /// Ends the bar and names the photos that failed.
    pub fn finish(&self) {
        self.progress.finish();
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        for line in failed.iter().take(NAMED) {
            anstream::eprintln!("{line}");
        }
        if failed.len() > NAMED {
            anstream::eprintln!("and {} more photos cannot be decoded", failed.len() - NAMED);
        }
    }
}

impl Monitor for TrainProgress {
    fn expect(&self, steps: u64) {
        self.progress.restart(steps);
    }

    fn advance(&self, steps: u64) {
        self.progress.advance(steps);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}

impl TrainMonitor for TrainProgress {
    fn step(&self, status: &Status) {
        let Status { epoch, epochs, loss, photos_per_second, .. } = status;
        self.progress.message(format!(
            "epoch {epoch} of at most {epochs}, loss {loss:.3}, {photos_per_second:.0} photos/s"
        ));
    }

    fn failed(&self, photo: &FailedPhoto) {
        let line = format!("{}: {}", photo.photo, photo.error);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed.contains(&line) {
            failed.push(line);
        }
    }

    fn epoch(&self, epoch: &Epoch) {
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let name = self.counted.name();
        let validation = epoch.validation.as_ref().map_or_else(String::new, |scores| {
            let within: Vec<String> = scores.within_1.iter().map(|share| percent(*share)).collect();
            let within = match self.counted {
                Counted::Cells => format!(", within {}", within.join(" ")),
                Counted::Copies => String::new(),
            };
            let (loss, found) = (scores.loss, percent(scores.cell_1));
            format!("; validation loss {loss:.3}, {name} {found}{within}")
        });
        self.progress.say(&format!(
            "epoch {}: loss {:.3}, {name} {}{validation}; {:.0} photos/s, {} waiting, {:.1} min",
            epoch.epoch,
            epoch.loss,
            percent(epoch.cell_1),
            epoch.photos_per_second,
            percent(epoch.waiting),
            epoch.minutes,
        ));
    }
}
