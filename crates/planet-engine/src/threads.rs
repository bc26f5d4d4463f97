use std::num::NonZero;

/// How many threads an engine uses; `None` leaves it to the engine, which takes the cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Threads(pub Option<NonZero<usize>>);
