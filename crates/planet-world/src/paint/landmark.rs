use super::{Stage, emblems, nature, shown, sky};
use crate::{cue::EmblemShape, layer::Layer};

/// A city's landmark between its banners, on open ground, with a tree of the country.
pub(super) fn paint(stage: &mut Stage<'_>) {
    let horizon = stage.any(0.26, 0.32);
    sky::paint(stage, horizon);
    let emblem = shown(stage.cues.emblem);
    nature::ground(stage, shown(stage.cues.ground), horizon);
    sky::haze(stage, horizon);

    let height = stage.any(0.60, 0.70) * stage.unit();
    let foot = [stage.any(-0.05, 0.05), horizon - stage.any(0.10, 0.14)];
    let width = if emblem.shape == EmblemShape::Bridge { 1.5 } else { 0.8 };
    sky::shadow(&mut stage.pen, stage.cues.sun, foot, width * height, 0.9 * height);
    stage.pen.on(Layer::Landmark);
    emblems::paint(&mut stage.pen.thing(foot, height, false), emblem.shape, emblem.colour);

    let share = stage.any(0.60, 0.66);
    let pole = 0.46 * stage.unit();
    for side in [-1.0, 1.0] {
        let foot = [stage.across(side * share), foot[1] - 0.05];
        emblems::banner(&mut stage.pen.thing(foot, pole, false), emblem.banner);
    }
    let side = if stage.coin() { 0.90 } else { -0.90 };
    let tree = [stage.across(side), stage.any(0.06, 0.10)];
    let height = stage.any(0.44, 0.52);
    nature::plant(stage, shown(stage.cues.vegetation), tree, height);
}
