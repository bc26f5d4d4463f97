//! The loss of the classes' scores, with the options that came after the paper: computed here for
//! every backend.

use std::sync::Arc;

use planet_data::PixelBatch;
use planet_geo::{LatLng, Partition};
use rayon::prelude::*;

use crate::{
    Backend, BackendError, InvalidSetting, Loss, StepOptions, StepReport, TrainConfig,
    heads::Heads,
    hierarchy::Ancestors,
    loss::{cross_entropy, rank},
    smoothing::DistanceTargets,
    vectorised::vectorised,
};

/// What a photo's scores are compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    pub(crate) class: u32,
    pub(crate) position: LatLng,
}

/// The cross entropy with the targets that a configuration asks for, and the ancestors' loss beside; or
/// that of several heads.
#[derive(Default)]
pub(crate) struct ClassLoss {
    targets: Option<DistanceTargets>,
    /// With the weight of their loss.
    ancestors: Option<(Ancestors, f64)>,
    heads: Option<Arc<Heads>>,
}

impl ClassLoss {
    /// # Errors
    /// A partition in which no cell has an ancestor that its loss could be taken of.
    pub(crate) fn new(
        config: &TrainConfig,
        partition: &Partition,
        heads: Option<Arc<Heads>>,
    ) -> Result<Self, InvalidSetting> {
        let targets = config.smoothing.map(|it| DistanceTargets::new(it, partition));
        let ancestors = config.hierarchy.map(|it| Ok((Ancestors::new(partition)?, it.weight)));
        Ok(Self { targets, ancestors: ancestors.transpose()?, heads })
    }

    /// Whether it is the cross entropy with the classes alone, which backends compute themselves.
    pub(crate) fn is_plain(&self) -> bool {
        self.targets.is_none() && self.ancestors.is_none() && self.heads.is_none()
    }

    /// Learns from a batch whose photos have these labels.
    pub(crate) fn step(
        &self,
        backend: &mut dyn Backend,
        pixels: &PixelBatch,
        labels: &[Label],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let (smoothing, share) = (options.label_smoothing, 1.0 / labels.len() as f32);
        let mut loss = |scores: &mut [f32]| {
            let classes = scores.len() / labels.len();
            let rows = scores.par_chunks_exact_mut(classes).zip(labels);
            rows.map(|(row, label)| self.differentiate(row, label, smoothing, share)).collect()
        };
        backend.step_by(pixels, &mut loss, options)
    }

    /// The loss of one row of scores, those of the classes or of all heads, in whose place its derivative times `share` comes.
    pub(crate) fn differentiate(
        &self,
        row: &mut [f32],
        label: &Label,
        smoothing: f32,
        share: f32,
    ) -> Loss {
        if self.is_plain() {
            return vectorised(|| cross_entropy(row, label.class, smoothing, share));
        }
        if let Some(heads) = &self.heads {
            return heads.differentiate(row, label.class, smoothing, share);
        }
        let class = label.class as usize;
        let rank = rank(row, class);
        let asked = match &self.targets {
            Some(targets) => targets.of(label.position, label.class),
            None => {
                let smoothing = f64::from(smoothing);
                let mut asked = vec![smoothing / row.len() as f64; row.len()];
                asked[class] += 1.0 - smoothing;
                asked
            }
        };
        // 64 bits, as the masses of ancestors may be small.
        let greatest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let mut probabilities: Vec<f64> =
            row.iter().map(|score| (f64::from(*score) - greatest).exp()).collect();
        let sum: f64 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|it| *it /= sum);
        let logarithm = greatest + sum.ln();
        let costs = asked.iter().zip(&*row);
        let mut loss: f64 =
            costs.map(|(asked, score)| asked * (logarithm - f64::from(*score))).sum();
        let total: f64 = asked.iter().sum();
        let pairs = probabilities.iter().zip(&asked);
        let mut derivatives: Vec<f64> = pairs.map(|(p, asked)| total * p - asked).collect();
        if let Some((ancestors, weight)) = &self.ancestors {
            loss += weight * ancestors.add(label.class, &probabilities, *weight, &mut derivatives);
        }
        let share = f64::from(share);
        row.iter_mut().zip(derivatives).for_each(|(it, by)| *it = (share * by) as f32);
        Loss { loss: loss as f32, rank }
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::{CellId, Class, ClassKind, PartitionInfo};
    use planet_net::Weights;

    use super::*;
    use crate::{Hierarchy, Smoothing, SmoothingKind};

    const GOLDEN: &[u8] = include_bytes!("../tests/golden/class_loss.safetensors");

    const CLASSES: usize = 8;

    fn at([lat, lng]: [f64; 2]) -> LatLng {
        LatLng::new(lat, lng).expect("a position")
    }

    /// Classes of cells, one that is a point, and `other`, as in make_class_loss.py.
    fn partition() -> Partition {
        let classes: [(&[u64], Option<[f64; 2]>); CLASSES] = [
            (&[0x47e6_7000_0000_0000], Some([48.75, 2.25])),
            (&[0x47e6_9400_0000_0000], Some([48.5, 2.5])),
            (&[0x47e5_0000_0000_0000], Some([49.25, 3.0])),
            (&[0x4790_0000_0000_0000], Some([47.0, 10.0])),
            (&[0x47e3_0000_0000_0000, 0x47eb_0000_0000_0000], Some([51.0, 4.0])),
            (&[0x6019_0000_0000_0000, 0x4713_0000_0000_0000], Some([35.0, 139.0])),
            (&[], Some([40.0, -74.0])),
            (&[], None),
        ];
        let class = |(cells, point): (&[u64], Option<[f64; 2]>)| {
            let cells: Vec<CellId> =
                cells.iter().map(|id| CellId::new(*id).expect("a cell")).collect();
            let kind = match (cells.is_empty(), point) {
                (false, _) => ClassKind::Cells(cells),
                (true, Some(_)) => ClassKind::PointOnly,
                (true, None) => ClassKind::Other,
            };
            let point = point.map(at);
            Class { kind, photos: 1, mean: point, centre: point, scatter: None }
        };
        let classes = classes.into_iter().map(class).collect();
        Partition::new(PartitionInfo::default(), classes).expect("disjoint")
    }

