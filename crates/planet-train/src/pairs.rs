//! Photos two by two, as the triplet loss compares them.

use planet_data::Batch;
use planet_geo::Distance;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    Backend, BackendError, Loss, Samples, StepOptions, StepReport, Triplets,
    class_loss::{ClassLoss, Label},
    triplet::{Item, TripletLoss},
};

/// Rows of a pair in what the loader is given.
pub(crate) const PAIR: usize = 2;

/// Which photo each row of a pair shows: for each of `photos`, itself and its positive.
pub(crate) fn pairs(
    samples: &Samples,
    photos: &[usize],
    options: &Triplets,
    seed: u64,
) -> Vec<usize> {
    let Some(within) = options.positives_within_km.map(Distance::from_km) else {
        return photos.iter().flat_map(|photo| [*photo; PAIR]).collect();
    };
    let mut albums: std::collections::HashMap<u64, Vec<usize>> = std::collections::HashMap::new();
    for photo in photos {
        if let Some(album) = samples.albums[*photo] {
            albums.entry(album).or_default().push(*photo);
        }
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut partner = |photo: usize| {
        let album = samples.albums[photo].and_then(|album| albums.get(&album))?;
        let position = samples.positions[photo];
        let is_near = |other: &&usize| {
            **other != photo && samples.positions[**other].distance_to(position) <= within
        };
        let near: Vec<usize> = album.iter().filter(is_near).copied().collect();
        (!near.is_empty()).then(|| near[random.random_range(0..near.len())])
    };
    photos.iter().flat_map(|photo| [*photo, partner(*photo).unwrap_or(*photo)]).collect()
}

/// The triplet loss, alone or beside the loss of the classes, over pairs of photos.
pub(crate) struct PairLoss {
    triplets: TripletLoss,
    outputs: usize,
    weight: f32,
    /// Cells of the classifier; 0 where there is none.
    classes: usize,
    class_loss: ClassLoss,
}

impl PairLoss {
    pub(crate) fn new(options: Triplets, classes: usize, class_loss: ClassLoss, seed: u64) -> Self {
        let weight = if classes == 0 { 1.0 } else { options.weight };
        let triplets = TripletLoss::new(options, seed);
        Self { triplets, outputs: options.outputs, weight, classes, class_loss }
    }

    /// Learns from a batch. `items` and `targets` are those of its photos.
    pub(crate) fn step(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        items: &[Item],
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let smoothing = options.label_smoothing;
        let mut loss = |outputs: &mut [f32]| self.differentiate(outputs, items, targets, smoothing);
        backend.step_by(&batch.pixels, &mut loss, options)
    }

    /// The losses of rows of scores and embeddings side by side, `[photos, classes + outputs]`.
    fn differentiate(
        &mut self,
        rows: &mut [f32],
        items: &[Item],
        targets: &[u32],
        smoothing: f32,
    ) -> Vec<Loss> {
        let Self { classes, outputs, weight, .. } = *self;
        let width = classes + outputs;
        let embeddings = rows.chunks_exact(width).flat_map(|row| &row[classes..]);
        let mut embeddings: Vec<f32> = embeddings.copied().collect();
        let mut losses = self.triplets.differentiate(&mut embeddings, items, weight);
        let share = 1.0 / items.len() as f32;
        let photos = rows.chunks_exact_mut(width).zip(embeddings.chunks_exact(outputs));
        let labels = items.iter().zip(targets);
        let labels = labels.map(|(it, class)| Label { class: *class, position: it.position });
        for (((row, embedding), label), loss) in photos.zip(labels).zip(&mut losses) {
            let (scores, place) = row.split_at_mut(classes);
            place.copy_from_slice(embedding);
            loss.loss *= weight;
            if classes > 0 {
                let own = self.class_loss.differentiate(scores, &label, smoothing, share);
                *loss = Loss { loss: loss.loss + own.loss, rank: own.rank };
            }
        }
        losses
    }
}
