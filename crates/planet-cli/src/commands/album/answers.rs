//! What album schemes answer that read a model's word and no known positions.

use std::path::PathBuf;

use planet::{
    CellProbabilities, Locator, ModelPackage, Prediction,
    album::{Album, Embeddings, Scheme, album_means},
};
use planet_data::{Manifest, Monitor};

use super::photos::Said;
use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Each photo by itself: `take` gets its row and its prediction.
pub fn single(
    manifest: &Manifest,
    said: &Said,
    locator: &Locator,
    mut take: impl FnMut(usize, Prediction),
) {
    for (row, record) in manifest.records.iter().enumerate() {
        let own: Vec<f64> =
            said.spool.get(row).unwrap_or_default().into_iter().map(f64::from).collect();
        take(
            row,
            prediction(&record.photo, CellProbabilities::from_weights(&own).as_ref(), locator),
        );
    }
}

/// Every photo by the mean of its album, or of the pieces that a scheme cuts it into.
pub fn average(
    manifest: &Manifest,
    albums: &[Album],
    pieces: Scheme,
    said: &Said,
    locator: &Locator,
    mut take: impl FnMut(usize, Prediction),
) {
    for album in albums {
        album_means(
            album,
            pieces,
            |row| said.spool.get(row),
            |row, mean| {
                take(row, prediction(&manifest.records[row].photo, mean, locator));
            },
        );
    }
}

fn prediction(
    photo: &str,
    probabilities: Result<&CellProbabilities, &planet::ProbabilityError>,
    locator: &Locator,
) -> Prediction {
    match probabilities {
        Ok(probabilities) => locator.of(photo, probabilities),
        Err(error) => Prediction::failed(photo, error),
    }
}

/// Every photo by an LSTM of the package over its album's embeddings. The locator must have
/// temperature 1: an LSTM's scores have theirs inside.
pub fn sequence(
    manifest: &Manifest,
    albums: &[Album],
    scheme: Scheme,
    (package, choice): (&ModelPackage, &EngineChoice),
    embeddings: &Embeddings,
    locator: &Locator,
    mut take: impl FnMut(usize, Prediction),
) -> Result<(), Failure> {
    let mut engine = choice.open_sequence(&model(package, scheme)?)?;
    let shape = (embeddings.features(), package.partition().len());
    let features = shape.0;
    let progress = Progress::new("photos");
    progress.expect(manifest.records.len() as u64);
    for album in albums {
        if progress.cancelled() {
            return Err(Failure::new("interrupted"));
        }
        let photo = |at: usize| manifest.records[album.rows[at]].photo.as_str();
        let steps: Vec<Option<&[f32]>> =
            (0..album.rows.len()).map(|at| embeddings.of(photo(at))).collect();
        let run = |values: &[f32]| engine.run(values, features);
        let ended = scheme.answer(&steps, shape, run, |at, scores| {
            let said = locator.predict(photo(at), scores);
            let said = said.unwrap_or_else(|error| Prediction::failed(photo(at), error));
            take(album.rows[at], said);
        });
        ended.map_err(Failure::new)?;
        progress.advance(album.rows.len() as u64);
    }
    progress.finish();
    Ok(())
}

/// The file of an LSTM in a package.
pub fn model(package: &ModelPackage, scheme: Scheme) -> Result<PathBuf, Failure> {
    let (_, model) = package.scheme(scheme.name()).map_err(|error| {
        let train = format!(
            "planet album train --scheme {scheme} trains it; planet export RUN --into MODEL"
        );
        Failure::new(error).hint(format!("{train} adds it to the package"))
    })?;
    Ok(model)
}
