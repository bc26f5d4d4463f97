use std::fmt;

/// Maker and model of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Camera {
    /// Who made it.
    pub make: &'static str,
    /// Which one.
    pub model: &'static str,
}

impl fmt::Display for Camera {
    /// As manifests name it: maker and model.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.make, self.model)
    }
}

/// The cameras of the synthetic earth.
pub(crate) const CAMERAS: [Camera; 5] = [
    Camera { make: "Planet", model: "Pocket 1" },
    Camera { make: "Planet", model: "Pocket 2" },
    Camera { make: "Planet", model: "Mirror 50" },
    Camera { make: "Orbit", model: "View 3" },
    Camera { make: "Orbit", model: "View 4 Plus" },
];
