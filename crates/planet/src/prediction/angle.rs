/// An angle from nothing to half a turn with its sine and cosine: searches add and subtract angles
/// all the time, and no function of them is called for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Angle {
    pub radians: f64,
    sin: f64,
    /// One minus the cosine, which is precise for small angles where the cosine is not.
    versine: f64,
}

impl Angle {
    /// Half a turn is the most.
    pub(super) fn new(radians: f64) -> Self {
        let radians = radians.min(std::f64::consts::PI);
        Self { radians, sin: radians.sin(), versine: 2.0 * (radians / 2.0).sin().powi(2) }
    }

    /// Half a turn is the most.
    pub(super) fn plus(self, other: Self) -> Self {
        let radians = self.radians + other.radians;
        if radians >= std::f64::consts::PI {
            return Self { radians: std::f64::consts::PI, sin: 0.0, versine: 2.0 };
        }
        let (a, b) = (self, other);
        Self {
            radians,
            sin: a.sin * (1.0 - b.versine) + b.sin * (1.0 - a.versine),
            versine: a.versine + b.versine - a.versine * b.versine + a.sin * b.sin,
        }
    }

    /// Nothing where the other one is larger.
    pub(super) fn minus(self, other: Self) -> Option<Self> {
        let radians = self.radians - other.radians;
        let (a, b) = (self, other);
        (radians >= 0.0).then_some(Self {
            radians,
            sin: a.sin * (1.0 - b.versine) - b.sin * (1.0 - a.versine),
            versine: a.versine + b.versine - a.versine * b.versine - a.sin * b.sin,
        })
    }

    /// The square of the straight way between two points on the unit sphere so far apart.
    pub(super) fn chord_squared(self) -> f64 {
        2.0 * self.versine
    }
}
