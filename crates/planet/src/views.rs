//! Several views of one photo, whose probabilities are averaged. Not part of the paper.

use std::{fmt, str::FromStr};

use planet_data::{PixelBatch, Preprocess};

use crate::{Activations, CellProbabilities, Engine, EngineError};

/// What a network sees of a photo that is located: the probabilities of the views are averaged, and
/// so are their embeddings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PhotoViews {
    /// The photo once, as in the paper.
    #[default]
    Whole,
    /// The photo and its mirror image.
    Flip,
    /// Four corners and the middle, each 7/8 of either side of what [`PhotoViews::Whole`] shows.
    Crops,
}

impl PhotoViews {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Flip, Self::Crops];

    /// Name in flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Flip => "flip",
            Self::Crops => "crops",
        }
    }

    /// The preprocessing whose result the views are cut from, for a model with this one.
    pub(crate) fn preprocess(self, model: &Preprocess) -> Preprocess {
        let size = match self {
            Self::Whole | Self::Flip => model.size,
            Self::Crops => model.size.map(enlarged),
        };
        Preprocess { size, ..model.clone() }
    }

    /// The views of every photo of a batch that [`PhotoViews::preprocess`] made: each as a batch of
    /// the network's input `size`, in the photos' order.
    fn of(self, batch: &PixelBatch, size: [usize; 2]) -> Vec<PixelBatch> {
        let whole = View { top: 0, left: 0, mirrored: false };
        let views = match self {
            Self::Whole => vec![whole],
            Self::Flip => vec![whole, View { mirrored: true, ..whole }],
            Self::Crops => {
                let below = batch.height().saturating_sub(size[0]);
                let right = batch.width().saturating_sub(size[1]);
                let corners = [(0, 0), (0, right), (below, 0), (below, right)];
                let middle = (below / 2, right / 2);
                let view = |(top, left)| View { top, left, mirrored: false };
                corners.into_iter().chain([middle]).map(view).collect()
            }
        };
        views.into_iter().map(|view| view.cut(batch, size)).collect()
    }
}

/// A side of which 7/8 are the given pixels.
fn enlarged(side: usize) -> usize {
    side + side.div_ceil(7)
}

/// The part of a photo that one view shows.
#[derive(Clone, Copy)]
struct View {
    top: usize,
    left: usize,
    mirrored: bool,
}

impl View {
    fn cut(self, batch: &PixelBatch, [height, width]: [usize; 2]) -> PixelBatch {
        let mut cut = PixelBatch::with_capacity(batch.photos(), height, width);
        let channel = batch.height() * batch.width();
        let mut values = Vec::with_capacity(3 * height * width);
        for photo in batch.values().chunks_exact(3 * channel) {
            values.clear();
            for plane in photo.chunks_exact(channel) {
                for row in plane.chunks_exact(batch.width()).skip(self.top).take(height) {
                    let row = &row[self.left..][..width];
                    match self.mirrored {
                        true => values.extend(row.iter().rev()),
                        false => values.extend(row),
                    }
                }
            }
            cut.push(&values);
        }
        cut
    }
}

/// An engine that sees several views of each photo and gives one answer: scores whose softmax at
/// the model's temperature is the mean of the views' probabilities.
pub(crate) struct Viewing<'a> {
    pub(crate) engine: &'a mut dyn Engine,
    pub(crate) views: PhotoViews,
    /// Height and width of the network's input in pixels.
    pub(crate) size: [usize; 2],
    pub(crate) temperature: f32,
}

impl Engine for Viewing<'_> {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
        if self.views == PhotoViews::Whole {
            return self.engine.run(batch);
        }
        let views = self.views.of(batch, self.size);
        let mut seen = Vec::with_capacity(views.len());
        for view in &views {
            seen.push(self.engine.run_checked(view)?);
        }
        Ok(mean(&seen, batch.photos(), self.temperature))
    }
}

