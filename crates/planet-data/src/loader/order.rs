use std::{collections::VecDeque, ops::Range, sync::Arc};

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Runs of rows that lie in one tar shard; a photo outside shards is a run of its own.
#[derive(Debug)]
pub(super) struct Runs {
    runs: Vec<Range<u32>>,
    photos: usize,
}

impl Runs {
    /// Groups neighbouring rows by their shard.
    pub(super) fn of<'a>(photos: impl IntoIterator<Item = &'a String>) -> Self {
        let mut runs: Vec<Range<u32>> = Vec::new();
        let (mut last, mut count) = (None, 0);
        for (row, photo) in photos.into_iter().enumerate() {
            count = row + 1;
            let shard = crate::store::split_member(photo).map(|(shard, _)| shard);
            match runs.last_mut() {
                Some(run) if shard.is_some() && shard == last => run.end += 1,
                _ => runs.push(row as u32..row as u32 + 1),
            }
            last = shard;
        }
        Self { runs, photos: count }
    }
}

/// How the rows of one epoch follow one another, for all ranks together. Depends on seed and
/// epoch alone.
///
/// Shuffled, the runs come in random order and pass through a buffer of bounded size, from
/// which each next row is drawn: so only as many shards are in use at a time as the buffer spans.
#[derive(Debug)]
pub(super) struct Order {
    runs: Arc<Runs>,
    /// Runs still to come; `None` where rows come as they are.
    coming: Option<VecDeque<u32>>,
    current: Range<u32>,
    buffer: Vec<u32>,
    capacity: usize,
    random: ChaCha8Rng,
}

impl Order {
    /// Rows as they are.
    pub(super) fn plain(runs: Arc<Runs>) -> Self {
        let current = 0..runs.photos as u32;
        let random = ChaCha8Rng::seed_from_u64(0);
        Self { runs, coming: None, current, buffer: Vec::new(), capacity: 0, random }
    }

    /// Rows in the random order of this seed and epoch.
    pub(super) fn shuffled(runs: Arc<Runs>, buffer: usize, seed: u64, epoch: u64) -> Self {
        let mut random = random(seed, epoch, ORDER);
        let mut coming: Vec<u32> = (0..runs.runs.len() as u32).collect();
        coming.shuffle(&mut random);
        let capacity = buffer.max(1);
        Self {
            runs,
            coming: Some(coming.into()),
            current: 0..0,
            buffer: Vec::new(),
            capacity,
            random,
        }
    }

    fn source(&mut self) -> Option<u32> {
        loop {
            if let Some(row) = self.current.next() {
                return Some(row);
            }
            let run = self.coming.as_mut()?.pop_front()?;
            self.current = self.runs.runs[run as usize].clone();
        }
    }
}

impl Iterator for Order {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.coming.is_none() {
            return self.current.next().map(|row| row as usize);
        }
        while self.buffer.len() < self.capacity {
            let Some(row) = self.source() else { break };
            self.buffer.push(row);
        }
        if self.buffer.is_empty() {
            return None;
        }
        let at = self.random.random_range(0..self.buffer.len());
        Some(self.buffer.swap_remove(at) as usize)
    }
}

/// The stream of random numbers that orders an epoch; samples have the streams from 1.
const ORDER: u64 = 0;

/// Random numbers of one purpose: the order of an epoch, or the sample at a place in it.
pub(super) fn random(seed: u64, epoch: u64, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&stream.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Random numbers of the sample at this place of an epoch.
pub(super) fn sample_random(seed: u64, epoch: u64, place: u64) -> ChaCha8Rng {
    random(seed, epoch, place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(shards: usize, each: usize) -> Arc<Runs> {
        let photos: Vec<String> =
            (0..shards * each).map(|at| format!("{}.tar!{at}.jpg", at / each)).collect();
        Arc::new(Runs::of(&photos))
    }

    #[test]
    fn every_row_comes_once_an_epoch_and_epochs_differ() {
        let runs = shards(10, 20);
        let epoch = |epoch| Order::shuffled(Arc::clone(&runs), 50, 7, epoch).collect::<Vec<_>>();
        assert_eq!(epoch(0), epoch(0));
        assert_ne!(epoch(0), epoch(1));
        let mut sorted = epoch(0);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_shards_are_open_than_the_buffer_spans() {
        let rows: Vec<usize> = Order::shuffled(shards(100, 20), 60, 1, 0).collect();
        let mut seen = [0; 100];
        for row in rows {
            seen[row / 20] += 1;
            // Rows of shards begun and not ended: those in the buffer and the shard being read.
            let waiting: usize =
                seen.iter().filter(|&&count| count > 0).map(|count| 20 - count).sum();
            assert!(waiting <= 60 + 20, "{waiting}");
        }
    }

    #[test]
    fn photos_in_folders_are_shuffled_one_by_one() {
        let photos: Vec<String> = (0..100).map(|at| format!("album/{at}.jpg")).collect();
        assert_eq!(Runs::of(&photos).runs.len(), 100);
        assert_eq!(shards(10, 20).runs.len(), 10);
    }
}
