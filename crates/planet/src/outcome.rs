use planet_geo::Distance;

/// How a photo's answer turned out. A failure stays in every denominator.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The answer lay this far from the truth.
    Located(Distance),
    /// There is no answer, for this reason.
    Failed(String),
}

impl Outcome {
    /// The error, or `None` for a failure.
    pub fn distance(&self) -> Option<Distance> {
        match self {
            Self::Located(distance) => Some(*distance),
            Self::Failed(_) => None,
        }
    }
}