/// The mean over views of each photo's probabilities, as scores, and of its embedding. A photo of
/// which a view has no probabilities has scores that are not numbers.
fn mean(views: &[Activations], photos: usize, temperature: f32) -> Activations {
    let [first, ..] = views else { return Activations::default() };
    let (classes, features) = (first.classes, first.features);
    let mut logits = Vec::with_capacity(photos * classes);
    for photo in 0..photos {
        let probabilities: Result<Vec<_>, _> = views
            .iter()
            .map(|it| CellProbabilities::from_logits(it.logits_of(photo), temperature))
            .collect();
        let Ok(probabilities) = probabilities else {
            logits.resize(logits.len() + classes, f32::NAN);
            continue;
        };
        let mean = |class: usize| {
            let sum: f64 = probabilities.iter().map(|it| f64::from(it.values()[class])).sum();
            sum / views.len() as f64
        };
        logits.extend((0..classes).map(|class| temperature * mean(class).ln() as f32));
    }
    let count = views.len() as f32;
    let mut embeddings = vec![0.0; photos * features];
    for view in views {
        embeddings.iter_mut().zip(&view.embeddings).for_each(|(sum, value)| *sum += value / count);
    }
    Activations { embeddings, features, logits, classes }
}

impl fmt::Display for PhotoViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PhotoViews {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|it| it.name() == name)
            .ok_or_else(|| format!("'{name}' is none of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photo whose values say row and column: 10 · row + column, in all channels.
    fn batch(height: usize, width: usize) -> PixelBatch {
        let mut batch = PixelBatch::with_capacity(1, height, width);
        let plane = (0..height * width).map(|at| (10 * (at / width) + at % width) as f32);
        batch.push(&plane.clone().chain(plane.clone()).chain(plane).collect::<Vec<_>>());
        batch
    }

    #[test]
    fn the_mirror_image_has_its_columns_from_right_to_left() {
        let views = PhotoViews::Flip.of(&batch(2, 3), [2, 3]);
        assert_eq!(views[0], batch(2, 3));
        assert_eq!(views[1].values()[..6], [2.0, 1.0, 0.0, 12.0, 11.0, 10.0]);
        assert_eq!(views[1].values()[6..12], views[1].values()[..6]);
        assert_eq!(views.len(), 2);
    }

    #[test]
    fn crops_are_the_corners_and_the_middle_of_a_larger_photo() {
        let preprocess = PhotoViews::Crops.preprocess(&Preprocess::inception(7));
        assert_eq!(preprocess.size, [8, 8]);
        assert_eq!(PhotoViews::Flip.preprocess(&Preprocess::inception(7)).size, [7, 7]);
        // Two rows and one column are left out.
        let views = PhotoViews::Crops.of(&batch(4, 4), [2, 3]);
        assert!(views.iter().all(|it| it.shape() == [1, 3, 2, 3]));
        let corners: Vec<f32> = views.iter().map(|it| it.values()[0]).collect();
        assert_eq!(corners, [0.0, 1.0, 20.0, 21.0, 10.0]);
        assert_eq!(views[3].values()[..6], [21.0, 22.0, 23.0, 31.0, 32.0, 33.0]);
    }

    #[test]
    fn probabilities_are_averaged_not_scores() {
        let activations = |logits: &[f32], embedding: f32| Activations {
            embeddings: vec![embedding, 0.0],
            features: 1,
            logits: logits.to_vec(),
            classes: 2,
        };
        // At temperature 2: 0.9 and 0.1, then 0.5 and 0.5. The second photo has a view without numbers.
        let sure = 2.0 * 9f32.ln();
        let views = [
            activations(&[sure, 0.0, 1.0, 1.0], 1.0),
            activations(&[3.0, 3.0, f32::NAN, 1.0], 2.0),
        ];
        let found = mean(&views, 2, 2.0);
        let probabilities =
            CellProbabilities::from_logits(found.logits_of(0), 2.0).expect("numbers");
        assert!((probabilities.values()[0] - 0.7).abs() < 1e-6, "{probabilities:?}");
        assert!(found.logits_of(1).iter().all(|it| it.is_nan()));
        assert_eq!(found.embeddings, [1.5, 0.0]);
    }
}
