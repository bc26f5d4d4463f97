use jiff::{SignedDuration, civil::DateTime};
use rand::RngExt;

use crate::{
    journeys::Journeys,
    paint::Nuisance,
    seed::{Purpose, stream},
    synthetic_photo::{SyntheticPhoto, author_name, draw_camera, draw_day, draw_quality},
};

/// Albums of one author follow one another; all begin from the author's one home.
pub(crate) const ALBUMS_OF_AUTHOR: u64 = 2;

/// Photos of an album.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=60;

/// Chance that an album begins with photos that show nothing, and how many they are.
const BARE_START: f64 = 0.4;
const BARE_PHOTOS: std::ops::RangeInclusive<usize> = 1..=5;

impl Journeys {
    /// The zone where an author lives, in whole hours by the longitude, as seconds ahead of UTC.
    pub(crate) fn zone_of(&self, seed: u64, author: u64) -> i64 {
        let home = self.draw_home(&mut stream(seed, Purpose::AlbumAuthor, author));
        let place = self.world.place(self.homes[home].0);
        (place.position.lng() / 15.0).round() as i64 * 3600
    }

    /// The album of that number among those of a seed, in the order of time. Any album can be
    /// had without the others, and always is the same.
    ///
    /// Where an album begins with photos that show nothing, it does so whatever the places are,
    /// so that cues are independent given the places as everywhere else.
    pub fn album(&self, seed: u64, number: u64) -> Vec<SyntheticPhoto> {
        let author = number / ALBUMS_OF_AUTHOR;
        // Single photos of the same seed have authors too.
        let mut of_author = stream(seed, Purpose::AlbumAuthor, author);
        let (home, camera) = (self.draw_home(&mut of_author), draw_camera(&mut of_author));
        let mut rng = stream(seed, Purpose::Album, number);
        let length = rng.random_range(LENGTH);
        let bare = if rng.random_bool(BARE_START) { rng.random_range(BARE_PHOTOS) } else { 0 };
        let stops = self.draw(home, length, &mut rng);

        let author = author_name(seed, author);
        let album = format!("album-{number:05}");
        let mut time = draw_day(&mut rng);
        let mut position = self.world.draw_position(stops[0].place, &mut rng);
        let mut photos = Vec::with_capacity(length);
        for (index, stop) in stops.into_iter().enumerate() {
            if !stop.stayed {
                position = self.world.draw_position(stop.place, &mut rng);
            }
            time = later(time, stop.minutes);
            let cues = if index < bare {
                self.world.draw_bare(&mut rng)
            } else {
                self.world.draw_cues(stop.place, &mut rng)
            };
            photos.push(SyntheticPhoto {
                id: format!("{author}/{album}/{index:03}.jpg"),
                place: stop.place,
                position,
                cues,
                nuisance: Nuisance::draw(&mut rng),
                time,
                author: author.clone(),
                album: Some(album.clone()),
                camera,
                quality: draw_quality(&mut rng),
            });
        }
        photos
    }
}

/// To the second, as cameras write it. An album lasts months at most, far from the end of time.
fn later(time: DateTime, minutes: f64) -> DateTime {
    let seconds = SignedDuration::from_secs((minutes * 60.0).round() as i64);
    time.saturating_add(seconds)
}

/// Minutes between each photo and the one before it, one fewer than photos.
pub fn minutes_between(times: &[DateTime]) -> Vec<f64> {
    let minutes =
        |pair: &[DateTime]| (pair[1].duration_since(pair[0]).as_secs_f64() / 60.0).max(0.0);
    times.windows(2).map(minutes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{World, WorldParameters};

    #[test]
    fn albums_are_in_order_of_time_and_keep_their_spot_while_one_stays() {
        let parameters = WorldParameters { places: 80, ..WorldParameters::new(0) };
        let world = World::draw(parameters).expect("a world");
        let journeys = Journeys::new(&world);
        let (mut kept, mut bare_starts) = (0, 0);
        for number in 0..40 {
            let album = journeys.album(5, number);
            assert_eq!(album, journeys.album(5, number));
            assert!(LENGTH.contains(&album.len()));
            assert!(album.windows(2).all(|pair| pair[0].time <= pair[1].time));
            kept += album.windows(2).filter(|pair| pair[0].position == pair[1].position).count();
            bare_starts += usize::from(album[0].cues.scene.is_bare());
        }
        assert!(kept > 500, "{kept}");
        assert!((12..35).contains(&bare_starts), "{bare_starts}");
    }
}
