//! The best that can be done with synthetic albums, beside what schemes do.

use planet::{album::Scheme, report::SchemeIdeal};
use planet_data::Manifest;
use planet_geo::Partition;
use planet_world::{AlbumCeiling, Coverage, GivenPhotos, View, World, WorldParameters};

use crate::{failure::Failure, progress::Progress};

/// Exact inference on the photos of a synthetic earth.
pub struct Ideals {
    world: World,
    given: GivenPhotos,
    coverage: Coverage,
    views: Vec<AlbumCeiling>,
}

impl Ideals {
    /// For the photos of a manifest from a world's folder.
    pub fn of(manifest: &Manifest, partition: &Partition) -> Result<Self, Failure> {
        let parameters = WorldParameters::read(&manifest.root).map_err(Failure::new)?;
        let world = World::draw(parameters).map_err(Failure::new)?;
        let given = GivenPhotos::of(manifest).map_err(Failure::new)?;
        let progress = Progress::new("albums");
        let views = AlbumCeiling::of(&world, partition, &given, &progress);
        let coverage = Coverage::new(&world, partition, &progress);
        progress.finish();
        let (views, coverage) = (views.map_err(Failure::new)?, coverage.map_err(Failure::new)?);
        Ok(Self { world, given, coverage, views })
    }

    /// What can be done with what a scheme sees. Only the hidden Markov model sees times.
    pub fn for_scheme(&self, scheme: Scheme) -> Option<SchemeIdeal> {
        let view = match scheme {
            Scheme::Single => View::Single,
            Scheme::Average => View::Mean,
            Scheme::Lstm => View::Forward,
            Scheme::LstmOffset1 => View::Lag1,
            Scheme::LstmOffset2 => View::Lag2,
            Scheme::LstmRepeat | Scheme::Blstm | Scheme::Hmm => View::Whole,
            Scheme::LstmRepeat25 | Scheme::Blstm25 => View::Whole25,
        };
        let times = scheme == Scheme::Hmm;
        let mut views = self.views.iter().filter(|it| it.view == view);
        // Where not every photo has a time there is no row with times.
        let found = views.clone().find(|it| it.times == times).or_else(|| views.next())?;
        let with_times = if found.times { " with times" } else { "" };
        Some(SchemeIdeal {
            view: format!("{}{with_times}", view.name()),
            within: found.scales.map(|share| share.mean),
            cell: found.cell.mean,
        })
    }

    /// Each row's exact distribution over the cells, from its own cues alone, and the one before
    /// anything is seen; `None` where rows that are no photographs stand between.
    #[expect(clippy::type_complexity, reason = "a function and what belongs to it")]
    pub fn exact(&self) -> Option<(impl Fn(usize) -> Option<Vec<f32>> + Sync + '_, Vec<f64>)> {
        if self.given.non_photos > 0 {
            return None;
        }
        let popularity: Vec<f64> =
            self.world.places().iter().map(|place| place.popularity).collect();
        let exact = |row: usize| {
            let places = self.world.posterior(&self.given.photos[row].drawn.cues);
            Some(self.coverage.cells(&places).into_iter().map(|share| share as f32).collect())
        };
        Some((exact, self.coverage.cells(&popularity)))
    }
}
