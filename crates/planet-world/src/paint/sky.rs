use super::{
    Stage,
    colour::{Colour, WHITE},
    pen::{At, Pen},
};
use crate::{
    cue::{Sun, SunHeight, SunSide},
    layer::Layer,
};

/// Zenith and horizon by the sun's height: low suns are warm, high ones leave a deep blue.
const fn colours(sun: Option<Sun>) -> (Colour, Colour) {
    let Some(sun) = sun else { return (Colour::hex(0x8c96a2), Colour::hex(0xc8ccd0)) };
    match sun.height {
        SunHeight::Low => (Colour::hex(0x6a78b8), Colour::hex(0xffa860)),
        SunHeight::Middle => (Colour::hex(0x5ca0d8), Colour::hex(0xffe8b0)),
        SunHeight::High => (Colour::hex(0x3c8ce8), Colour::hex(0xc4e4fc)),
        SunHeight::Overhead => (Colour::hex(0x1050c0), Colour::hex(0x70c0f4)),
    }
}

/// Paints the sky down to a horizon, with the sun or the clouds that hide it.
pub(super) fn paint(stage: &mut Stage<'_>, horizon: f32) {
    let sun = stage.cues.sun;
    let (zenith, low) = colours(sun);
    stage.pen.on(if sun.is_some() { Layer::Sky } else { Layer::Overcast });
    stage.pen.band((horizon, low), (1.0, zenith));
    stage.pen.band((0.99, zenith), (1.5, zenith));
    match sun {
        Some(sun) => {
            stage.pen.on(Layer::Sun);
            paint_sun(stage, sun);
            stage.pen.on(Layer::Cloud);
            for _ in 0..2 {
                cloud(stage, WHITE.cover(0.75), 0.05);
            }
        }
        None => {
            stage.pen.on(Layer::Cloud);
            for _ in 0..6 {
                cloud(stage, Colour::hex(0x707884).cover(0.5), 0.11);
            }
            if stage.nuisance.rain {
                rain(stage);
            }
        }
    }
}

fn paint_sun(stage: &mut Stage<'_>, sun: Sun) {
    let (across, up, glow) = match sun.height {
        SunHeight::Low => (0.86, 0.58, Colour::hex(0xff9030)),
        SunHeight::Middle => (0.80, 0.72, Colour::hex(0xffe070)),
        SunHeight::High => (0.72, 0.85, Colour::hex(0xfff8b0)),
        SunHeight::Overhead => (0.50, 0.95, Colour::hex(0xffffe8)),
    };
    let right = sun.side == SunSide::Right;
    let across = (across + stage.any(-0.06, 0.06)) * if right { 1.0 } else { -1.0 };
    let middle = [stage.across(across), up + stage.any(-0.02, 0.02)];
    for (radius, cover) in [(0.20, 0.22), (0.13, 0.35), (0.09, 0.5)] {
        stage.pen.circle(middle, radius, glow.cover(cover));
    }
    stage.pen.circle(middle, 0.065, glow.light(0.45));
}

fn cloud(stage: &mut Stage<'_>, colour: Colour, size: f32) {
    let (share, y) = (stage.any(-0.95, 0.95), stage.any(0.70, 0.97));
    let x = stage.across(share);
    for _ in 0..3 {
        let (dx, dy) = (stage.any(-1.6, 1.6) * size, stage.any(-0.2, 0.3) * size);
        let (across, up) = (stage.any(1.2, 2.4) * size, stage.any(0.35, 0.6) * size);
        stage.pen.ellipse([x + dx, y + dy], [across, up], colour);
    }
}

fn rain(stage: &mut Stage<'_>) {
    stage.pen.tint();
    for _ in 0..24 {
        let (x, y) = (stage.any(-1.0, 1.0) * stage.half, stage.any(0.4, 1.0));
        let drop = Colour::hex(0xe0e8f0).cover(0.45);
        stage.pen.line(&[[x, y], [x - 0.012, y - 0.06]], 0.005, drop);
    }
}

/// Mist over what is far, in a band round the horizon.
pub(super) fn haze(stage: &mut Stage<'_>, horizon: f32) {
    stage.pen.tint();
    let mist = colours(stage.cues.sun).1;
    let (thick, thin) = (mist.cover(stage.nuisance.haze), mist.cover(0.0));
    stage.pen.band((horizon, thick), (horizon + 0.18, thin));
    stage.pen.band((horizon - 0.10, thin), (horizon, thick));
}

/// The shadow that a thing throws on the ground, away from the sun and the longer the lower the
/// sun stands; under clouds only a dark spot. To be painted before the thing.
pub(super) fn shadow(pen: &mut Pen<'_>, sun: Option<Sun>, foot: At, width: f32, height: f32) {
    let spot = Colour::shade(0.28);
    pen.on(Layer::Spot);
    let Some(sun) = sun else {
        pen.ellipse(foot, [width * 0.6, width * 0.12], spot);
        return;
    };
    let long = height
        * match sun.height {
            SunHeight::Low => 1.5,
            SunHeight::Middle => 0.9,
            SunHeight::High => 0.5,
            SunHeight::Overhead => 0.08,
        };
    let away = if sun.side == SunSide::Right { -1.0 } else { 1.0 };
    let (half, flat) = (width / 2.0, 0.22 * long + 0.03 * height);
    let [x, y] = foot;
    let far = x + away * long;
    pen.on(Layer::Shadow);
    pen.fill(
        &[[x - half, y], [x + half, y], [far + 0.7 * half, y - flat], [far - 0.7 * half, y - flat]],
        Colour::shade(0.42),
    );
    pen.on(Layer::Spot);
    pen.ellipse(foot, [width * 0.55, width * 0.1], spot);
}
