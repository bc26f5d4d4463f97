use planet::{Accuracy, LocateOptions, LocatorOptions, ModelPackage};
use planet_data::{DiskStore, Gazetteer, Manifest, Monitor, PhotoRecord, table::TableSource};
use planet_geo::{LatLng, Scale};
use std::{
    io::{self, Write},
    sync::Arc,
};

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Photos that are located.
const MOST_PHOTOS: usize = 200;

/// Locates photos of known position with a package and holds the result to the best single answer
/// for all of them: a model whose preprocessing or classes are not its own is hardly better.
pub fn run(package: &ModelPackage, engine: &EngineChoice, photos: &str) -> Result<(), Failure> {
    let manifest = Manifest::load(&TableSource::parse(photos), None).map_err(Failure::new)?;
    let known: Vec<(&PhotoRecord, LatLng)> =
        manifest.records.iter().filter_map(|record| Some((record, record.position?))).collect();
    if known.is_empty() {
        return Err(Failure::new(format!("{photos}: no photo has a position")));
    }
    let every = known.len().div_ceil(MOST_PHOTOS);
    let known: Vec<_> = known.into_iter().step_by(every).collect();
    let ids: Vec<String> = known.iter().map(|(record, _)| record.photo.clone()).collect();

    let options = LocatorOptions { top: 1, names: false, ..LocatorOptions::default() };
    let mut model = engine.open_model(package.clone(), options, Arc::new(Gazetteer::new()))?;
    let progress = Progress::new("photos");
    progress.expect(ids.len() as u64);
    let (mut found, mut single) = (Accuracy::default(), Accuracy::default());
    let store = Arc::new(DiskStore::new(&manifest.root));
    let options = LocateOptions::default();
    let ended = model.locate(store, &ids, options, &progress, |at, prediction, _| {
        let best = prediction.candidates.first();
        found.add(best.map(|it| it.position.distance_to(known[at].1)));
        Ok::<(), Failure>(())
    });
    progress.finish();
    ended?;
    let truths: Vec<LatLng> = known.iter().map(|(_, position)| *position).collect();
    let answer = busiest(&truths);
    truths.iter().for_each(|truth| single.add(answer.map(|it| it.distance_to(*truth))));
    report(&found, &single)
}

/// The photo's position with the most others within region scale.
fn busiest(positions: &[LatLng]) -> Option<LatLng> {
    let near = |middle: &&LatLng| {
        positions.iter().filter(|it| it.distance_to(**middle) <= Scale::Region.radius()).count()
    };
    positions.iter().max_by_key(near).copied()
}

fn report(model: &Accuracy, single: &Accuracy) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "checked    {} photos of known position", model.photos())?;
    let (model, single) = (model.shares(1), single.shares(1));
    for ((scale, model), single) in Scale::ALL.into_iter().zip(model).zip(single) {
        writeln!(
            out,
            "  within {:>5} km  {:>5.1} %  (one answer for all: {:.1} %)",
            scale.radius().km(),
            100.0 * model,
            100.0 * single
        )?;
    }
    if !model.iter().zip(&single).any(|(model, single)| model > single) {
        anstream::eprintln!(
            "warning: the model is no better than one answer for all photos; check that size, mean, \
             std, channel order and partition are those that the model was trained with"
        );
    }
    Ok(())
}
