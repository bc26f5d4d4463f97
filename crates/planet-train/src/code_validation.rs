//! Validation of codes: how far edited copies are from their photos, and different photos from one
//! another.

use std::path::Path;

use planet::near_duplicates::FalseMatches;
use planet_data::{Code, GREATEST_DISTANCE, Loader, LoaderOptions, Preprocess};
use planet_net::{Array, Network, OutputName, Weights};

use crate::{
    Backend, CodeSamples, NearDuplicates, Scores, TrainError, TrainMonitor, Validation,
    validation::each_output,
};

/// Most validation photos of which an edited copy is looked at; all are compared with one another.
const MOST_COPIES: usize = 2000;
/// Outputs of the network.
const WIDTH: usize = Code::BITS as usize;
/// The smaller training set for which a share of found copies is also stated.
const SMALL_SET: u64 = 10_000;

/// What validation needs beside the network.
pub(crate) struct CodeValidation<'a> {
    pub(crate) samples: &'a CodeSamples,
    pub(crate) preprocess: &'a Preprocess,
    pub(crate) options: LoaderOptions,
    pub(crate) near_duplicates: &'a NearDuplicates,
}

impl CodeValidation<'_> {
    /// Validates a network. `None` where it was told to end.
    pub(crate) fn run(
        &self,
        backend: &mut dyn Backend,
        monitor: &dyn TrainMonitor,
    ) -> Result<Option<Validation>, TrainError> {
        let Some(measured) = self.measure(backend, monitor)? else { return Ok(None) };
        let found = |against: u64| {
            let distance = measured.false_matches.distance(self.near_duplicates.removed, against);
            distance.map_or(0.0, |distance| measured.copies_within[distance as usize])
        };
        let photos = self.samples.photos.len();
        let scores = Scores {
            photos,
            failed: photos - measured.false_matches.photos as usize,
            loss: measured.share_of_bits,
            cell_1: found(self.near_duplicates.against),
            cell_5: found(SMALL_SET.min(self.near_duplicates.against)),
            ..Scores::default()
        };
        Ok(Some(Validation { scores, logits: measured.to_arrays() }))
    }

    /// Compares the codes of all photos with one another, and those of some with their copies'.
    /// `None` where it was told to end.
    pub(crate) fn measure(
        &self,
        backend: &mut dyn Backend,
        monitor: &dyn TrainMonitor,
    ) -> Result<Option<Measured>, TrainError> {
        let photos = &self.samples.photos;
        let plain = LoaderOptions { edits: None, ..self.options.clone() };
        let Some(codes) = self.codes(photos, plain, backend, monitor)? else { return Ok(None) };
        let edits = Some(self.near_duplicates.edits.clone());
        let edited = LoaderOptions { edits, ..self.options.clone() };
        let step = photos.len().div_ceil(MOST_COPIES).max(1);
        let some: Vec<String> = photos.iter().step_by(step).cloned().collect();
        let Some(copies) = self.codes(&some, edited, backend, monitor)? else { return Ok(None) };
        let pairs = codes.iter().step_by(step).zip(&copies);
        let distances: Vec<u32> =
            pairs.filter_map(|(code, copy)| Some((*code)?.distance((*copy)?))).collect();
        let known: Vec<Code> = codes.iter().copied().flatten().collect();
        let bits: u32 = distances.iter().sum();
        Ok(Some(Measured {
            false_matches: FalseMatches::of(&known),
            copies_within: shares(&distances, some.len()),
            share_of_bits: f64::from(bits) / (distances.len().max(1) * WIDTH) as f64,
        }))
    }

    /// Changes the bias of the network's last layer so that each bit is set in half of these photos:
    /// where it is set in nearly all or none, it tells little. `None` where it was told to end.
    pub(crate) fn balance(
        &self,
        network: &Network,
        weights: &mut Weights,
        backend: &mut dyn Backend,
        monitor: &dyn TrainMonitor,
    ) -> Result<Option<()>, TrainError> {
        let mut columns: Vec<Vec<f32>> = vec![Vec::new(); WIDTH];
        let all = self.outputs(
            &self.samples.photos,
            self.options.clone(),
            backend,
            monitor,
            |_, row| {
                columns.iter_mut().zip(row).for_each(|(column, value)| column.push(*value));
            },
        )?;
        if all.is_none() {
            return Ok(None);
        }
        let scores = network.output(OutputName::Logits).expect("a network for codes has scores");
        let name = format!("{}.bias", network.node(scores).name());
        let bias = weights.get_mut(&name).expect("the last layer has a bias").values_mut();
        for (bias, column) in bias.iter_mut().zip(&mut columns) {
            column.sort_unstable_by(f32::total_cmp);
            // The middle of the two in the middle, so that neither falls on the bound.
            if let [.., _, _] = column[..] {
                *bias -= f32::midpoint(column[(column.len() - 1) / 2], column[column.len() / 2]);
            }
        }
        Ok(Some(()))
    }

    /// The codes of photos; `None` in the place of those that cannot be decoded.
    fn codes(
        &self,
        photos: &[String],
        options: LoaderOptions,
        backend: &mut dyn Backend,
        monitor: &dyn TrainMonitor,
    ) -> Result<Option<Vec<Option<Code>>>, TrainError> {
        let mut codes = vec![None; photos.len()];
        let all = self.outputs(photos, options, backend, monitor, |photo, outputs| {
            codes[photo] = Some(Code::from_signs(outputs));
        })?;
        Ok(all.map(|()| codes))
    }

    /// The network's outputs for each photo that can be decoded. `None` where it was told to end.
    fn outputs(
        &self,
        photos: &[String],
        options: LoaderOptions,
        backend: &mut dyn Backend,
        monitor: &dyn TrainMonitor,
        mut on_photo: impl FnMut(usize, &[f32; WIDTH]),
    ) -> Result<Option<()>, TrainError> {
        let store = self.samples.store.clone();
        let loader = Loader::new(store, photos.to_vec(), self.preprocess.clone(), options)?;
        each_output(backend, &loader, monitor, |rows, outputs| {
            let (outputs, _) = outputs.as_chunks();
            rows.iter().zip(outputs).for_each(|(row, outputs)| on_photo(*row, outputs));
        })
    }
}

