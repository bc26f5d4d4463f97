use super::{
    Stage,
    building::{roof, sign},
    colour::{BLACK, BLUE, Colour, GREEN, ORANGE, RED, WHITE, YELLOW},
    nature,
    pen::{At, Pen},
    shown, sky,
};
use crate::{
    cue::{DrivingSide, Furniture, Kerb, Lane, Plate, Taxi},
    layer::Layer,
};

/// Where the road meets the horizon.
const VANISHING: f32 = 0.50;

/// A street in perspective: a car ahead with its plate, a taxi coming towards us.
pub(super) fn paint(stage: &mut Stage<'_>) {
    sky::paint(stage, VANISHING);
    let pavement = Colour::hex(stage.one_of(&[0xb0a89c, 0x9c9894, 0xbcb4a4]));
    stage.pen.on(Layer::Pavement);
    stage.pen.band((-0.5, pavement.dark(0.1)), (VANISHING, pavement));
    houses(stage);
    sky::haze(stage, VANISHING);
    road(stage);

    // The sign hangs on the left, what stands at the roadside on the right, or the other way.
    let side = if stage.coin() { 1.0 } else { -1.0 };
    let width = 0.25 * stage.unit();
    let (x, hang) = (stage.across(-0.52 * side), stage.across(-0.60 * side));
    sign(stage, shown(stage.cues.script), [x, 0.64], width, hang);
    let tree = [stage.across(-0.88 * side), 0.12];
    nature::plant(stage, shown(stage.cues.vegetation), tree, 0.46);
    let box_foot = [stage.across(0.82 * side), 0.10];
    let tall = 0.34 * stage.unit();
    stage.pen.on(Layer::Furniture);
    let mut pen = stage.pen.thing(box_foot, tall, false);
    furniture(&mut pen, shown(stage.cues.furniture));
    cars(stage);
}

/// Half the road's width at the lower edge, in half pictures.
const ROAD: f32 = 0.80;

/// A position on the ground: across in road halves, depth 0 at the lower edge, 1 far away.
fn on_ground(stage: &Stage<'_>, across: f32, depth: f32) -> At {
    [stage.across(ROAD * across) * (1.0 - depth), VANISHING * depth]
}

fn strip(stage: &mut Stage<'_>, across: [f32; 2], depth: [f32; 2], colour: Colour) {
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
        .map(|(side, end)| on_ground(stage, across[side], depth[end]));
    stage.pen.fill(&corners, colour);
}

/// Ends of dashes, growing shorter with the distance.
const DASHES: [f32; 11] = [-0.10, 0.08, 0.24, 0.38, 0.50, 0.60, 0.69, 0.77, 0.84, 0.90, 0.95];

fn road(stage: &mut Stage<'_>) {
    stage.pen.on(Layer::Road);
    strip(stage, [-1.0, 1.0], [-0.4, 1.0], Colour::hex(0x505054));
    stage.pen.on(Layer::Kerb);
    let (first, second) = match shown(stage.cues.kerb) {
        Kerb::Bare => (Colour::hex(0x888884), Colour::hex(0x888884)),
        Kerb::RedWhite => (RED, WHITE),
        Kerb::BlackWhite => (BLACK, WHITE),
        Kerb::Yellow => (YELLOW, YELLOW),
        Kerb::BlueWhite => (BLUE, WHITE),
        Kerb::GreenYellow => (GREEN, YELLOW),
    };
    for (step, ends) in DASHES.windows(2).enumerate() {
        let colour = if step % 2 == 0 { first } else { second };
        for side in [-1.0, 1.0] {
            strip(stage, [side, side * 1.20], [ends[0], ends[1]], colour);
        }
    }
    stage.pen.on(Layer::Lane);
    let (lane, dashed) = match shown(stage.cues.lane) {
        Lane::WhiteDashes => (WHITE, true),
        Lane::YellowDashes => (YELLOW, true),
        Lane::WhiteLine => (WHITE, false),
        Lane::YellowLines => (YELLOW, false),
    };
    for ends in DASHES.windows(2).step_by(if dashed { 2 } else { 1 }) {
        let ends = [ends[0], ends[1]];
        if shown(stage.cues.lane) == Lane::YellowLines {
            strip(stage, [-0.10, -0.03], ends, lane);
            strip(stage, [0.03, 0.10], ends, lane);
        } else {
            strip(stage, [-0.055, 0.055], ends, lane);
        }
    }
}

