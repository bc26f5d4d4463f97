use planet_data::Monitor;
use planet_geo::{Partition, Scale};
use rayon::prelude::*;

use crate::{
    ANSWERS, Ideal, IdealOutcome, Journeys, View, World, WorldError,
    album::minutes_between,
    given::{GivenPhoto, GivenPhotos},
    share::{Groups, Share},
};

const SCALES: usize = Scale::ALL.len();

/// The best accuracy at one scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleCeiling {
    /// Which scale.
    pub scale: Scale,
    /// Measured accuracy of the ideal classifier, best of its first 1, 2, … 5 answers.
    pub ideal: [Share; ANSWERS],
    /// Accuracy of its first answer that the posterior itself expects.
    pub ideal_expected: f64,
    /// Measured accuracy of the cell points with the most posterior mass within the radius.
    pub bound: Share,
    /// The same as the posterior itself expects it.
    pub bound_expected: f64,
}

/// How well anybody could do on some photos with a partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Ceiling {
    /// Photos that were scored.
    pub photos: usize,
    /// Of these, photos in no cell; they count as missed by their cell.
    pub outside: usize,
    /// How far a P(cell | place) may be off, as a share.
    pub quadrature_error: f64,
    /// The five scales.
    pub scales: [ScaleCeiling; SCALES],
    /// How often the most probable cell holds the photo.
    pub cell: Share,
    /// The same as the posterior itself expects it.
    pub cell_expected: f64,
    /// Mean of −ln of the probability of the cell that holds the photo, given that one of the cells does, in
    /// nats; of photos in a cell. The least that any model can reach on average.
    pub log_loss: f64,
    /// The same as the posterior itself expects it.
    pub log_loss_expected: f64,
    /// −ln of that probability for each photo that is scored, in the manifest's order; `None` for a photo
    /// outside every cell.
    pub log_losses: Vec<Option<f64>>,
}

/// How well a view of albums could do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlbumCeiling {
    /// What is known.
    pub view: View,
    /// Whether capture times are known and not only the order.
    pub times: bool,
    /// Measured accuracy of the ideal classifier's first answer at the five scales.
    pub scales: [Share; SCALES],
    /// How often the most probable cell holds the photo.
    pub cell: Share,
    /// The same as the posterior itself expects it (meaningless for [`View::Mean`]).
    pub cell_expected: f64,
}

impl Ceiling {
    /// Scores every photo of known position on its own, copies included.
    ///
    /// # Errors
    /// The monitor asked for an end.
    pub fn of(
        world: &World,
        partition: &Partition,
        given: &GivenPhotos,
        monitor: &dyn Monitor,
    ) -> Result<Self, WorldError> {
        let ideal = Ideal::new(world, partition, monitor)?;
        let photos: Vec<&GivenPhoto> = given.photos.iter().filter(|photo| photo.scored).collect();
        monitor.expect(photos.len() as u64);
        let outcome = |photo: &&GivenPhoto| {
            if monitor.cancelled() {
                return Err(WorldError::Cancelled);
            }
            monitor.advance(1);
            let posterior = world.posterior(&photo.drawn.cues);
            Ok(ideal.outcome(&posterior, photo.drawn.position))
        };
        let outcomes: Vec<IdealOutcome> =
            photos.par_iter().map(outcome).collect::<Result<_, _>>()?;
        Ok(Self::summary(&outcomes, ideal.coverage().error()))
    }

    fn summary(outcomes: &[IdealOutcome], quadrature_error: f64) -> Self {
        let share = |hit: &dyn Fn(&IdealOutcome) -> bool| {
            let mut groups = Groups::default();
            outcomes.iter().for_each(|outcome| groups.add(f64::from(hit(outcome)), 1.0));
            groups.share()
        };
        let mean = |value: &dyn Fn(&IdealOutcome) -> f64| {
            outcomes.iter().map(value).sum::<f64>() / outcomes.len().max(1) as f64
        };
        let scales = std::array::from_fn(|row| ScaleCeiling {
            scale: Scale::ALL[row],
            ideal: std::array::from_fn(|k| share(&|j| j.scales[row].found[k])),
            ideal_expected: mean(&|j| j.scales[row].expected),
            bound: share(&|j| j.scales[row].bound_found),
            bound_expected: mean(&|j| j.scales[row].bound_expected),
        });
        let inside: Vec<&IdealOutcome> = outcomes.iter().filter(|it| !it.outside).collect();
        let mean_inside = |value: &dyn Fn(&IdealOutcome) -> f64| {
            inside.iter().map(|it| value(it)).sum::<f64>() / inside.len().max(1) as f64
        };
        Self {
            photos: outcomes.len(),
            outside: outcomes.iter().filter(|outcome| outcome.outside).count(),
            quadrature_error,
            scales,
            cell: share(&|j| j.cell_found),
            cell_expected: mean(&|j| j.cell_expected),
            log_loss: mean_inside(&|j| j.log_loss.unwrap_or(0.0)),
            log_loss_expected: mean_inside(&|j| j.entropy),
            log_losses: outcomes.iter().map(|it| it.log_loss).collect(),
        }
    }
}

