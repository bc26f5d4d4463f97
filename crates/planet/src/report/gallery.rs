use std::{cmp::Ordering, collections::HashMap};

use planet_geo::{ClassId, Partition, Scale};

use crate::{
    CellProbabilities, Prediction,
    map::{Region, WorldMap, class_map, probability_map},
};

/// Photos of the most confident right and wrong galleries.
const SHOWN: usize = 12;
/// Cells whose iconic photos are shown, and photos of each.
const ICONIC_CELLS: usize = 8;
const ICONS: usize = 8;
/// Width of a map beside a photo, in pixels.
const MAP_WIDTH: u32 = 480;

/// Photos that are shown together.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// What they have in common.
    pub title: String,
    /// A map of all of them, as PNG.
    pub map: Option<Vec<u8>>,
    /// The photos.
    pub photos: Vec<Shown>,
}

/// A photo with its prediction.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its id.
    pub photo: String,
    /// The photo as a small JPEG; `None` where photos are left out or cannot be read.
    pub thumbnail: Option<Vec<u8>>,
    /// Lines below it.
    pub lines: Vec<String>,
    /// Its probability over the globe, as PNG.
    pub map: Option<Vec<u8>>,
    /// The photo with its occlusion map over it, as JPEG.
    pub explanation: Option<Vec<u8>>,
}

/// Which parts of a photo its answer rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Explanation {
    /// The photo with its occlusion map over it, as a small JPEG; `None` where it has none.
    pub picture: Option<Vec<u8>>,
    /// Its description, or why there is no map.
    pub line: String,
}

/// Keeps the photos of the galleries while predictions come: the most confident right ones, the
/// most confident wrong ones, and of each class those that were given to it with the highest
/// confidence (the paper's iconic photos of a cell).
#[derive(Debug, Default)]
pub(crate) struct GalleryKeeper {
    right: Vec<Kept>,
    wrong: Vec<Kept>,
    classes: HashMap<ClassId, Class>,
}

#[derive(Debug, Default)]
struct Class {
    photos: u64,
    best: Vec<Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    confidence: f32,
    prediction: Prediction,
    probabilities: Option<CellProbabilities>,
}

impl GalleryKeeper {
    /// Considers a photo. Its prediction must know the truth to be right or wrong: right is an
    /// answer within 25 km, wrong one beyond 750 km.
    pub fn add(
        &mut self,
        prediction: &Prediction,
        probabilities: impl Fn() -> Option<CellProbabilities>,
    ) {
        let Some(best) = prediction.best() else { return };
        let confidence = best.probability.unwrap_or(0.0);
        let kept =
            |probabilities| Kept { confidence, prediction: prediction.clone(), probabilities };
        if let Some(class) = best.class {
            let class = self.classes.entry(class).or_default();
            class.photos += 1;
            keep(&mut class.best, ICONS, confidence, || kept(None));
        }
        let Some(error) = prediction.distance() else { return };
        let gallery = if error <= Scale::City.radius() {
            &mut self.right
        } else if error > Scale::Country.radius() {
            &mut self.wrong
        } else {
            return;
        };
        keep(gallery, SHOWN, confidence, || kept(probabilities()));
    }

    /// The `most` most confident photos of the galleries of right and of wrong answers, by id.
    pub fn most_confident(&self, most: usize) -> Vec<String> {
        let galleries = [&self.right, &self.wrong].into_iter();
        let kept = galleries.flat_map(|gallery| gallery.iter().take(most));
        kept.map(|kept| kept.prediction.photo.clone()).collect()
    }

