use super::{Keypoint, LEVEL_RATIO};

/// Two keypoints that look alike. Places are in pixels of the pictures of 320.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correspondence {
    /// Place in the photo that is asked about, once its orientation is changed.
    pub(super) from: [f32; 2],
    /// Place in the known photo.
    pub(super) to: [f32; 2],
    /// By how many levels of the pyramid that in the known photo is higher.
    pub(super) levels: i32,
    /// Bits in which they differ.
    pub(super) bits: u32,
}

impl Correspondence {
    pub(super) fn of(from: &Keypoint, to: &Keypoint, bits: u32) -> Self {
        let levels = i32::from(to.level) - i32::from(from.level);
        Self { from: from.at, to: to.at, levels, bits }
    }
}

/// How far a keypoint may lie from where the alignment puts it, in pixels.
const TOLERANCE: f32 = 6.0;
/// Squares of this side that a picture of 320 pixels has along either axis, at most.
const GRID: usize = 64;
/// Correspondences that hypotheses are made of: the most alike.
const HYPOTHESES: usize = 24;
/// Least squared distance of two keypoints that say something of scale and angle.
const LEAST_LENGTH: f32 = 400.0;
/// Sine of the greatest angle by which a copy may be turned beyond quarter turns.
const TURNED: f32 = 0.5;
/// How far the change of scale may be from that of the keypoints' levels.
const SCALE_TOLERANCE: f32 = 1.6;

/// Scale, rotation and shift: (x, y) goes to (ax − by + c, bx + ay + d).
#[derive(Clone, Copy, Debug)]
pub(super) struct Similarity {
    a: f32,
    b: f32,
    shift: [f32; 2],
}

impl Similarity {
    /// The map that most correspondences agree on, at least `least` (RANSAC over all pairs of the most
    /// alike), fitted to all that do.
    pub(super) fn of(correspondences: &mut [Correspondence], least: usize) -> Option<Self> {
        correspondences.sort_by_key(|it| it.bits);
        let best = &correspondences[..correspondences.len().min(HYPOTHESES)];
        let pairs = (0..best.len()).flat_map(|two| best[..two].iter().map(move |one| (one, two)));
        let mut most: (usize, Option<Self>) = (least.max(2) - 1, None);
        for (one, two) in pairs {
            let Some(similarity) = Self::through(one, &best[two]) else { continue };
            let agreeing = similarity.agreeing(correspondences).count();
            if agreeing > most.0 {
                most = (agreeing, Some(similarity));
            }
        }
        let (count, similarity) = (most.0, most.1?);
        let agreeing: Vec<Correspondence> = similarity.agreeing(correspondences).copied().collect();
        let fitted = Self::fitted(&agreeing);
        fitted.filter(|it| it.agreeing(correspondences).count() >= count).or(Some(similarity))
    }

    /// The map that takes two places where they belong, if a copy can be so.
    fn through(one: &Correspondence, two: &Correspondence) -> Option<Self> {
        let from = [0, 1].map(|axis| two.from[axis] - one.from[axis]);
        let length = from[0] * from[0] + from[1] * from[1];
        let it = (length >= LEAST_LENGTH).then(|| Self::fitted(&[*one, *two]))??;
        let is_upright = it.a > 0.0 && it.b.abs() <= TURNED * it.scale();
        (is_upright && it.suits(one) && it.suits(two)).then_some(it)
    }

    /// The map that fits all of these best, by least squares; `None` if they are at one place.
    fn fitted(of: &[Correspondence]) -> Option<Self> {
        let mean = |place: fn(&Correspondence) -> [f32; 2]| {
            [0, 1].map(|axis| of.iter().map(|it| place(it)[axis]).sum::<f32>() / of.len() as f32)
        };
        let (from, to) = (mean(|it| it.from), mean(|it| it.to));
        let (mut dot, mut cross, mut square) = (0.0, 0.0, 0.0);
        for it in of {
            let [x, y] = [0, 1].map(|axis| it.from[axis] - from[axis]);
            let [u, v] = [0, 1].map(|axis| it.to[axis] - to[axis]);
            dot += x * u + y * v;
            cross += x * v - y * u;
            square += x * x + y * y;
        }
        let mut map = Self { a: dot / square, b: cross / square, shift: [0.0; 2] };
        let there = map.apply(from);
        map.shift = [0, 1].map(|axis| to[axis] - there[axis]);
        (square > 0.0 && map.scale() > 0.0).then_some(map)
    }

    fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// How far keypoints may lie off, in pixels of the known photo.
    pub(super) fn tolerance(&self) -> f32 {
        TOLERANCE * self.scale().max(1.0)
    }

    pub(super) fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [self.a * x - self.b * y + self.shift[0], self.b * x + self.a * y + self.shift[1]]
    }

    /// The place that goes there.
    pub(super) fn back(&self, place: [f32; 2]) -> [f32; 2] {
        let square = self.a * self.a + self.b * self.b;
        let [x, y] = [0, 1].map(|axis| place[axis] - self.shift[axis]);
        [(self.a * x + self.b * y) / square, (self.a * y - self.b * x) / square]
    }

    /// Whether the change of scale is that of the keypoints' levels.
    fn suits(&self, it: &Correspondence) -> bool {
        is_scale_of(self.scale(), it.levels)
    }

    /// Those that lie where the map puts them. Keypoints of several levels at one place count once.
    fn agreeing<'a>(
        &self,
        of: &'a [Correspondence],
    ) -> impl Iterator<Item = &'a Correspondence> + use<'a> {
        // Many correspondences are looked at for each of hundreds of maps: roots are taken once.
        let (map, scale, most_off) = (*self, self.scale(), self.tolerance().powi(2));
        let mut taken = [0_u64; GRID];
        let agrees = move |it: &&Correspondence| {
            let there = map.apply(it.from);
            let [x, y] = [0, 1].map(|axis| there[axis] - it.to[axis]);
            if x * x + y * y > most_off || !is_scale_of(scale, it.levels) {
                return false;
            }
            let [column, row] = it.to.map(|it| ((it / TOLERANCE) as usize).min(GRID - 1));
            let is_new = taken[row] >> column & 1 == 0;
            taken[row] |= 1 << column;
            is_new
        };
        of.iter().filter(agrees)
    }
}

/// Whether a change of scale is about that of keypoints so many levels higher.
fn is_scale_of(scale: f32, levels: i32) -> bool {
    let ratio = scale / LEVEL_RATIO.powi(levels);
    (1.0 / SCALE_TOLERANCE..=SCALE_TOLERANCE).contains(&ratio)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_map_of_a_copy_is_found_among_more_that_are_wrong() {
        let truth = Similarity { a: 1.2, b: 0.2, shift: [-30.0, 12.0] };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut place = || [random.random_range(0.0..300.0), random.random_range(0.0..220.0)];
        let mut correspondence = |number: u32| {
            let (from, other) = (place(), place());
            let to = if number.is_multiple_of(4) { truth.apply(from) } else { other };
            Correspondence { from, to, levels: 1, bits: number % 20 }
        };
        let mut all: Vec<Correspondence> = (0..80).map(&mut correspondence).collect();
        let found = Similarity::of(&mut all, 3).expect("an alignment");
        for place in [[0.0, 0.0], [300.0, 0.0], [150.0, 220.0]] {
            let (there, wanted) = (found.apply(place), truth.apply(place));
            assert!((there[0] - wanted[0]).hypot(there[1] - wanted[1]) < 3.0, "{there:?}");
            let back = truth.back(wanted);
            assert!((back[0] - place[0]).hypot(back[1] - place[1]) < 1e-3, "{back:?}");
        }
        // Levels that say that it is much smaller: a few agree by chance.
        all.iter_mut().for_each(|it| it.levels = -4);
        assert!(Similarity::of(&mut all, 10).is_none());
        assert!(Similarity::of(&mut [], 1).is_none());
    }
}
