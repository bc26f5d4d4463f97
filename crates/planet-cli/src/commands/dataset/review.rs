use std::path::Path;

use planet::{ReviewGroup, ReviewPhoto, review_page};
use planet_data::{AtomicFile, DiskStore, PhotoStore, thumbnail_jpeg};
use rayon::prelude::*;

use super::rejection::Rejection;
use crate::failure::Failure;

/// Photos that are shown of those that a rule matches.
const MATCHING: usize = 500;
/// Photos that are shown of those that it does not match.
const OTHERS: usize = 50;
/// Longer side of a photo on the page, in pixels.
const SIDE: u32 = 200;

/// The photos that a rule matches and nearly matches, for a page on which they are looked at.
pub struct Review {
    matching: Closest,
    others: Closest,
}

impl Review {
    pub fn new() -> Self {
        Self { matching: Closest::new(MATCHING), others: Closest::new(OTHERS) }
    }

    /// Considers a photo and its value under a rule.
    pub fn add(&mut self, rule: &Rejection, photo: &str, value: f64, is_kept: bool) {
        let closest = if rule.rejects(value) { &mut self.matching } else { &mut self.others };
        let distance = (value - rule.threshold).abs();
        closest.add(Matched { photo: photo.to_owned(), value, is_kept, distance });
    }

    /// Writes the page.
    pub fn write(
        reviews: Vec<(Rejection, Self)>,
        manifest: &str,
        store: &DiskStore,
        page: &Path,
    ) -> Result<(), Failure> {
        let groups = reviews.into_iter().flat_map(|(rule, review)| {
            let Self { matching, others } = review;
            [
                matching.group(rule.to_string(), "match", store),
                others.group(format!("Nearly {rule}"), "do not match", store),
            ]
        });
        let groups: Vec<ReviewGroup> = groups.collect();
        let html = review_page(&format!("Filter of {manifest}"), &groups);
        AtomicFile::write_all_at(page, html.as_bytes()).map_err(Failure::file(page))
    }
}

/// A photo and how far its value is from the threshold.
struct Matched {
    photo: String,
    value: f64,
    is_kept: bool,
    distance: f64,
}

/// The photos whose values are closest to a threshold, where mistakes are most probable.
struct Closest {
    most: usize,
    total: u64,
    photos: Vec<Matched>,
}

impl Closest {
    fn new(most: usize) -> Self {
        Self { most, total: 0, photos: Vec::new() }
    }

    fn add(&mut self, photo: Matched) {
        self.total += 1;
        self.photos.push(photo);
        if self.photos.len() > 2 * self.most {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.photos.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        self.photos.truncate(self.most);
    }

    fn group(mut self, title: String, what: &str, store: &DiskStore) -> ReviewGroup {
        self.shrink();
        let count = self.photos.len();
        let note = match self.total {
            total if total == count as u64 => format!("{total} photos {what}."),
            total => format!(
                "{count} of the {total} photos that {what}: those closest to the threshold."
            ),
        };
        let shown = |photo: Matched| ReviewPhoto {
            thumbnail: store.photo(&photo.photo).ok().map(|photo| thumbnail_jpeg(&photo, SIDE)),
            photo: photo.photo,
            value: format!("{:.3}", photo.value),
            is_kept: photo.is_kept,
        };
        let photos = self.photos.into_par_iter().map(shown).collect();
        ReviewGroup { title, note, photos }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_photos_those_closest_to_the_threshold_stay() {
        let mut closest = Closest::new(2);
        for at in 0..100_u32 {
            let distance = f64::from(at * 37 % 100);
            let photo = at.to_string();
            closest.add(Matched { photo, value: 0.0, is_kept: false, distance });
        }
        let store = DiskStore::new("nowhere");
        let group = closest.group(String::new(), "match", &store);
        assert_eq!(group.note, "2 of the 100 photos that match: those closest to the threshold.");
        let shown: Vec<_> = group.photos.iter().map(|it| it.photo.as_str()).collect();
        // 73 · 37 = 2701.
        assert_eq!(shown, ["0", "73"]);
        assert!(group.photos.iter().all(|photo| photo.thumbnail.is_none()));
    }
}
