use super::{
    Stage,
    colour::{BLACK, BLUE, Colour, GREEN, ORANGE, PURPLE, RED, WHITE, WOOD, YELLOW},
    nature,
    pen::Pen,
    shown, sky,
};
use crate::{
    cue::{Parasol, Sand, Sea},
    layer::Layer,
};

/// A beach with its parasols.
pub(super) fn paint(stage: &mut Stage<'_>) {
    let (horizon, shore) = (stage.any(0.54, 0.58), stage.any(0.32, 0.36));
    sky::paint(stage, horizon);
    sea(stage, shown(stage.cues.sea), shore, horizon);
    sand(stage, shown(stage.cues.sand), shore);
    let side = if stage.coin() { 0.82 } else { -0.82 };
    let tree = [stage.across(side), stage.any(0.20, 0.25)];
    nature::plant(stage, shown(stage.cues.vegetation), tree, 0.52);
    for share in [-0.35, 0.35, 0.02] {
        let x = share - 0.3 * side + stage.any(-0.06, 0.06);
        let foot = [stage.across(x), stage.any(0.06, 0.14)];
        let height = 0.36 * stage.unit();
        sky::shadow(&mut stage.pen, stage.cues.sun, foot, 0.8 * height, height);
        stage.pen.on(Layer::Parasol);
        parasol(&mut stage.pen.thing(foot, height, false), shown(stage.cues.parasol));
    }
}

fn sea(stage: &mut Stage<'_>, sea: Sea, shore: f32, horizon: f32) {
    stage.pen.on(Layer::Sea);
    let water = match sea {
        Sea::Deep => Colour::hex(0x0c348c),
        Sea::Turquoise => Colour::hex(0x18c4c0),
        Sea::Green => Colour::hex(0x247048),
        Sea::Grey => Colour::hex(0x687884),
    };
    stage.pen.band((shore - 0.03, water.light(0.3)), (horizon, water));
    for _ in 0..10 {
        let (x, y) = (stage.any(-1.0, 1.0) * stage.half, stage.any(shore + 0.04, horizon - 0.01));
        let long = stage.any(0.04, 0.12);
        stage.pen.chain([x, y], [x + long, y], 0.006, 0.008, WHITE.cover(0.6));
    }
    let surf = WHITE.cover(0.9);
    stage.pen.line(
        &[[-1.2, shore], [-0.4, shore + 0.012], [0.4, shore], [1.2, shore + 0.01]],
        0.03,
        surf,
    );
}

fn sand(stage: &mut Stage<'_>, sand: Sand, shore: f32) {
    let colour = match sand {
        Sand::White => Colour::hex(0xf6eedc),
        Sand::Golden => Colour::hex(0xe4b04c),
        Sand::Black => Colour::hex(0x343034),
        Sand::Pebbles => Colour::hex(0xa09c98),
    };
    stage.pen.on(Layer::Sand);
    stage.pen.band((-0.5, colour), (0.0, colour));
    stage.pen.band((-0.01, colour), (shore - 0.005, colour.dark(0.12)));
    let grains = if sand == Sand::Pebbles { 60 } else { 12 };
    for _ in 0..grains {
        let depth = stage.any(0.0, 0.92);
        let (x, y) = (stage.any(-1.0, 1.0) * stage.half, shore * depth);
        let (grain, lighter) = (0.022 * (1.1 - depth), stage.coin());
        let size = if sand == Sand::Pebbles { grain } else { 0.35 * grain };
        let tone = if lighter { colour.light(0.3) } else { colour.dark(0.35) };
        stage.pen.ellipse([x, y], [1.4 * size, size], tone);
    }
}

fn parasol(pen: &mut Pen<'_>, parasol: Parasol) {
    let (first, second) = match parasol {
        Parasol::RedWhite => (RED, WHITE),
        Parasol::BlueWhite => (BLUE, WHITE),
        Parasol::GreenWhite => (GREEN, WHITE),
        Parasol::YellowRed => (YELLOW, RED),
        Parasol::Straw => (Colour::hex(0xb89048), Colour::hex(0xa07834)),
        Parasol::PurpleYellow => (PURPLE, YELLOW),
        Parasol::OrangeBlue => (ORANGE, BLUE),
        Parasol::Black => (BLACK, BLACK),
    };
    pen.line(&[[0.0, 0.0], [0.0, 0.95]], 0.045, WOOD);
    pen.dome([0.0, 0.58], [0.56, 0.42], first);
    for x in [-0.28, 0.28] {
        pen.fill(&[[x - 0.14, 0.58], [0.0, 1.0], [x + 0.14, 0.58]], second);
    }
}