    /// The galleries; `explanations` by the photos' ids stand beside right and wrong answers;
    /// `thumbnail` makes a small JPEG of a photo, or not.
    pub fn finish(
        self,
        partition: Option<&Partition>,
        explanations: &HashMap<String, Explanation>,
        thumbnail: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Vec<Gallery> {
        let show = |kept: &Kept| Shown {
            photo: kept.prediction.photo.clone(),
            thumbnail: thumbnail(&kept.prediction.photo),
            lines: lines(&kept.prediction),
            map: partition.zip(kept.probabilities.as_ref()).and_then(
                |(partition, probabilities)| {
                    let truth = kept.prediction.truth;
                    png(probability_map(partition, probabilities, truth, Region::WORLD))
                },
            ),
            explanation: None,
        };
        let explained = |kept: &Kept| {
            let mut shown = show(kept);
            if let Some(explanation) = explanations.get(&shown.photo) {
                shown.explanation.clone_from(&explanation.picture);
                shown.lines.push(explanation.line.clone());
            }
            shown
        };
        let gallery = |title: &str, kept: &[Kept]| Gallery {
            title: title.to_owned(),
            map: None,
            photos: kept.iter().map(explained).collect(),
        };
        let mut galleries = vec![
            gallery("Most confident correct answers (within 25 km)", &self.right),
            gallery("Most confident wrong answers (beyond 750 km)", &self.wrong),
        ];
        if let Some(partition) = partition {
            galleries.extend(self.iconics(partition, show));
        }
        galleries.retain(|gallery| !gallery.photos.is_empty());
        galleries
    }

    fn iconics(&self, partition: &Partition, show: impl Fn(&Kept) -> Shown) -> Vec<Gallery> {
        let mut classes: Vec<(&ClassId, &Class)> = self.classes.iter().collect();
        classes.sort_by_key(|(id, class)| (std::cmp::Reverse(class.photos), id.0));
        let gallery = |(id, class): (&ClassId, &Class)| {
            let best = &class.best.first()?.prediction.candidates.first()?;
            let name = best.place.as_ref().map_or_else(|| best.cell.clone(), ToString::to_string);
            let map = class_map(partition, *id);
            Some(Gallery {
                title: format!(
                    "{name}: most confident of {} photos located in this cell",
                    class.photos
                ),
                map: png(map),
                photos: class.best.iter().map(&show).collect(),
            })
        };
        classes.into_iter().take(ICONIC_CELLS).filter_map(gallery).collect()
    }
}

/// Keeps the `most` photos of greatest confidence, best first; of equal ones the first that came.
fn keep(gallery: &mut Vec<Kept>, most: usize, confidence: f32, kept: impl FnOnce() -> Kept) {
    let order = |other: &Kept| other.confidence.total_cmp(&confidence) != Ordering::Less;
    let place = gallery.partition_point(order);
    if place < most {
        gallery.truncate(most - 1);
        gallery.insert(place, kept());
    }
}

fn lines(prediction: &Prediction) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(best) = prediction.best() {
        let name = best.place.as_ref().map_or_else(
            || format!("{:.3}, {:.3}", best.position.lat(), best.position.lng()),
            ToString::to_string,
        );
        let share = best.probability.map_or_else(String::new, |it| format!(" {:.0} %", 100.0 * it));
        lines.push(format!("{name}{share}"));
    }
    lines.extend(prediction.distance().map(|error| format!("error {error}")));
    lines
}

fn png(map: WorldMap) -> Option<Vec<u8>> {
    map.without_legends().width(MAP_WIDTH).to_png().ok()
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;
    use crate::Candidate;

    #[test]
    fn the_surest_photos_are_kept_in_their_order() {
        let mut keeper = GalleryKeeper::default();
        for photo in 0..100u32 {
            let position =
                LatLng::new(if photo % 2 == 0 { 0.1 } else { 60.0 }, 0.0).expect("in range");
            // 0, 37, 74, 11, … of 100: no order.
            let confidence = (photo * 37 % 100) as f32 / 100.0;
            let candidate = Candidate {
                class: Some(ClassId(photo % 3)),
                probability: Some(confidence),
                ..Candidate::at(position)
            };
            keeper.add(
                &Prediction {
                    photo: photo.to_string(),
                    candidates: vec![candidate],
                    truth: LatLng::new(0.0, 0.0).ok(),
                    ..Prediction::default()
                },
                || None,
            );
        }
        let sure = |kept: &[Kept]| kept.iter().map(|it| it.confidence).collect::<Vec<_>>();
        let right = sure(&keeper.right);
        assert_eq!(right.len(), SHOWN);
        assert_eq!(right[..3], [0.98, 0.96, 0.94]);
        assert_eq!(sure(&keeper.wrong)[..2], [0.99, 0.97]);
        assert_eq!(keeper.classes[&ClassId(0)].photos, 34);
        assert_eq!(keeper.most_confident(2), ["54", "8", "27", "81"].map(str::to_owned));
        let explanation = Explanation { picture: Some(vec![2]), line: "the sign".to_owned() };
        let explanations = HashMap::from([(keeper.most_confident(1)[0].clone(), explanation)]);
        let galleries = keeper.finish(None, &explanations, |_| Some(vec![1]));
        assert_eq!(galleries.len(), 2);
        assert_eq!(galleries[0].photos[0].explanation, Some(vec![2]));
        assert!(galleries[0].photos[0].lines.contains(&"the sign".to_owned()));
        assert_eq!(galleries[0].photos[1].explanation, None);
        assert_eq!(galleries[0].photos[0].lines[1], "error 11.1 km");
    }
}
