use super::{Motion, Places, motion::ANYWHERE};

/// What is known of one photo of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its place, where its position is known and is evidence.
    pub place: Option<usize>,
    /// Seconds since the photo before it; `None` where a time is unknown, and for the first.
    pub seconds: Option<i64>,
}

/// A hidden Markov model of somebody's photos in order: where each was taken, given all of them.
///
/// The states are [`Places`], the moves [`Motion`]. Known positions are certain; what a network
/// says of a photo is evidence to the power of a weight.
///
/// ```
/// use planet::album::{Hmm, Motion, Places, Seen};
/// use planet_geo::LatLng;
///
/// let (rome, oslo) = (LatLng::new(41.9, 12.5)?, LatLng::new(59.9, 10.75)?);
/// let places = Places::known(&[rome, oslo]);
/// let here = places.of_position(rome);
/// // Known, unknown five minutes later, known again ten minutes later.
/// let photos = [
///     Seen { place: here, seconds: None },
///     Seen { place: None, seconds: Some(300) },
///     Seen { place: here, seconds: Some(600) },
/// ];
/// let hmm = Hmm { places: &places, motion: &Motion::default(), usual: None };
/// let mut middle = 0.0;
/// hmm.posteriors(&photos, |_, _| false, |photo, posterior| {
///     if photo == 1 {
///         middle = posterior[here.expect("Rome is known")];
///     }
/// });
/// assert!(middle > 0.99);
/// # Ok::<(), planet_geo::GeoError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hmm<'a> {
    /// The states.
    pub places: &'a Places,
    /// How they change.
    pub motion: &'a Motion,
    /// Where this person is at other times, `[places]`, summing to one: moves to anywhere lead
    /// there as often as [`Motion`] has learned. `None` where nobody knows.
    pub usual: Option<&'a [f64]>,
}

impl Hmm<'_> {
    /// The exact posterior of every photo's place given all photos: forward and backward pass
    /// (Rabiner 1989). `take` gets each photo's distribution `[places]`, from the last photo to
    /// the first.
    ///
    /// `evidence` writes what a network says of a photo, up to a factor, `[places]`, and returns
    /// whether it says anything; it is not asked where a position is known, and may be asked twice.
    ///
    /// Every √n-th forward message is kept, the others are computed again: 10,000 photos among
    /// 26,000 places take 50 MB and a minute.
    pub fn posteriors(
        &self,
        photos: &[Seen],
        mut evidence: impl FnMut(usize, &mut [f64]) -> bool,
        mut take: impl FnMut(usize, &[f64]),
    ) {
        let chunk = (photos.len() as f64).sqrt().ceil().max(1.0) as usize;
        let mut kept: Vec<Vec<f64>> = Vec::new();
        let mut state = vec![0.0; self.places.len()];
        for (photo, seen) in photos.iter().enumerate() {
            state = self.filtered(photo, seen, &state, &mut evidence);
            if photo % chunk == 0 {
                kept.push(state.clone());
            }
        }
        let mut later = vec![1.0; self.places.len()];
        for (number, first) in kept.into_iter().enumerate().rev() {
            let start = number * chunk;
            let end = (start + chunk).min(photos.len());
            let mut messages = vec![first];
            for (photo, seen) in photos.iter().enumerate().take(end).skip(start + 1) {
                let before = messages.last().expect("the first is there");
                messages.push(self.filtered(photo, seen, before, &mut evidence));
            }
            for photo in (start..end).rev() {
                let mut posterior = messages.pop().expect("one a photo");
                posterior.iter_mut().zip(&later).for_each(|(here, later)| *here *= later);
                normalise(&mut posterior);
                take(photo, &posterior);
                if photo > 0 {
                    later = self.before(photo, &photos[photo], &later, &mut evidence);
                }
            }
        }
    }

    /// The forward message of a photo: its place given the photos up to it.
    fn filtered(
        &self,
        photo: usize,
        seen: &Seen,
        before: &[f64],
        evidence: &mut impl FnMut(usize, &mut [f64]) -> bool,
    ) -> Vec<f64> {
        let mut state = vec![0.0; before.len()];
        match photo {
            0 => {
                state.copy_from_slice(self.places.prior());
                self.come_back(1.0, &mut state);
            }
            _ => {
                let chances = self.motion.chances(seen.seconds);
                self.places.forward(&chances, before, &mut state);
                let far = chances[ANYWHERE] * before.iter().sum::<f64>();
                self.come_back(far, &mut state);
            }
        }
        weigh(photo, seen, &mut state, evidence);
        normalise(&mut state);
        state
    }

    /// The backward message of the photo before: how likely this photo and all later ones are,
    /// from each place.
    fn before(
        &self,
        photo: usize,
        seen: &Seen,
        later: &[f64],
        evidence: &mut impl FnMut(usize, &mut [f64]) -> bool,
    ) -> Vec<f64> {
        let mut weighted = later.to_vec();
        weigh(photo, seen, &mut weighted, evidence);
        normalise(&mut weighted);
        let mut message = vec![0.0; later.len()];
        let chances = self.motion.chances(seen.seconds);
        self.places.backward(&chances, &weighted, &mut message);
        if let Some(usual) = self.usual {
            let seen_from = |from: &[f64]| -> f64 {
                from.iter().zip(&weighted).map(|(chance, later)| chance * later).sum()
            };
            let more = seen_from(usual) - seen_from(self.places.prior());
            let more = chances[ANYWHERE] * self.motion.returns() * more;
            message.iter_mut().for_each(|it| *it = (*it + more).max(0.0));
        }
        normalise(&mut message);
        message
    }

    /// Of what arrived from anywhere by the prior, moves a share to where this person usually is.
    fn come_back(&self, arrived: f64, state: &mut [f64]) {
        let Some(usual) = self.usual else { return };
        let share = arrived * self.motion.returns();
        for ((chance, usual), prior) in state.iter_mut().zip(usual).zip(self.places.prior()) {
            *chance = (*chance + share * (usual - prior)).max(0.0);
        }
    }
}

