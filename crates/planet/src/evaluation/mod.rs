//! Scoring: how near predictions are to the truth, by the field's own measures, with the
//! differences between its scorers named.
//!
//! | to … | use |
//! |---|---|
//! | evaluate a model and get a report | [`Evaluation`] |
//! | score predictions one by one | [`Scorer`] with a [`TruthTable`], then [`Score`] |
//! | compare two systems | [`Comparison`] |
//! | measure accuracy by position in the album | [`Positions`] |
//! | measure how answers move within albums | [`Moves`] |
//! | compare people with a model | [`Match`] |
//! | measure the overlap of test and training photos | [`Leakage`] |
//! | compare with published results | [`published`] |

mod bins;
mod bootstrap;
mod comparison;
mod evaluate;
mod leakage;
mod levels;
mod log_loss;
mod moves;
mod positions;
mod published;
mod region_coverage;
mod rounds;
mod rules;
mod score;
mod scorer;
mod truth_table;

pub use bootstrap::{Interval, geoscore};
pub use comparison::{Comparison, Difference, Verdict};
pub use evaluate::{Evaluation, EvaluationOptions};
pub use leakage::{ComparedCodes, Leakage, LeakageKind, NearDuplicates};
pub use levels::LevelScore;
pub use log_loss::{CategoryLogLoss, LogLoss};
pub use moves::{MoveScore, Moves};
pub use positions::{PositionScore, Positions};
pub use published::{KnownSet, Published, published};
pub use region_coverage::RegionCoverage;
pub use rounds::{Match, Round, Side};
pub use rules::{Bound, Measure, NoSuchRule, Rules};
pub use score::{CategoryScore, Counts, RegionScore, RiskCoverage, Score};
pub use scorer::{Scorer, ScorerOptions, nearest_id};
pub use truth_table::{Grouping, TruthTable};
