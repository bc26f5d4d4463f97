use rand::{Rng, RngExt};

use crate::{
    cue::{Cue, Scene},
    cues::{CueKind, Cues},
    facts::Facts,
    random::choose,
};

/// Chance that clouds hide the sun, everywhere alike, so that a hidden sun tells nothing.
const HIDDEN_SUN: f64 = 0.3;

/// P(cue = value | place) for all places, every cue independent of the others given the place
/// and the scene. One row a value, one column a place.
pub(crate) struct Likelihood {
    places: usize,
    /// `[scene, place]`
    scenes: Vec<f64>,
    /// `[value of any cue, place]`
    values: Vec<f64>,
    /// Row of each cue's first value, in the order of [`CueKind::ALL`].
    first_rows: Vec<usize>,
}

impl Likelihood {
    pub(crate) fn new(facts: &Facts<'_>, places: usize) -> Self {
        let first_rows = CueKind::ALL.iter().scan(0, |next, kind| {
            let first = *next;
            *next += kind.values();
            Some(first)
        });
        let first_rows: Vec<usize> = first_rows.collect();
        let rows: usize = CueKind::ALL.iter().map(|kind| kind.values()).sum();
        let mut scenes = vec![0.0; Scene::COUNT * places];
        let mut values = vec![0.0; rows * places];
        for place in 0..places {
            for (scene, chance) in facts.scenes(place).into_iter().enumerate() {
                scenes[scene * places + place] = chance;
            }
            for (&kind, first) in CueKind::ALL.iter().zip(&first_rows) {
                for (value, chance) in facts.distribution(kind, place).into_iter().enumerate() {
                    values[(first + value) * places + place] = chance;
                }
            }
        }
        Self { places, scenes, values, first_rows }
    }

    fn scene(&self, scene: Scene) -> &[f64] {
        &self.scenes[scene.index() * self.places..][..self.places]
    }

    /// P(cue = value | place) of one value, `[places]`.
    pub(crate) fn value(&self, kind: CueKind, value: usize) -> &[f64] {
        let row = self.first_rows[kind as usize] + value;
        &self.values[row * self.places..][..self.places]
    }

    /// Multiplies each place's weight by P(cues | place), but for factors that all places share.
    ///
    /// A dozen factors of at least 10⁻⁵ stay far from what a double cannot hold.
    pub(crate) fn apply(&self, cues: &Cues, weights: &mut [f64]) {
        if cues.scene.is_bare() {
            return;
        }
        let rows = cues.visible().map(|(kind, value)| self.value(kind, value));
        for row in std::iter::once(self.scene(cues.scene)).chain(rows) {
            for (weight, chance) in weights.iter_mut().zip(row) {
                *weight *= chance;
            }
        }
    }

    /// Draws what a photo of a place shows.
    pub(crate) fn draw(&self, place: usize, rng: &mut (impl Rng + ?Sized)) -> Cues {
        let column = |rows: std::ops::Range<usize>, table| column(table, rows, self.places, place);
        let scene = choose(column(0..Scene::COUNT, &self.scenes), rng);
        self.draw_scene(Scene::from_index(scene), place, rng)
    }

    /// Draws the cues of a scene.
    pub(crate) fn draw_scene(
        &self,
        scene: Scene,
        place: usize,
        rng: &mut (impl Rng + ?Sized),
    ) -> Cues {
        let mut cues = Cues::bare(scene);
        for &kind in CueKind::ALL.iter().filter(|kind| kind.is_shown_in(scene)) {
            if kind == CueKind::Sun && rng.random_bool(HIDDEN_SUN) {
                continue;
            }
            let first = self.first_rows[kind as usize];
            let rows = first..first + kind.values();
            cues.set(kind, choose(column(&self.values, rows, self.places, place), rng));
        }
        cues
    }
}

fn column(
    table: &[f64],
    rows: std::ops::Range<usize>,
    places: usize,
    place: usize,
) -> impl Iterator<Item = f64> + Clone {
    rows.map(move |row| table[row * places + place])
}