    /// Photos of the first seven classes, in their order.
    fn labels() -> Vec<Label> {
        let positions = [
            [48.75, 2.5],
            [48.5, 2.5],
            [49.0, 2.5],
            [47.5, 9.0],
            [51.5, 4.5],
            [36.0, 140.0],
            [40.5, -74.5],
        ];
        (0..).zip(positions).map(|(class, it)| Label { class, position: at(it) }).collect()
    }

    fn loss(smoothing: Option<SmoothingKind>, hierarchy: Option<f64>) -> ClassLoss {
        let config = TrainConfig {
            smoothing: smoothing.map(Smoothing::of_kind),
            hierarchy: hierarchy.map(|weight| Hierarchy { weight }),
            ..TrainConfig::default()
        };
        ClassLoss::new(&config, &partition(), None).expect("ancestors")
    }

    #[test]
    fn losses_and_gradients_are_those_of_pytorch() {
        let (golden, _) = Weights::from_safetensors(GOLDEN).expect("a golden file");
        let values = |name: &str| golden.get(name).expect("an array").values().to_vec();
        let near = |name: &str, found: &[f32], wanted: &[f32]| {
            assert_eq!(found.len(), wanted.len(), "{name}");
            for (found, wanted) in found.iter().zip(wanted) {
                let most = 1e-6 + 1e-6 * wanted.abs();
                assert!((found - wanted).abs() < most, "{name}: {found} instead of {wanted}");
            }
        };
        let weight = Some(0.7);
        let smoothed = SmoothingKind::ALL.map(|kind| (kind.name(), loss(Some(kind), None), 0.0));
        let others = [
            ("hierarchy", loss(None, weight), 0.1),
            ("both", loss(Some(SmoothingKind::HaversineNearest), weight), 0.0),
        ];
        for (name, loss, smoothing) in smoothed.into_iter().chain(others) {
            let (mut scores, labels) = (values("scores"), labels());
            let share = 1.0 / labels.len() as f32;
            let rows = scores.chunks_exact_mut(CLASSES).zip(&labels);
            let losses = rows.map(|(row, label)| loss.differentiate(row, label, smoothing, share));
            let losses: Vec<f32> = losses.map(|it| it.loss).collect();
            near(name, &losses, &values(&format!("{name}.losses")));
            near(name, &scores, &values(&format!("{name}.gradient")));
        }
    }

    #[test]
    fn without_options_the_loss_is_the_plain_cross_entropy_and_ranks_never_change() {
        let scores = [0.5, -1.0, 2.0, 0.0, 0.5, -3.0, 1.0, 0.25];
        let label = labels()[0];
        let of = |loss: &ClassLoss| {
            let mut row = scores;
            let found = loss.differentiate(&mut row, &label, 0.1, 0.5);
            (row, found)
        };
        let mut wanted = scores;
        let plain = cross_entropy(&mut wanted, 0, 0.1, 0.5);
        assert!(ClassLoss::default().is_plain());
        assert_eq!(of(&ClassLoss::default()), (wanted, plain));
        let (row, found) = of(&loss(None, Some(1e-12)));
        assert!((found.loss - plain.loss).abs() < 1e-6, "{found:?}");
        assert!(row.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6));
        let all = [loss(None, Some(1.0)), loss(Some(SmoothingKind::Haversine), None)];
        assert!(all.iter().all(|it| !it.is_plain() && of(it).1.rank == plain.rank));
        assert_eq!(plain.rank, 3);
    }

    #[test]
    fn scores_that_are_no_numbers_or_leave_an_ancestor_without_mass_do_not_hide_it() {
        let loss = loss(None, Some(1.0));
        let label = labels()[0];
        let mut row = [-2000.0; CLASSES];
        row[7] = 2000.0;
        let found = loss.differentiate(&mut row, &label, 0.0, 1.0);
        assert!(found.loss.is_finite() && found.loss > 4000.0, "{found:?}");
        assert!(row.iter().all(|it| it.is_finite()), "{row:?}");
        let mut row = [0.0; CLASSES];
        row[3] = f32::NAN;
        assert!(loss.differentiate(&mut row, &label, 0.0, 1.0).loss.is_nan());
    }

    #[test]
    fn a_partition_without_ancestors_is_refused() {
        let class = |lng: f64| {
            let point = Some(at([0.0, lng]));
            let cell = CellId::leaf(at([0.0, lng]));
            let kind = ClassKind::Cells(vec![cell]);
            Class { kind, photos: 1, mean: point, centre: point, scatter: None }
        };
        let partition = Partition::new(PartitionInfo::default(), vec![class(0.0), class(90.0)]);
        let config =
            TrainConfig { hierarchy: Some(Hierarchy { weight: 1.0 }), ..TrainConfig::default() };
        let error = ClassLoss::new(&config, &partition.expect("two cells"), None).err();
        assert!(error.expect("refused").to_string().contains("one face"));
    }
}
