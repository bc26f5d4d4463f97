use super::{Stage, nature, shown, sky};

/// Open country: relief, ground and plants, the near ones large.
pub(super) fn paint(stage: &mut Stage<'_>) {
    let horizon = stage.any(0.40, 0.48);
    sky::paint(stage, horizon);
    nature::relief(stage, shown(stage.cues.relief), horizon);
    nature::ground(stage, shown(stage.cues.ground), horizon);
    sky::haze(stage, horizon);
    let vegetation = shown(stage.cues.vegetation);
    // Far plants first, so that near ones stand before them.
    for (depth, height) in [(0.80, 0.17), (0.72, 0.20), (0.50, 0.30), (0.18, 0.56)] {
        let share = stage.any(-0.85, 0.85);
        let foot = [stage.across(share), horizon * depth];
        let height = height * stage.any(0.9, 1.15);
        nature::plant(stage, vegetation, foot, height);
    }
}