fn houses(stage: &mut Stage<'_>) {
    let kind = shown(stage.cues.roof);
    for (share, half, base) in [(0.30, 0.09, 0.46), (0.54, 0.13, 0.40), (0.92, 0.21, 0.28)] {
        for side in [-1.0, 1.0] {
            let wall = stage.one_of(&[0xd8d0c4, 0xc4b8ac, 0xe4dcd4, 0xb8b4b4]);
            let (half, tall) = (half * stage.unit(), stage.any(1.5, 1.9) * half);
            let x = stage.across(side * share);
            let eaves = base + tall;
            stage.pen.on(Layer::House);
            stage.pen.rect([x - half, base], [x + half, eaves], Colour::hex(wall));
            for (dx, dy) in [(-0.5, 0.55), (0.5, 0.55), (-0.5, 0.15), (0.5, 0.15)] {
                let (left, low) = (x + (dx - 0.18) * half, base + (dy + 0.1) * tall);
                let high = [left + 0.36 * half, low + 0.18 * tall];
                stage.pen.rect([left, low], high, Colour::hex(0x506070));
            }
            roof(&mut stage.pen, kind, [x, eaves], half, 1.25 * half);
        }
    }
}

fn cars(stage: &mut Stage<'_>) {
    let right = if shown(stage.cues.side) == DrivingSide::Right { 1.0 } else { -1.0 };
    let far = stage.any(0.40, 0.48);
    let taxi = on_ground(stage, -right * 0.52, far);
    let size = 0.25 * stage.unit();
    sky::shadow(&mut stage.pen, None, taxi, 1.3 * size, 0.0);
    stage.pen.on(Layer::Taxi);
    front(&mut stage.pen.thing(taxi, size, false), shown(stage.cues.taxi));

    let near = stage.any(0.12, 0.18);
    let ahead = on_ground(stage, right * 0.48, near);
    let size = 0.36 * stage.unit();
    sky::shadow(&mut stage.pen, None, ahead, 1.3 * size, 0.0);
    let body = Colour::hex(stage.one_of(&[0x90949c, 0x6c7078, 0xb0b4b8, 0x7c7470]));
    stage.pen.on(Layer::Car);
    rear(&mut stage.pen.thing(ahead, size, false), body, shown(stage.cues.plate));
}

fn wheels(pen: &mut Pen<'_>) {
    for side in [-0.42, 0.42] {
        pen.rect([side - 0.11, 0.0], [side + 0.11, 0.2], BLACK);
    }
}

fn rear(pen: &mut Pen<'_>, body: Colour, plate: Plate) {
    wheels(pen);
    pen.fill(&[[-0.44, 0.5], [-0.32, 0.88], [0.32, 0.88], [0.44, 0.5]], body.dark(0.15));
    pen.fill(&[[-0.36, 0.54], [-0.27, 0.82], [0.27, 0.82], [0.36, 0.54]], Colour::hex(0x303c48));
    pen.rect([-0.56, 0.12], [0.56, 0.54], body);
    for side in [-1.0, 1.0] {
        pen.rect([side * 0.56, 0.38], [side * 0.38, 0.52], Colour::hex(0xf01818));
    }
    let (field, text) = match plate {
        Plate::White => (WHITE, BLACK),
        Plate::Yellow => (YELLOW, BLACK),
        Plate::Blue => (BLUE, WHITE),
        Plate::Green => (GREEN, WHITE),
        Plate::Red => (RED, WHITE),
        Plate::Black => (BLACK, WHITE),
    };
    pen.rect([-0.34, 0.12], [0.34, 0.36], Colour::hex(0x404040));
    pen.on(Layer::Plate);
    pen.rect([-0.32, 0.14], [0.32, 0.34], field);
    for x in [-0.21, -0.09, 0.09, 0.21] {
        pen.rect([x - 0.03, 0.20], [x + 0.03, 0.28], text);
    }
}

