use std::{path::Path, sync::Arc};

use planet::{
    Prediction,
    map::{Colour, Region, WorldMap},
    retrieval::{FoundPhoto, SearchResult, search_page},
};
use planet_data::{AtomicFile, DiskStore, PhotoStore, thumbnail_jpeg};
use planet_geo::LatLng;
use planet_im2gps::{AnswerRule, Im2Gps, Neighbour, Version, mean_shift};

use crate::failure::Failure;

/// Photos of a page at most: those that are located first.
const PHOTOS: usize = 50;
/// Similar photos that are shown of each.
const SHOWN: usize = 10;
/// Side of the photos in pixels, and width of the maps.
const SIDES: [u32; 2] = [320, 1000];

const OTHER: Colour = Colour::new(150, 150, 150);
const CLUSTERS: [Colour; 4] = [
    Colour::new(230, 140, 20),
    Colour::new(150, 80, 180),
    Colour::new(30, 150, 160),
    Colour::new(150, 110, 60),
];
const TRUTH: Colour = Colour::new(214, 30, 40);

/// Answers with their names and colours.
const ANSWERS: [(AnswerRule, &str, Colour); 3] = [
    (AnswerRule::Nearest, "most similar photo", Colour::new(30, 90, 200)),
    (AnswerRule::MeanShift, "largest cluster", Colour::new(20, 130, 70)),
    (AnswerRule::SupportVectors, "support vector machines", Colour::new(20, 20, 20)),
];

/// A page of examples: each photo with the photos that are most similar, the clusters of their
/// positions on a map, and what follows from them by each rule.
pub struct Page<'a> {
    im2gps: &'a Im2Gps,
    queries: Arc<dyn PhotoStore>,
    references: DiskStore,
    results: Vec<SearchResult>,
    photos: usize,
}

impl<'a> Page<'a> {
    pub fn new(im2gps: &'a Im2Gps, queries: Arc<dyn PhotoStore>) -> Self {
        let references = DiskStore::new(im2gps.index().root());
        Self { im2gps, queries, references, results: Vec::new(), photos: 0 }
    }

    /// Adds a photo; `prediction` says why there are no neighbours.
    pub fn add(&mut self, prediction: &Prediction, neighbours: &[Neighbour]) {
        self.photos += 1;
        if self.results.len() == PHOTOS {
            return;
        }
        let answers = if neighbours.is_empty() { Vec::new() } else { self.answers(neighbours) };
        let truth = prediction.truth;
        let line = |(name, _, at): &(&str, Colour, LatLng)| format!("{name}: {}", told(*at, truth));
        let error = || prediction.error.clone().unwrap_or_default();
        let query = FoundPhoto {
            photo: prediction.photo.clone(),
            thumbnail: thumbnail(self.queries.as_ref(), &prediction.photo),
            lines: answers.iter().map(line).collect(),
        };
        let shown = neighbours.iter().take(SHOWN).map(|it| self.neighbour(it, truth)).collect();
        let found = if neighbours.is_empty() { Err(error()) } else { Ok(shown) };
        let map = found.is_ok().then(|| self.map(neighbours, &answers, truth));
        // A map that cannot be drawn leaves the photos.
        let map = map.and_then(|map| map.to_png().ok());
        self.results.push(SearchResult { query, found, map });
    }

    pub fn write(&self, path: &Path, index: &Path) -> Result<(), Failure> {
        let version = self.im2gps.index().version().year();
        let mut subject = format!(
            "Im2GPS {version}: photos that are similar to each, of {} in {}. On the maps: their \
             positions in the colours of the largest clusters, and the answers.",
            self.im2gps.index().len(),
            index.display()
        );
        if self.photos > PHOTOS {
            subject.push_str(&format!(" The first {PHOTOS} of {} photos.", self.photos));
        }
        let html = search_page(&subject, &self.results);
        AtomicFile::write_all_at(path, html.as_bytes()).map_err(Failure::file(path))
    }

    /// The first position by each rule.
    fn answers(&self, neighbours: &[Neighbour]) -> Vec<(&'static str, Colour, LatLng)> {
        let rules = match self.im2gps.index().version() {
            Version::Im2Gps2008 => &ANSWERS[..2],
            Version::Im2Gps2014 => &ANSWERS[..],
        };
        let answer = |(rule, name, colour): &(AnswerRule, &'static str, Colour)| {
            let prediction = self.im2gps.answer("", *rule, neighbours);
            Some((*name, *colour, prediction.best()?.position))
        };
        rules.iter().filter_map(answer).collect()
    }

    fn neighbour(&self, neighbour: &Neighbour, truth: Option<LatLng>) -> FoundPhoto {
        let index = self.im2gps.index();
        let photo = index.photo(neighbour.row);
        FoundPhoto {
            photo: photo.to_owned(),
            thumbnail: thumbnail(&self.references, photo),
            lines: vec![
                format!("distance {:.2}", neighbour.distance),
                told(index.position(neighbour.row), truth),
            ],
        }
    }

    /// All neighbours, the members of the largest clusters in their colours; above them the
    /// answers and the truth.
    fn map(
        &self,
        neighbours: &[Neighbour],
        answers: &[(&'static str, Colour, LatLng)],
        truth: Option<LatLng>,
    ) -> WorldMap {
        let positions: Vec<LatLng> =
            neighbours.iter().map(|it| self.im2gps.index().position(it.row)).collect();
        let clusters = mean_shift(&positions, self.im2gps.options().bandwidth);
        let mut map = WorldMap::new(Region::WORLD).width(SIDES[1]);
        for (at, cluster) in clusters.iter().enumerate().rev() {
            // One photo alone is no cluster.
            let own = CLUSTERS.get(at).filter(|_| cluster.members.len() > 1);
            for member in &cluster.members {
                map.point(positions[*member], 4.0, own.copied().unwrap_or(OTHER));
            }
        }
        // Answers that agree lie in each other.
        for ((_, colour, at), radius) in answers.iter().zip([9.0, 7.0, 5.0]) {
            map.point(*at, radius, *colour);
        }
        if let Some(truth) = truth {
            map.point(truth, 3.0, TRUTH);
            map.key("position in file", TRUTH);
        }
        map.key("similar photo", OTHER);
        answers.iter().for_each(|(name, colour, _)| map.key(*name, *colour));
        map
    }
}

fn thumbnail(store: &dyn PhotoStore, photo: &str) -> Option<Vec<u8>> {
    Some(thumbnail_jpeg(&store.photo(photo).ok()?, SIDES[0]))
}

/// A position, and how far it is from the true one.
fn told(position: LatLng, truth: Option<LatLng>) -> String {
    let place = format!("{:.3}, {:.3}", position.lat(), position.lng());
    match truth {
        None => place,
        Some(truth) => format!("{place}, {:.0} km away", truth.distance_to(position).km()),
    }
}
