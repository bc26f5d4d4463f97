/// Why a row has no valid position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// One of the cells is empty.
    NoPosition,
    /// One of the cells is text or NaN.
    NotANumber,
    /// The latitude is beyond ±90 degrees.
    Latitude,
    /// The longitude is beyond ±360 degrees.
    Longitude,
    /// The row has more or fewer cells than the header.
    Columns,
}

impl SkipReason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NoPosition, Self::NotANumber, Self::Latitude, Self::Longitude, Self::Columns];

    /// In words that follow a count: `12 rows without a position`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPosition => "without a position",
            Self::NotANumber => "whose position is not a number",
            Self::Latitude => "with a latitude beyond ±90",
            Self::Longitude => "with a longitude beyond ±360",
            Self::Columns => "with more or fewer cells than the header",
        }
    }
}

/// Rows that were skipped: how many for each reason, and the first of each by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Skipped {
    counts: [u64; SkipReason::ALL.len()],
    first: [Option<String>; SkipReason::ALL.len()],
}

impl Skipped {
    /// Counts one row; its description is made only for the first of its reason.
    pub fn note(&mut self, reason: SkipReason, describe: impl FnOnce() -> String) {
        self.counts[reason as usize] += 1;
        self.first[reason as usize].get_or_insert_with(describe);
    }

    /// Adds what was skipped elsewhere.
    pub fn add(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        for (first, later) in self.first.iter_mut().zip(other.first) {
            *first = first.take().or(later);
        }
    }

    /// How many for one reason.
    pub fn of(&self, reason: SkipReason) -> u64 {
        self.counts[reason as usize]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The reasons that occurred: how often, and the first row, `file:line: what`.
    pub fn reasons(&self) -> impl Iterator<Item = (SkipReason, u64, &str)> {
        SkipReason::ALL.into_iter().filter_map(|reason| {
            let first = self.first[reason as usize].as_deref()?;
            Some((reason, self.of(reason), first))
        })
    }
}
