//! Sums over the batches of an epoch.

use std::time::Duration;

use planet::GUESSES;

use crate::{GroupError, ProcessGroup, Running, task::Learnt};

impl Running {
    /// What one batch of one rank came to.
    pub(crate) fn of(learnt: &Learnt, whole: Duration) -> Self {
        let Learnt { report, failed, waiting, .. } = learnt;
        let photos = report.photos.len();
        let within =
            |most: usize| report.photos.iter().filter(|it| (it.rank as usize) < most).count();
        Self {
            photos: photos as u64,
            loss: report.loss * photos as f64,
            auxiliary: report.auxiliary.unwrap_or_default() * photos as f64,
            first: within(1) as u64,
            among_five: within(GUESSES) as u64,
            failed: failed.len() as u64,
            seconds: whole.as_secs_f64(),
            waiting: waiting.as_secs_f64(),
        }
    }

    /// The sums over all ranks, of `more` too; seconds are those of the mean rank.
    pub(crate) fn over_ranks(
        self,
        group: &ProcessGroup,
        more: &mut [f64; 2],
    ) -> Result<Self, GroupError> {
        if group.size() == 1 {
            return Ok(self);
        }
        let counts = [self.photos, self.first, self.among_five, self.failed];
        let [photos, first, among_five, failed] = counts.map(|count| count as f64);
        let share = 1.0 / group.size() as f64;
        let (seconds, waiting) = (self.seconds * share, self.waiting * share);
        let [one, other] = *more;
        let mut all = [
            photos,
            first,
            among_five,
            failed,
            self.loss,
            self.auxiliary,
            seconds,
            waiting,
            one,
            other,
        ];
        group.sum(&mut all)?;
        let [photos, first, among_five, failed, loss, auxiliary, seconds, waiting, one, other] =
            all;
        *more = [one, other];
        let [photos, first, among_five, failed] =
            [photos, first, among_five, failed].map(|count| count as u64);
        Ok(Self { photos, loss, auxiliary, first, among_five, failed, seconds, waiting })
    }

    pub(crate) fn add(&mut self, step: &Self) {
        self.photos += step.photos;
        self.loss += step.loss;
        self.auxiliary += step.auxiliary;
        self.first += step.first;
        self.among_five += step.among_five;
        self.failed += step.failed;
        self.seconds += step.seconds;
        self.waiting += step.waiting;
    }
}