/// Multiplies by what is known of a photo itself.
fn weigh(
    photo: usize,
    seen: &Seen,
    state: &mut [f64],
    evidence: &mut impl FnMut(usize, &mut [f64]) -> bool,
) {
    if let Some(place) = seen.place {
        let chance = state[place];
        state.fill(0.0);
        // Whatever was thought before, this is where it was taken.
        state[place] = chance.max(f64::MIN_POSITIVE);
        return;
    }
    let mut said = vec![0.0; state.len()];
    if evidence(photo, &mut said) {
        state.iter_mut().zip(said).for_each(|(chance, said)| *chance *= said);
    }
}

/// To a sum of one; even chances where nothing is left.
fn normalise(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        values.iter_mut().for_each(|value| *value /= sum);
    } else {
        values.fill(1.0 / values.len().max(1) as f64);
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;

    fn places() -> Places {
        let at = |lat: f64, lng: f64| LatLng::new(lat, lng).expect("in range");
        Places::known(&[at(0.0, 0.0), at(0.1, 0.0), at(1.0, 0.0), at(40.0, 0.0), at(40.0, 0.0)])
    }

    fn posteriors(hmm: Hmm<'_>, photos: &[Seen], said: &[Option<Vec<f64>>]) -> Vec<Vec<f64>> {
        let mut all = vec![Vec::new(); photos.len()];
        let evidence = |photo: usize, into: &mut [f64]| {
            said[photo].as_ref().is_some_and(|said| {
                into.copy_from_slice(said);
                true
            })
        };
        hmm.posteriors(photos, evidence, |photo, posterior| all[photo] = posterior.to_vec());
        all
    }

    /// Every way through all places, one by one.
    fn by_trying_all(hmm: Hmm<'_>, photos: &[Seen], said: &[Option<Vec<f64>>]) -> Vec<Vec<f64>> {
        let places = hmm.places.len();
        let mut sums = vec![vec![0.0; places]; photos.len()];
        let anywhere = |place: usize| {
            let (prior, returns) = (hmm.places.prior()[place], hmm.motion.returns());
            hmm.usual.map_or(prior, |usual| (1.0 - returns) * prior + returns * usual[place])
        };
        for number in 0..places.pow(photos.len() as u32) {
            let way: Vec<usize> =
                (0..photos.len()).map(|at| number / places.pow(at as u32) % places).collect();
            let mut chance = anywhere(way[0]);
            for (at, photo) in photos.iter().enumerate() {
                if at > 0 {
                    let mut likelihoods = hmm.places.likelihoods(way[at - 1], way[at]);
                    likelihoods[ANYWHERE] = anywhere(way[at]);
                    let chances = hmm.motion.chances(photo.seconds);
                    chance *= chances.iter().zip(likelihoods).map(|(a, b)| a * b).sum::<f64>();
                }
                chance *= match (photo.place, &said[at]) {
                    (Some(place), _) => f64::from(u8::from(place == way[at])),
                    (None, Some(said)) => said[way[at]],
                    (None, None) => 1.0,
                };
            }
            way.iter().enumerate().for_each(|(at, place)| sums[at][*place] += chance);
        }
        for sums in &mut sums {
            normalise(sums);
        }
        sums
    }

    #[test]
    fn posteriors_are_those_of_trying_every_way() {
        let places = places();
        let photo = |place, seconds| Seen { place, seconds };
        let photos = [
            photo(None, None),
            photo(Some(1), Some(30)),
            photo(None, Some(40_000)),
            photo(None, None),
            photo(None, Some(900)),
            photo(Some(3), Some(5_000_000)),
        ];
        let mut said = vec![None; 6];
        said[2] = Some(vec![0.2, 0.1, 0.7, 0.3]);
        said[4] = Some(vec![0.0, 0.5, 0.1, 2.0]);
        let motion = Motion::default();
        let [nobody, home] = [None, Some(&[0.7, 0.0, 0.05, 0.25][..])].map(|usual| {
            let hmm = Hmm { places: &places, motion: &motion, usual };
            let found = posteriors(hmm, &photos, &said);
            let wanted = by_trying_all(hmm, &photos, &said);
            for (found, wanted) in found.iter().flatten().zip(wanted.iter().flatten()) {
                assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
            }
            found
        });
        assert!(home[2][0] > nobody[2][0]);
    }

    #[test]
    fn ten_thousand_photos_neither_vanish_nor_overflow() {
        let places = places();
        let hmm = Hmm { places: &places, motion: &Motion::default(), usual: None };
        let mut photos = vec![Seen { place: None, seconds: Some(10) }; 10_000];
        photos[5000].place = Some(2);
        let said = vec![Some(vec![1e-200, 1e-180, 1e-200, 1e-200]); 10_000];
        let found = posteriors(hmm, &photos, &said);
        assert!(found.iter().all(|it| (it.iter().sum::<f64>() - 1.0).abs() < 1e-9));
        assert_eq!(found[5000][2], 1.0);
        assert!(found[0][1] > 0.99);
        assert!(posteriors(hmm, &[], &[]).is_empty());
    }
}
