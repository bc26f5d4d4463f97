//! A library is located in the background.

use std::{
    collections::HashSet,
    pin::pin,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::{StreamExt, stream};
use planet::{LocatorOptions, Prediction};
use planet_data::{DataError, DiskStore, Found, Monitor, PhotoRecord, scan};
use planet_geo::LatLng;
use planet_library::{Library, ModelOutput};

use super::{Decision, Item, Review, Stage};
use crate::{inference::Output, model::Served};

impl Review {
    fn stage(&self, stage: &'static str) {
        self.state().stage = Stage::Working(stage);
        self.done.store(0, Relaxed);
        self.total.store(0, Relaxed);
    }

    /// Photos in order of time with their predictions; those without a time last.
    pub(super) fn locate(
        &self,
        model: Option<&Served>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Vec<Item>, String> {
        let folder = &self.options.folder;
        let mut records = Vec::new();
        scan(std::slice::from_ref(folder), folder, &HashSet::new(), self, |found| {
            if let Ok(Found::New(scanned)) = found {
                records.push(scanned.record);
            }
            Ok::<(), DataError>(())
        })
        .map_err(|error| error.to_string())?;
        if records.is_empty() {
            return Err(format!("there are no photos in {}", folder.display()));
        }
        records.sort_by(|a, b| {
            (a.time.is_none(), &a.time, &a.photo).cmp(&(b.time.is_none(), &b.time, &b.photo))
        });
        let known: Vec<Option<LatLng>> = records.iter().map(PhotoRecord::known_position).collect();
        let outputs = match model {
            Some(model) => self.outputs(model, &records, &known, runtime)?,
            None => Vec::new(),
        };
        self.stage("locating");
        let probabilities = |row: usize| {
            let output = outputs.get(row)?.as_ref()?;
            let found = model?.locator.probabilities(&output.logits).ok()?;
            Some(found.values().to_vec())
        };
        let network = model.map(|model| ModelOutput {
            partition: model.package.partition(),
            probabilities: &probabilities,
            prior: None,
        });
        let library = Library::new(&records, network);
        let options = LocatorOptions::default();
        let calibration = library.calibrate(&known, &options, self);
        let calibration = calibration.map_err(|error| error.to_string())?;
        let mut predictions = vec![Prediction::default(); records.len()];
        library
            .locate(&known, &calibration, &options, &self.gazetteer, self, |row, it| {
                predictions[row] = it;
            })
            .map_err(|error| error.to_string())?;
        let item = |((record, mut prediction), truth): ((PhotoRecord, Prediction), _)| {
            prediction.truth = truth;
            Item { record, prediction, decision: Decision::Open, corrected: None }
        };
        Ok(records.into_iter().zip(predictions).zip(known).map(item).collect())
    }

    /// What the network says of the photos whose position is not known.
    fn outputs(
        &self,
        model: &Served,
        records: &[PhotoRecord],
        known: &[Option<LatLng>],
        runtime: &tokio::runtime::Handle,
    ) -> Result<Vec<Option<Output>>, String> {
        self.stage("network");
        self.total.store(known.iter().filter(|it| it.is_none()).count() as u64, Relaxed);
        let store = Arc::new(DiskStore::new(&self.options.folder));
        let mut outputs: Vec<Option<Output>> = vec![None; records.len()];
        let rows: Vec<usize> = (0..records.len()).filter(|row| known[*row].is_none()).collect();
        let run = async |row: usize| {
            let place = model.inference.wait_for_place().await;
            let (store, photo) = (Arc::clone(&store), records[row].photo.clone());
            let bytes = tokio::task::spawn_blocking(move || store.bytes(&photo)).await;
            let output = match bytes {
                Ok(Ok(bytes)) => model.inference.run_bytes(bytes, place).await.ok(),
                _ => None,
            };
            self.done.fetch_add(1, Relaxed);
            (row, output)
        };
        // Photos are decoded on all cores while the engine runs batches.
        let all = stream::iter(rows).map(run).buffer_unordered(model.inference.share());
        runtime.block_on(async {
            let mut all = pin!(all);
            while let Some((row, output)) = all.next().await {
                outputs[row] = output;
                if self.cancelled() {
                    return Err("interrupted".to_owned());
                }
            }
            Ok(())
        })?;
        Ok(outputs)
    }
}

impl Monitor for Review {
    fn expect(&self, steps: u64) {
        self.total.fetch_add(steps, Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Relaxed);
    }

    fn cancelled(&self) -> bool {
        *self.ending.borrow()
    }
}
