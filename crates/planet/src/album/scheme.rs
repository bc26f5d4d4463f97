use std::{fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Photos in a piece of an album, where a scheme cuts albums (paper, section 5: sequences of at
/// most 25 photos for the repeated and the two-directional LSTM).
const PIECE: usize = 25;

/// How an album is located: by its photos' own answers, or by what its neighbours say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Scheme {
    /// Each photo alone.
    Single,
    /// The mean of the album's distributions, given to every photo.
    Average,
    /// An LSTM from the first photo to the last.
    Lstm,
    /// The same, each answer one step late: it has seen one photo more.
    LstmOffset1,
    /// The same, each answer two steps late.
    LstmOffset2,
    /// The album twice, answers from the second time: every answer has seen every photo.
    LstmRepeat,
    /// The same on pieces of at most 25 photos.
    LstmRepeat25,
    /// Two LSTMs, one from each end, on pieces of at most 25 photos.
    Blstm25,
    /// Two LSTMs, one from each end, on whole albums.
    Blstm,
    /// A hidden Markov model, whose states are the classes; known positions are evidence.
    Hmm,
}

/// One step of a sequence: what comes in and what is asked. Photos are counted from the piece's
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The photo whose embedding comes in; `None` is an empty step, zeros.
    pub fed: Option<usize>,
    /// The photo whose class is asked for.
    pub asked: Option<usize>,
    /// Whether what is said is that photo's answer, and its loss counts; `false` in the first
    /// pass of a repeated sequence, and where nothing is asked.
    pub counts: bool,
}

/// A name that is no scheme's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "'{0}' is not an album scheme; the schemes are single, average, lstm, lstm-offset-1, lstm-offset-2, \
     lstm-repeat, lstm-repeat-25, blstm-25, blstm and hmm"
)]
pub struct UnknownScheme(String);

impl Scheme {
    /// All of them, the paper's in the order of its table, then our own.
    pub const ALL: [Self; 10] = [
        Self::Single,
        Self::Average,
        Self::Lstm,
        Self::LstmOffset1,
        Self::LstmOffset2,
        Self::LstmRepeat,
        Self::LstmRepeat25,
        Self::Blstm25,
        Self::Blstm,
        Self::Hmm,
    ];

