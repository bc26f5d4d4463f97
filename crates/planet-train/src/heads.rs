//! Several classifiers beside one another, each over a partition of its own, whose scores together
//! are those of the cells. Not part of the paper.
//!
//! The probability of a cell is proportional to the product, over the heads, of the probability of
//! the class that contains it. With a partition and coarser ones as heads this is f* of
//! Müller-Budack et al. (2018, "ISN"); with partitions that merge the cells differently it is
//! combinatorial partitioning (Seo et al. 2018, "CPlaNet"), with the product in place of the sum.
//!
//! A product of softmaxes is the softmax of sums of scores, and a sum of rows of a linear layer is
//! a row too: the exported network has one classifier over the cells and differs from others in
//! nothing.

use std::{collections::HashMap, path::PathBuf};

use planet_data::table;
use planet_geo::{Class, Partition};
use planet_net::{Array, Network, OutputName, Weights};

use crate::{
    Loss, TrainError,
    loss::{cross_entropy, rank},
    vectorised::vectorised,
};

/// The classifiers' partitions, and where each cell lies in them.
pub(crate) struct Heads {
    partitions: Vec<Partition>,
    /// For each class of the partition that is answered with, its output in each head, counted over
    /// the outputs of all heads: `[classes, heads]`.
    outputs_of: Vec<usize>,
    /// Logarithm of each class's share of the photos of those that no head tells apart.
    shares: Vec<f32>,
}

impl Heads {
    /// Reads the heads' partitions; `None` where there are no heads.
    ///
    /// # Errors
    /// A file that is no partition, or one in which a cell of `partition` lies in no class or in
    /// several.
    pub(crate) fn read(
        paths: &[PathBuf],
        partition: &Partition,
    ) -> Result<Option<Self>, TrainError> {
        if paths.is_empty() {
            return Ok(None);
        }
        let read = |path: &PathBuf| {
            let head = Partition::read(table::open_text(path)?, &path.to_string_lossy())?;
            match class_without_head(partition, &head) {
                None => Ok(head),
                Some(class) => Err(TrainError::Head { path: path.clone(), class }),
            }
        };
        let partitions: Vec<Partition> = paths.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Some(Self::new(partitions, partition)))
    }

    /// Every class of `partition` lies in one class of each of the heads' partitions.
    fn new(partitions: Vec<Partition>, partition: &Partition) -> Self {
        let heads = partitions.len();
        let mut outputs_of = Vec::with_capacity(heads * partition.len());
        for class in partition.classes() {
            let mut before = 0;
            for head in &partitions {
                let of_head = class_of(class, head).expect("it was checked");
                outputs_of.push(before + of_head);
                before += head.len();
            }
        }
        let mut alike: HashMap<&[usize], (u64, f64)> = HashMap::new();
        let rows = || outputs_of.chunks_exact(heads).zip(partition.classes());
        for (outputs, class) in rows() {
            let (photos, classes) = alike.entry(outputs).or_default();
            (*photos, *classes) = (*photos + class.photos, *classes + 1.0);
        }
        let share = |(outputs, class): (&[usize], &Class)| {
            // One photo more in each class, so that none is impossible.
            let (photos, classes) = alike[outputs];
            ((class.photos as f64 + 1.0) / (photos as f64 + classes)).ln() as f32
        };
        let shares = rows().map(share).collect();
        Self { partitions, outputs_of, shares }
    }

    pub(crate) fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Outputs of all heads.
    pub(crate) fn outputs(&self) -> usize {
        self.partitions.iter().map(Partition::len).sum()
    }

    fn of_class(&self, class: usize) -> &[usize] {
        let heads = self.partitions.len();
        &self.outputs_of[class * heads..(class + 1) * heads]
    }

    /// The scores of the cells, `[classes]`, from those of all heads.
    pub(crate) fn scores(&self, row: &[f32]) -> Vec<f32> {
        let score = |(class, share): (usize, &f32)| {
            self.of_class(class).iter().fold(*share, |sum, output| sum + row[*output])
        };
        self.shares.iter().enumerate().map(score).collect()
    }

    /// The mean of the heads' cross entropies for a photo of this class, with their scores in `row`, in
    /// whose place its derivative times `share` comes. The rank is that of the class by the scores
    /// together.
    pub(crate) fn differentiate(
        &self,
        row: &mut [f32],
        class: u32,
        smoothing: f32,
        share: f32,
    ) -> Loss {
        let class = class as usize;
        let scores = self.scores(row);
        let rank = rank(&scores, class);
        let part = 1.0 / self.partitions.len() as f32;
        let (mut loss, mut before, mut rest) = (0.0, 0, row);
        for (head, output) in self.partitions.iter().zip(self.of_class(class)) {
            let (own, behind) = rest.split_at_mut(head.len());
            let target = (output - before) as u32;
            loss += part * vectorised(|| cross_entropy(own, target, smoothing, part * share)).loss;
            (before, rest) = (before + head.len(), behind);
        }
        Loss { loss, rank }
    }

    /// The weights of the network with one classifier over the cells, whose scores are those that
    /// `network`, the one with all heads, gives together.
    pub(crate) fn folded(&self, weights: &Weights, network: &Network) -> Weights {
        let mut weights = weights.clone();
        let scores = network.output(OutputName::Logits).expect("every network has scores");
        for parameter in network.node(scores).parameters() {
            let Some(array) = weights.get(&parameter.name) else { continue };
            let mut shape = array.shape().to_vec();
            let length = shape[1..].iter().product();
            let is_bias = shape.len() == 1;
            shape[0] = self.shares.len();
            let rows: Vec<&[f32]> = array.values().chunks_exact(length).collect();
            let mut values = Vec::with_capacity(shape[0] * length);
            for (class, share) in self.shares.iter().enumerate() {
                let start = if is_bias { *share } else { 0.0 };
                let of_class = self.of_class(class);
                let sum = |at| of_class.iter().fold(start, |sum, output| sum + rows[*output][at]);
                values.extend((0..length).map(sum));
            }
            weights.insert(parameter.name, Array::new(shape, values));
        }
        weights
    }
}