/// Hits of one album under one view.
#[derive(Clone, Copy)]
struct AlbumHits {
    view: View,
    times: bool,
    scales: [f64; SCALES],
    cell: f64,
    cell_expected: f64,
    photos: f64,
}

impl AlbumCeiling {
    /// Scores whole albums, a row for each view: first from the order alone, then, where every
    /// photo has a time, with the times for the views that heed them.
    ///
    /// Copies are left out: they would count twice as evidence. Photos without a position in the
    /// manifest are evidence but are not scored.
    ///
    /// # Errors
    /// The monitor asked for an end.
    pub fn of(
        world: &World,
        partition: &Partition,
        given: &GivenPhotos,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Self>, WorldError> {
        let ideal = Ideal::new(world, partition, monitor)?;
        let journeys = Journeys::new(world);
        let albums: Vec<Vec<&GivenPhoto>> = given
            .albums
            .iter()
            .map(|rows| rows.iter().map(|row| &given.photos[*row]).filter(|p| !p.is_copy).collect())
            .filter(|album: &Vec<_>| !album.is_empty())
            .collect();
        let timed = given.photos.iter().all(|photo| photo.time.is_some());
        monitor.expect(albums.len() as u64);
        let hits = |album: &Vec<&GivenPhoto>| {
            if monitor.cancelled() {
                return Err(WorldError::Cancelled);
            }
            let hits = album_hits(&ideal, &journeys, album, timed);
            monitor.advance(1);
            Ok(hits)
        };
        let hits: Vec<Vec<AlbumHits>> = albums.par_iter().map(hits).collect::<Result<_, _>>()?;
        Ok(summary(&hits))
    }
}

fn album_hits(
    ideal: &Ideal<'_>,
    journeys: &Journeys,
    album: &[&GivenPhoto],
    timed: bool,
) -> Vec<AlbumHits> {
    let cues: Vec<_> = album.iter().map(|photo| photo.drawn.cues).collect();
    let times: Vec<_> = album.iter().filter_map(|photo| photo.time).collect();
    let minutes = timed.then(|| minutes_between(&times));
    let mut all = Vec::new();
    for known in [None, minutes.as_deref()].into_iter().take(1 + usize::from(timed)) {
        for (view, posteriors) in journeys.posteriors(&cues, known) {
            if known.is_some() && !view.heeds_times() {
                continue;
            }
            let times = known.is_some();
            let mut hits = AlbumHits {
                view,
                times,
                scales: [0.0; SCALES],
                cell: 0.0,
                cell_expected: 0.0,
                photos: 0.0,
            };
            let scored = album.iter().zip(&posteriors).filter(|(photo, _)| photo.scored);
            for (photo, posterior) in scored {
                let outcome = ideal.outcome(posterior, photo.drawn.position);
                for (hits, scale) in hits.scales.iter_mut().zip(outcome.scales) {
                    *hits += f64::from(scale.found[0]);
                }
                hits.cell += f64::from(outcome.cell_found);
                hits.cell_expected += outcome.cell_expected;
                hits.photos += 1.0;
            }
            all.push(hits);
        }
    }
    all
}

/// Every album has the same rows in the same order.
fn summary(albums: &[Vec<AlbumHits>]) -> Vec<AlbumCeiling> {
    let rows = albums.first().map_or(0, Vec::len);
    let row = |row: usize| {
        let share = |hits: &dyn Fn(&AlbumHits) -> f64| {
            let mut groups = Groups::default();
            albums.iter().for_each(|album| groups.add(hits(&album[row]), album[row].photos));
            groups.share()
        };
        AlbumCeiling {
            view: albums[0][row].view,
            times: albums[0][row].times,
            scales: std::array::from_fn(|scale| share(&|hits| hits.scales[scale])),
            cell: share(&|hits| hits.cell),
            cell_expected: share(&|hits| hits.cell_expected).mean,
        }
    };
    (0..rows).map(row).collect()
}
