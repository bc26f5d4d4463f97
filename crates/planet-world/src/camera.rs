/// Maker and model of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Camera {
    /// Who made it.
    pub make: &'static str,
    /// Which one.
    pub model: &'static str,
}

/// The cameras of the synthetic earth.
pub(crate) const CAMERAS: [Camera; 5] = [
    Camera { make: "Planet", model: "Pocket 1" },
    Camera { make: "Planet", model: "Pocket 2" },
    Camera { make: "Planet", model: "Mirror 50" },
    Camera { make: "Orbit", model: "View 3" },
    Camera { make: "Orbit", model: "View 4 Plus" },
];