/// The class of a head's partition that contains all cells of a class.
fn class_of(class: &Class, head: &Partition) -> Option<usize> {
    let mut classes = class.cells().iter().map(|cell| head.class_of_cell(*cell));
    let first = classes.next()??;
    classes.all(|it| it == Some(first)).then(|| first.index())
}

/// The row of the first class that lies in no class of a head's partition, or in several.
fn class_without_head(partition: &Partition, head: &Partition) -> Option<usize> {
    partition.classes().iter().position(|class| class_of(class, head).is_none())
}

#[cfg(test)]
mod tests {
    use planet_geo::{CellId, ClassKind, Merge, PartitionInfo};
    use planet_net::{Architecture, NetworkOptions};

    use super::*;

    /// A partition of the children of a cell, with so many photos each.
    fn partition(photos: &[u64]) -> Partition {
        let parent: CellId = "47".parse().expect("a token");
        let cells = parent.children().expect("no leaf").into_iter();
        let cells = cells.flat_map(|it| it.children().expect("no leaf"));
        let class = |(cell, photos): (CellId, &u64)| {
            let (centre, kind) = (Some(cell.centre()), ClassKind::Cells(vec![cell]));
            Class { kind, photos: *photos, mean: centre, centre, scatter: None }
        };
        let classes = cells.zip(photos).map(class).collect();
        Partition::new(PartitionInfo::default(), classes).expect("disjoint")
    }

    fn heads(sizes: &[usize], partition: &Partition) -> Heads {
        let merge = |(seed, classes): (u64, &usize)| {
            Merge { classes: *classes, seed }.build(partition).expect("merged")
        };
        Heads::new((0..).zip(sizes).map(merge).collect(), partition)
    }

    fn softmax(row: &[f32]) -> Vec<f64> {
        let sum: f64 = row.iter().map(|it| f64::from(*it).exp()).sum();
        row.iter().map(|it| f64::from(*it).exp() / sum).collect()
    }

    /// Scores that look random.
    fn scores(length: usize) -> Vec<f32> {
        (0..length).map(|at| (at as f32 * 12.9898).sin() * 3.0).collect()
    }

