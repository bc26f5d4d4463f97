use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a network learns from photos: the loss, by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Objective {
    /// Each photo's cell: cross entropy.
    #[default]
    CrossEntropy,
    /// Embeddings that are near for photos of one place and far for others: the triplet loss.
    Triplet,
    /// Both, the embedding by a head of its own.
    CrossEntropyAndTriplet,
}

impl Objective {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CrossEntropy, Self::Triplet, Self::CrossEntropyAndTriplet];

    /// Name in configurations and flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross-entropy",
            Self::Triplet => "triplet",
            Self::CrossEntropyAndTriplet => "cross-entropy+triplet",
        }
    }

    /// Whether the network has a classifier.
    pub const fn has_classes(self) -> bool {
        !matches!(self, Self::Triplet)
    }

    /// Whether photos are compared with one another.
    pub const fn has_triplets(self) -> bool {
        !matches!(self, Self::CrossEntropy)
    }
}

/// What a run trains a network for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainTask {
    /// To locate photos, by the loss that the configuration names.
    #[default]
    Location,
    /// To give codes in which near-duplicates are near ([`crate::NearDuplicates`]).
    NearDuplicates,
}

impl TrainTask {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Location, Self::NearDuplicates];

    /// Name in configurations and flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::NearDuplicates => "near-duplicates",
        }
    }
}

impl FromStr for TrainTask {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            format!("there is no task '{name}'; there are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            format!("there is no loss '{name}'; there are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

impl TryFrom<String> for Objective {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.name().to_owned()
    }
}
