use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use planet::{
    Candidate, FeatureModel, Prediction,
    report::{Cost, References},
    retrieval::{Descriptor, Index, Neighbour, RefineOptions, RetrievalError, Role, densest},
};
use planet_data::DiskStore;

use super::{Answers, Rival};
use crate::{commands::retrieve::extractor, failure::Failure, progress::Progress};

/// Locates the photos by an index of a model's features: by the most similar photo, and where the
/// density of similar photos is greatest (Vo, Jacobs and Hays 2017).
pub fn evaluate(rival: &Rival<'_>, references: &mut References) -> Result<Cost, Failure> {
    let index = Index::open(rival.path)?;
    let info = index.info();
    let mut extractor = extractor(&model(rival, &index), rival.all.engine, info.recipe.clone())
        .map_err(|failure| {
            failure.hint("create the index again with the model that is evaluated")
        })?;
    index.check_model(extractor.model())?;
    if let Some(whitening) = index.whitening() {
        extractor = extractor.with_whitening(whitening.clone())?;
    }
    let label = rival.label(&format!("features of {}", info.model));
    let nearest = format!("{label}, most similar photo");
    let mut nearest = rival.answers(nearest, "nearest")?;
    let mut density = rival.answers(format!("{label}, density of similar photos"), "density")?;

    let search = Search { index: &index, options: RefineOptions::over_the_earth() };
    let (ids, mut searching) = (rival.ids(), Duration::ZERO);
    let begun = Instant::now();
    let progress = Progress::new("photos");
    let store = DiskStore::new(&rival.all.manifest.root);
    let mut failed = Ok(());
    let ended = extractor.describe(&store, &ids, Role::Query, &progress, |row, found| {
        let predictions = match found {
            Ok(descriptor) => {
                let begun = Instant::now();
                let neighbours = search.neighbours(descriptor);
                searching += begun.elapsed();
                search.answers(&ids[row], &neighbours)
            }
            Err(error) => {
                let failed = Prediction::failed(&ids[row], error);
                [failed.clone(), failed]
            }
        };
        let each = [&mut nearest, &mut density].into_iter().zip(predictions);
        failed = each.into_iter().try_for_each(|(it, prediction)| it.take(row, prediction));
        // The failure itself is told below.
        if failed.is_ok() { Ok(()) } else { Err(RetrievalError::Cancelled) }
    });
    progress.finish();
    failed?;
    ended?;
    let seconds = begun.elapsed().as_secs_f64();
    let finish = |answers: Answers<'_>| answers.finish(references);
    [nearest, density].into_iter().try_for_each(finish)?;
    let (photos, queries) = (index.photos().len(), ids.len().max(1) as f64);
    Ok(Cost {
        name: label,
        photos: Some(photos as u64),
        bytes: index.bytes() as u64,
        bytes_per_photo: Some(index.bytes() as f64 / photos.max(1) as f64),
        seconds: seconds / queries,
        search_seconds: Some(searching.as_secs_f64() / queries),
    })
}

/// The model that is evaluated where it made the index, else the one that the index names.
fn model(rival: &Rival<'_>, index: &Index) -> PathBuf {
    let own = FeatureModel::Classifier(Box::new(rival.all.package.clone()));
    match index.check_model(&own) {
        Ok(()) => own.folder().to_owned(),
        Err(_) => PathBuf::from(&index.info().model_folder),
    }
}

struct Search<'a> {
    index: &'a Index,
    options: RefineOptions,
}

impl Search<'_> {
    /// The similar photos of known position, nearest first.
    fn neighbours(&self, descriptor: Descriptor) -> Vec<Neighbour> {
        let hits = self.index.search(&[descriptor], self.options.neighbours);
        let photos = self.index.photos();
        let neighbour = |hit: &planet::retrieval::Hit| {
            let position = photos[hit.photo].position?;
            Some(Neighbour { position, distance: hit.distance })
        };
        hits.iter().flatten().filter_map(neighbour).collect()
    }

    /// The position of the most similar photo, and that where the density is greatest.
    fn answers(&self, photo: &str, neighbours: &[Neighbour]) -> [Prediction; 2] {
        let nearest = neighbours.first().map(|it| Candidate::at(it.position));
        let densest = densest(neighbours, &self.options).map(|(position, share)| Candidate {
            probability: Some(share as f32),
            ..Candidate::at(position)
        });
        [nearest, densest].map(|candidate| match candidate {
            None => Prediction::failed(photo, "the index has no similar photo of known position"),
            Some(candidate) => Prediction {
                photo: photo.to_owned(),
                candidates: vec![candidate],
                ..Prediction::default()
            },
        })
    }
}
