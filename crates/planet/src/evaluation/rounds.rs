use std::collections::BTreeMap;

use planet_geo::{Distance, LatLng};
use serde::Serialize;

use super::{Rules, bootstrap::geoscore};

/// One person's answer to one photo beside the model's (paper, section 3, "Comparison to human
/// performance"). No answer loses against any.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// The photo.
    pub photo: String,
    /// The person; empty where the file does not say.
    pub player: String,
    /// The model's error in km.
    pub model_km: Option<f64>,
    /// The person's error in km.
    pub person_km: Option<f64>,
}

impl Round {
    /// A round of this photo and player.
    pub fn new(
        rules: Rules,
        photo: &str,
        player: &str,
        truth: LatLng,
        model: Option<LatLng>,
        person: Option<LatLng>,
    ) -> Self {
        let km = |answer: LatLng| rules.distance(answer, truth).km();
        Self {
            photo: photo.to_owned(),
            player: player.to_owned(),
            model_km: model.map(km),
            person_km: person.map(km),
        }
    }

    /// The model's error less the person's: negative where the model wins.
    fn lead(&self) -> f64 {
        match (self.model_km, self.person_km) {
            (Some(model), Some(person)) => model - person,
            (Some(_), None) => f64::NEG_INFINITY,
            (None, Some(_)) => f64::INFINITY,
            (None, None) => 0.0,
        }
    }
}

/// A match of people against a model, round by round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// How distances were measured and compared.
    pub rules: Rules,
    /// Rounds that the model won.
    pub model_won: u64,
    /// Rounds that people won.
    pub people_won: u64,
    /// The model's side.
    pub model: Side,
    /// The people's side.
    pub people: Side,
    /// Rounds won by the model and by each player, where players are named.
    pub players: BTreeMap<String, [u64; 2]>,
    /// The rounds, in the order of the people's file.
    pub rounds: Vec<Round>,
}

/// One side of a match.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Median error in km; absent where half of the rounds have no answer.
    pub median_km: Option<f64>,
    /// Rounds within the five scales.
    pub within: [u64; 5],
    /// Points a round, 5000 · exp(−d / 1492.7 km).
    pub geoscore: f64,
}

impl Match {
    /// Counts the rounds.
    pub fn of(rules: Rules, rounds: Vec<Round>) -> Self {
        let won = |wins: &dyn Fn(f64) -> bool| {
            rounds.iter().filter(|round| wins(round.lead())).count() as u64
        };
        let mut players: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        for round in rounds.iter().filter(|round| !round.player.is_empty()) {
            let score = players.entry(round.player.clone()).or_default();
            score[0] += u64::from(round.lead() < 0.0);
            score[1] += u64::from(round.lead() > 0.0);
        }
        Self {
            rules,
            model_won: won(&|lead| lead < 0.0),
            people_won: won(&|lead| lead > 0.0),
            model: Side::of(rules, rounds.iter().map(|round| round.model_km)),
            people: Side::of(rules, rounds.iter().map(|round| round.person_km)),
            players,
            rounds,
        }
    }

    /// Share of rounds within a distance, of the model and of the people.
    pub fn within(&self, km: f64) -> [f64; 2] {
        let share = |error: &dyn Fn(&Round) -> Option<f64>| {
            let near =
                |km_off: f64| self.rules.within(Distance::from_km(km_off), Distance::from_km(km));
            let count = self.rounds.iter().filter(|round| error(round).is_some_and(near)).count();
            count as f64 / self.rounds.len().max(1) as f64
        };
        [share(&|round| round.model_km), share(&|round| round.person_km)]
    }
}

impl Side {
    fn of(rules: Rules, errors: impl Iterator<Item = Option<f64>>) -> Self {
        let mut errors: Vec<f64> = errors.map(|km| km.unwrap_or(f64::INFINITY)).collect();
        errors.sort_by(f64::total_cmp);
        let middle = |at: usize| errors.get(at).copied().filter(|km| km.is_finite());
        let half = errors.len() / 2;
        let median = match errors.len() % 2 {
            1 => middle(half),
            _ => half
                .checked_sub(1)
                .and_then(|below| Some(f64::midpoint(middle(below)?, middle(half)?))),
        };
        let mut within = [0; 5];
        for km in errors.iter().filter(|km| km.is_finite()) {
            let scales = rules.scales(Distance::from_km(*km));
            within.iter_mut().zip(scales).for_each(|(count, it)| *count += u64::from(it));
        }
        let points: f64 = errors.iter().map(|km| geoscore(*km)).sum();
        Self { median_km: median, within, geoscore: points / errors.len().max(1) as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_answer_wins_and_no_answer_loses() {
        let at = |lat: f64| LatLng::new(lat, 0.0).ok();
        let round = |player, model, person| {
            let truth = LatLng::new(0.0, 0.0).expect("in range");
            Round::new(Rules::default(), "p", player, truth, model, person)
        };
        let result = Match::of(
            Rules::default(),
            vec![
                round("ann", at(1.0), at(2.0)),
                round("ann", at(5.0), at(3.0)),
                round("bob", at(80.0), None),
                round("bob", None, None),
                round("bob", at(0.0), at(0.0)),
            ],
        );
        assert_eq!((result.model_won, result.people_won), (2, 1));
        assert_eq!(result.players["ann"], [1, 1]);
        assert_eq!(result.players["bob"], [1, 0]);
        assert_eq!(result.model.within, [1, 1, 2, 3, 3]);
        let fifth = 111.19493;
        assert!((result.model.median_km.expect("four answers") - 5.0 * fifth).abs() < 1e-3);
        assert!((result.people.median_km.expect("three answers") - 3.0 * fifth).abs() < 1e-3);
        assert_eq!(result.within(200.0), [0.4, 0.2]);
    }
}