    #[test]
    fn a_cell_s_probability_is_the_product_of_its_classes_in_all_heads() {
        let partition = partition(&[5, 9, 2, 7, 1, 30, 4, 4, 12, 8]);
        let heads = heads(&[10, 6, 3], &partition);
        let row = scores(heads.outputs());
        let (fine, rest) = row.split_at(10);
        let (middle, coarse) = rest.split_at(6);
        let [fine, middle, coarse] = [fine, middle, coarse].map(softmax);
        let products = partition.classes().iter().map(|class| {
            let [a, b, c] =
                [0, 1, 2].map(|at| class_of(class, &heads.partitions[at]).expect("inside"));
            fine[a] * middle[b] * coarse[c]
        });
        let products: Vec<f64> = products.collect();
        let sum: f64 = products.iter().sum();
        // The first head tells all classes apart: what photos they have does not matter.
        for (found, wanted) in softmax(&heads.scores(&row)).iter().zip(products) {
            assert!((found - wanted / sum).abs() < 1e-6, "{found} {}", wanted / sum);
        }
    }

    #[test]
    fn cells_that_no_head_tells_apart_share_by_their_photos() {
        let partition = partition(&[5, 9, 2, 7]);
        let heads = heads(&[1], &partition);
        let shares = softmax(&heads.scores(&[0.3]));
        for (found, photos) in shares.iter().zip([5.0, 9.0, 2.0, 7.0]) {
            assert!((found - (photos + 1.0) / 27.0).abs() < 1e-6, "{found}");
        }
    }

    #[test]
    fn the_loss_is_the_mean_of_the_heads_and_its_derivative_that_of_differences() {
        let partition = partition(&[5, 9, 2, 7, 1, 30]);
        let heads = heads(&[6, 4, 2], &partition);
        let (row, class) = (scores(heads.outputs()), 4);
        let loss_of = |row: &[f32]| heads.differentiate(&mut row.to_vec(), class, 0.1, 1.0);
        let mut derivative = row.clone();
        let found = heads.differentiate(&mut derivative, class, 0.1, 0.5);
        assert_eq!(found, loss_of(&row));
        let of_scores = heads.scores(&row);
        let better = of_scores.iter().filter(|it| **it > of_scores[4]).count();
        assert_eq!(found.rank, better as u32);
        for (at, derivative) in derivative.iter().enumerate() {
            let [up, down] = [1e-2, -1e-2].map(|by| {
                let mut row = row.clone();
                row[at] += by;
                f64::from(loss_of(&row).loss)
            });
            let wanted = 0.5 * (up - down) / 2e-2;
            assert!((f64::from(*derivative) - wanted).abs() < 1e-4, "{at}: {derivative} {wanted}");
        }
        let mut row = row;
        row[0] = f32::NAN;
        assert!(loss_of(&row).loss.is_nan());
    }

    #[test]
    fn folded_weights_give_the_scores_of_the_heads_together() {
        let partition = partition(&[5, 9, 2, 7, 1, 30]);
        let heads = heads(&[4, 3], &partition);
        let network = |classes| {
            let options = NetworkOptions { size: [32, 32], classes, auxiliary: false };
            Architecture::InceptionMini.network(options).expect("a network")
        };
        let wide = network(heads.outputs());
        let mut weights = Weights::initial(&wide, 3);
        let bias = weights.get_mut("fc.bias").expect("a bias").values_mut();
        bias.copy_from_slice(&scores(7));
        let folded = heads.folded(&weights, &wide);
        folded.check(&network(6)).expect("it fits");
        let length = wide.features();
        let embedding = scores(length);
        let outputs = |weights: &Weights| -> Vec<f32> {
            let [matrix, bias] = ["fc.weight", "fc.bias"].map(|it| weights.get(it).expect(it));
            let rows = matrix.values().chunks_exact(length).zip(bias.values());
            rows.map(|(row, bias)| {
                bias + row.iter().zip(&embedding).map(|(a, b)| a * b).sum::<f32>()
            })
            .collect()
        };
        let wanted = heads.scores(&outputs(&weights));
        for (found, wanted) in outputs(&folded).iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
        }
    }

    #[test]
    fn a_partition_that_does_not_contain_every_cell_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("head.csv");
        let mut text = Vec::new();
        partition(&[1, 2, 3]).write(&mut text).expect("written");
        std::fs::write(&path, text).expect("written");
        let four = partition(&[1, 2, 3, 4]);
        let error = Heads::read(&[path], &four).err().expect("refused").to_string();
        assert!(error.contains("head.csv") && error.contains("class 3"), "{error}");
        let missing = folder.path().join("nothing.csv");
        let error = Heads::read(&[missing], &four).err().expect("refused").to_string();
        assert!(error.contains("nothing.csv"), "{error}");
        assert!(Heads::read(&[], &four).expect("no heads").is_none());
    }
}