fn front(pen: &mut Pen<'_>, taxi: Taxi) {
    let body = match taxi {
        Taxi::Yellow => YELLOW,
        Taxi::Black => BLACK,
        Taxi::White => WHITE,
        Taxi::Green => GREEN,
        Taxi::Blue => BLUE,
        Taxi::Red => RED,
    };
    wheels(pen);
    pen.fill(&[[-0.46, 0.48], [-0.34, 0.88], [0.34, 0.88], [0.46, 0.48]], body);
    pen.fill(&[[-0.38, 0.52], [-0.28, 0.80], [0.28, 0.80], [0.38, 0.52]], Colour::hex(0xa8d0e8));
    pen.rect([-0.58, 0.12], [0.58, 0.50], body);
    pen.rect([-0.30, 0.18], [0.30, 0.30], Colour::hex(0x28282c));
    for side in [-1.0, 1.0] {
        pen.circle([side * 0.44, 0.36], 0.095, Colour::hex(0xfff4b0));
    }
    pen.rect([-0.18, 0.88], [0.18, 1.04], WHITE);
    for x in [-0.12, 0.0] {
        pen.rect([x, 0.90], [x + 0.09, 0.96], BLACK);
    }
}

fn furniture(pen: &mut Pen<'_>, furniture: Furniture) {
    match furniture {
        Furniture::RedPillar => pillar(pen, RED),
        Furniture::GreenPillar => pillar(pen, GREEN),
        Furniture::YellowBox => post_box(pen, YELLOW),
        Furniture::BlueBox => post_box(pen, BLUE),
        Furniture::RedHydrant => hydrant(pen, RED),
        Furniture::YellowHydrant => hydrant(pen, YELLOW),
        Furniture::GlobeLamp => {
            pen.line(&[[0.0, 0.0], [0.0, 1.1]], 0.09, BLACK);
            pen.circle([0.0, 1.22], 0.20, Colour::hex(0xfff8dc));
            pen.rect([-0.14, 0.0], [0.14, 0.10], BLACK);
        }
        Furniture::Bollards => {
            for x in [-0.34, 0.0, 0.34] {
                pen.rect([x - 0.10, 0.0], [x + 0.10, 0.62], ORANGE);
                pen.rect([x - 0.10, 0.38], [x + 0.10, 0.50], WHITE);
            }
        }
    }
}

fn pillar(pen: &mut Pen<'_>, colour: Colour) {
    pen.rect([-0.24, 0.0], [0.24, 0.12], BLACK);
    pen.rect([-0.22, 0.10], [0.22, 0.90], colour);
    pen.dome([0.0, 0.88], [0.28, 0.16], colour.dark(0.2));
    pen.rect([-0.14, 0.68], [0.14, 0.75], BLACK);
    pen.rect([-0.11, 0.42], [0.11, 0.58], WHITE);
}

fn post_box(pen: &mut Pen<'_>, colour: Colour) {
    pen.line(&[[0.0, 0.0], [0.0, 0.5]], 0.09, Colour::hex(0x48484c));
    pen.rect([-0.30, 0.44], [0.30, 1.0], colour);
    pen.rect([-0.22, 0.80], [0.22, 0.88], BLACK);
    pen.circle([0.0, 0.62], 0.10, colour.dark(0.5));
}

fn hydrant(pen: &mut Pen<'_>, colour: Colour) {
    pen.rect([-0.26, 0.0], [0.26, 0.10], colour.dark(0.3));
    pen.rect([-0.17, 0.08], [0.17, 0.58], colour);
    pen.dome([0.0, 0.57], [0.20, 0.18], colour);
    pen.rect([-0.32, 0.32], [0.32, 0.46], colour.dark(0.2));
    pen.circle([0.0, 0.39], 0.08, WHITE);
}