/// Share of `photos` whose copy is within each distance; copies without a distance are not found.
fn shares(distances: &[u32], photos: usize) -> Vec<f64> {
    let within = |most| distances.iter().filter(|it| **it <= most).count();
    (0..=GREATEST_DISTANCE).map(|most| within(most) as f64 / photos.max(1) as f64).collect()
}

/// What the validation photos say of the distances of codes.
#[derive(Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) false_matches: FalseMatches,
    /// Share of copies within 0, 1, … bits.
    pub(crate) copies_within: Vec<f64>,
    /// Mean share of bits in which copies differ from their photos.
    share_of_bits: f64,
}

impl Measured {
    /// As arrays of a file. Numbers of pairs above 16 millions are rounded to seven digits.
    fn to_arrays(&self) -> Weights {
        let pairs = self.false_matches.pairs_within.iter().map(|count| *count as f32).collect();
        let copies = self.copies_within.iter().map(|share| *share as f32).collect();
        let array = |name: &str, values: Vec<f32>| {
            (name.to_owned(), Array::new(vec![values.len()], values))
        };
        let photos = vec![self.false_matches.photos as f32];
        let arrays = [
            array("photos", photos),
            array("pairs_within", pairs),
            array("copies_within", copies),
            array("share_of_bits", vec![self.share_of_bits as f32]),
        ];
        arrays.into_iter().collect()
    }

    /// Reads the file of a run.
    pub(crate) fn read(path: &Path) -> Result<Self, TrainError> {
        let wrong = || TrainError::Checkpoint {
            path: path.to_owned(),
            what: "contains no distances of codes".to_owned(),
        };
        let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
        let (file, _) = Weights::from_safetensors(&bytes)?;
        let values = |name: &str| file.get(name).map(Array::values).ok_or_else(wrong);
        let ([photos], [share_of_bits]) = (values("photos")?, values("share_of_bits")?) else {
            return Err(wrong());
        };
        let pairs_within = values("pairs_within")?.iter().map(|count| *count as u64).collect();
        let false_matches = FalseMatches { photos: *photos as u64, pairs_within };
        let copies_within: Vec<f64> =
            values("copies_within")?.iter().map(|share| f64::from(*share)).collect();
        let wanted = GREATEST_DISTANCE as usize + 1;
        if false_matches.pairs_within.len() != wanted || copies_within.len() != wanted {
            return Err(wrong());
        }
        Ok(Self { false_matches, copies_within, share_of_bits: f64::from(*share_of_bits) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_comes_back_from_its_file_and_other_files_are_refused() {
        let codes: Vec<Code> = (0..9).map(|at| Code::from_words([1 << at, 0, 0, 0])).collect();
        let measured = Measured {
            false_matches: FalseMatches::of(&codes),
            copies_within: shares(&[0, 2, 70], 4),
            share_of_bits: 0.25,
        };
        assert_eq!(measured.copies_within[..3], [0.25, 0.25, 0.5]);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), measured.to_arrays().to_safetensors(&[])).expect("written");
        assert_eq!(Measured::read(file.path()).expect("read"), measured);
        std::fs::write(file.path(), Weights::default().to_safetensors(&[])).expect("written");
        let error = Measured::read(file.path()).expect_err("empty").to_string();
        assert!(error.contains("no distances"), "{error}");
    }
}
