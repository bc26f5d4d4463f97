use std::fmt;

/// Something that an answer rests on, so that a person can see why.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// Its part in the answer, 0..=1: all of an answer's sum to one. It compares how surely each
    /// alone would tell the place, and is a guide, not a probability.
    pub share: f32,
}

/// Kinds of evidence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EvidenceKind {
    /// A recorded track or stay.
    Track,
    /// A photo whose position is known, near in time.
    Neighbour {
        /// Its id.
        photo: String,
        /// Minutes from it to this photo; negative where it was taken later.
        minutes: f64,
        /// What the place is called; empty where no named place is near.
        place: String,
    },
    /// A photo whose position is known and that looks alike.
    LookAlike {
        /// Its id.
        photo: String,
        /// What the place is called; empty where no named place is near.
        place: String,
    },
    /// A model's output on the photo itself.
    Model,
}

impl EvidenceKind {
    /// Its name in files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Neighbour { .. } => "neighbour",
            Self::LookAlike { .. } => "look-alike",
            Self::Model => "model",
        }
    }
}

impl fmt::Display for EvidenceKind {
    /// `7 minutes after IMG_1234.jpg at Rome, Italy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Track => f.write_str("a recorded track"),
            Self::Model => f.write_str("what the photo shows"),
            Self::Neighbour { photo, minutes, place } => {
                let side = if *minutes < 0.0 { "before" } else { "after" };
                write!(f, "{} {side} {photo}", Span(minutes.abs()))?;
                if place.is_empty() { Ok(()) } else { write!(f, " at {place}") }
            }
            Self::LookAlike { photo, place } => {
                write!(f, "looks like {photo}")?;
                if place.is_empty() { Ok(()) } else { write!(f, " at {place}") }
            }
        }
    }
}

impl fmt::Display for Evidence {
    /// `7 minutes after IMG_1234.jpg at Rome, Italy (62 %)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.0} %)", self.kind, 100.0 * self.share)
    }
}

/// Minutes in the largest unit that tells them well.
struct Span(f64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(f64, &str); 3] = [(1.0, "minute"), (60.0, "hour"), (1440.0, "day")];
        let (minutes, unit) = match self.0 {
            minutes if minutes < 90.0 => UNITS[0],
            minutes if minutes < 2880.0 => UNITS[1],
            _ => UNITS[2],
        };
        let count = (self.0 / minutes).round();
        write!(f, "{count} {unit}{}", if count == 1.0 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_as_a_person_would_say_it() {
        let neighbour = |minutes| EvidenceKind::Neighbour {
            photo: "a.jpg".to_owned(),
            minutes,
            place: "Rome, Italy".to_owned(),
        };
        let said = |minutes| neighbour(minutes).to_string();
        assert_eq!(said(7.2), "7 minutes after a.jpg at Rome, Italy");
        assert_eq!(said(-1.0), "1 minute before a.jpg at Rome, Italy");
        assert_eq!(said(150.0), "3 hours after a.jpg at Rome, Italy");
        assert_eq!(said(-4320.0), "3 days before a.jpg at Rome, Italy");
        let alike = EvidenceKind::LookAlike { photo: "b.jpg".to_owned(), place: String::new() };
        assert_eq!(alike.to_string(), "looks like b.jpg");
        let share = Evidence { kind: EvidenceKind::Model, share: 0.125 };
        assert_eq!(share.to_string(), "what the photo shows (12 %)");
    }
}