    /// Its name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Average => "average",
            Self::Lstm => "lstm",
            Self::LstmOffset1 => "lstm-offset-1",
            Self::LstmOffset2 => "lstm-offset-2",
            Self::LstmRepeat => "lstm-repeat",
            Self::LstmRepeat25 => "lstm-repeat-25",
            Self::Blstm25 => "blstm-25",
            Self::Blstm => "blstm",
            Self::Hmm => "hmm",
        }
    }

    /// Whether an LSTM answers, which has to be trained and reads an album as a sequence.
    pub const fn is_sequence(self) -> bool {
        !matches!(self, Self::Single | Self::Average | Self::Hmm)
    }

    /// Whether a second LSTM reads from the last step to the first.
    pub const fn bidirectional(self) -> bool {
        matches!(self, Self::Blstm25 | Self::Blstm)
    }

    /// Whether it cuts albums into pieces.
    pub const fn cuts(self) -> bool {
        matches!(self, Self::LstmRepeat25 | Self::Blstm25)
    }

    /// The pieces of an album that are located by themselves, in order: the whole album, or at
    /// most 25 photos each. None for an album without photos.
    pub fn pieces(self, photos: usize) -> Vec<Range<usize>> {
        let most = if self.cuts() { PIECE } else { photos.max(1) };
        (0..photos).step_by(most).map(|start| start..(start + most).min(photos)).collect()
    }

    /// The steps of a piece with this many photos, in the order of time.
    ///
    /// Every photo is asked for in exactly one step that counts. Schemes that are no sequences
    /// have the steps of `lstm`: one a photo.
    pub fn steps(self, photos: usize) -> Vec<Step> {
        let late = self.offset();
        let passes = self.passes();
        let length = passes * photos + if photos == 0 { 0 } else { late };
        let step = |at: usize| Step {
            fed: (at < passes * photos).then(|| at % photos),
            asked: at.checked_sub(late).map(|photo| photo % photos),
            counts: at >= late + (passes - 1) * photos,
        };
        (0..length).map(step).collect()
    }

    /// Steps between a photo and its answer.
    const fn offset(self) -> usize {
        match self {
            Self::LstmOffset1 => 1,
            Self::LstmOffset2 => 2,
            _ => 0,
        }
    }

    /// How often a sequence is read.
    pub const fn passes(self) -> usize {
        match self {
            Self::LstmRepeat | Self::LstmRepeat25 => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(name: &str) -> Result<Self, UnknownScheme> {
        let found = Self::ALL.into_iter().find(|scheme| scheme.name() == name);
        found.ok_or_else(|| UnknownScheme(name.to_owned()))
    }
}

impl TryFrom<String> for Scheme {
    type Error = UnknownScheme;

    fn try_from(name: String) -> Result<Self, UnknownScheme> {
        name.parse()
    }
}

impl From<Scheme> for &'static str {
    fn from(scheme: Scheme) -> Self {
        scheme.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(scheme: Scheme, photos: usize) -> Vec<(Option<usize>, Option<usize>, bool)> {
        let steps = scheme.steps(photos).into_iter();
        steps.map(|step| (step.fed, step.asked, step.counts)).collect()
    }

    #[test]
    fn names_go_out_and_come_back_in_text_and_json() {
        for scheme in Scheme::ALL {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
            let json = serde_json::to_string(&scheme).expect("a name");
            assert_eq!(json, format!("\"{scheme}\""));
            assert_eq!(serde_json::from_str::<Scheme>(&json).expect("a scheme"), scheme);
        }
        let error = "lstm-3".parse::<Scheme>().expect_err("no such scheme").to_string();
        assert!(Scheme::ALL.iter().all(|scheme| error.contains(scheme.name())), "{error}");
    }

    #[test]
    fn a_plain_sequence_asks_for_each_photo_as_it_comes() {
        let wanted = [(Some(0), Some(0), true), (Some(1), Some(1), true)];
        for scheme in [Scheme::Lstm, Scheme::Blstm, Scheme::Blstm25] {
            assert_eq!(rows(scheme, 2), wanted);
        }
    }

    #[test]
    fn an_offset_asks_late_and_appends_empty_steps() {
        let wanted = [
            (Some(0), None, false),
            (Some(1), None, false),
            (Some(2), Some(0), true),
            (None, Some(1), true),
            (None, Some(2), true),
        ];
        assert_eq!(rows(Scheme::LstmOffset2, 3), wanted);
        assert_eq!(rows(Scheme::LstmOffset1, 1), [(Some(0), None, false), (None, Some(0), true)]);
    }

    #[test]
    fn a_repeated_sequence_counts_the_second_time() {
        let wanted = [
            (Some(0), Some(0), false),
            (Some(1), Some(1), false),
            (Some(0), Some(0), true),
            (Some(1), Some(1), true),
        ];
        assert_eq!(rows(Scheme::LstmRepeat, 2), wanted);
        assert_eq!(rows(Scheme::LstmRepeat25, 2), wanted);
    }

    #[test]
    fn every_photo_is_in_one_piece_and_asked_for_once_that_counts() {
        for scheme in Scheme::ALL {
            for photos in [0, 1, 2, 24, 25, 26, 50, 103] {
                let pieces = scheme.pieces(photos);
                let covered: Vec<usize> = pieces.iter().cloned().flatten().collect();
                assert_eq!(covered, (0..photos).collect::<Vec<_>>(), "{scheme} of {photos}");
                for piece in pieces {
                    let steps = scheme.steps(piece.len());
                    let counted = steps.iter().filter(|step| step.counts);
                    let asked: Vec<_> = counted.map(|step| step.asked).collect();
                    assert_eq!(asked, (0..piece.len()).map(Some).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn only_the_schemes_named_25_cut_albums() {
        assert_eq!(Scheme::Blstm25.pieces(60), [0..25, 25..50, 50..60]);
        assert_eq!(Scheme::LstmRepeat25.pieces(25).len(), 1);
        assert_eq!(Scheme::LstmRepeat.pieces(60).len(), 1);
        assert!(Scheme::Lstm.steps(0).is_empty() && Scheme::LstmOffset2.steps(0).is_empty());
    }
}
