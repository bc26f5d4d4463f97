//! An animal in its country: eleven outlines that differ in shape and colour.

use super::{
    Stage,
    colour::{BLACK, BLUE, Colour, ORANGE, RED, WHITE, WOOD, YELLOW},
    nature,
    pen::{At, Pen},
    shown, sky,
};
use crate::{cue::Fauna, layer::Layer};

/// The animal large, plants of the country behind it.
pub(super) fn paint(stage: &mut Stage<'_>) {
    let horizon = stage.any(0.46, 0.52);
    sky::paint(stage, horizon);
    nature::ground(stage, shown(stage.cues.ground), horizon);
    sky::haze(stage, horizon);
    let side = if stage.coin() { 1.0 } else { -1.0 };
    for (share, depth, height) in [(0.35, 0.84, 0.22), (0.80, 0.62, 0.42)] {
        let foot = [stage.across(side * share), horizon * depth];
        nature::plant(stage, shown(stage.cues.vegetation), foot, height);
    }
    let height = stage.any(0.48, 0.56) * stage.unit();
    let foot = [stage.across(-side * 0.16), stage.any(0.10, 0.15)];
    sky::shadow(&mut stage.pen, stage.cues.sun, foot, 0.9 * height, 0.6 * height);
    let mirrored = stage.coin();
    stage.pen.on(Layer::Animal);
    draw(&mut stage.pen.thing(foot, height, mirrored), shown(stage.cues.fauna));
}

fn draw(pen: &mut Pen<'_>, fauna: Fauna) {
    match fauna {
        Fauna::Cow => cow(pen),
        Fauna::Sheep => sheep(pen),
        Fauna::Elephant => elephant(pen),
        Fauna::Zebra => zebra(pen),
        Fauna::Camel => camel(pen),
        Fauna::Kangaroo => kangaroo(pen),
        Fauna::Llama => llama(pen),
        Fauna::Reindeer => reindeer(pen),
        Fauna::Macaw => macaw(pen),
        Fauna::Penguin => penguin(pen),
        Fauna::Bear => bear(pen),
    }
}

/// Four legs under a trunk.
fn legs(pen: &mut Pen<'_>, half: f32, top: f32, width: f32, colour: Colour) {
    for (x, tone) in [(-0.82, 0.25), (0.68, 0.25), (-0.62, 0.0), (0.88, 0.0)] {
        pen.line(&[[x * half, top], [x * half, width / 2.0]], width, colour.dark(tone));
    }
}

fn eye(pen: &mut Pen<'_>, at: At) {
    pen.circle(at, 0.022, BLACK);
}

fn cow(pen: &mut Pen<'_>) {
    legs(pen, 0.42, 0.4, 0.10, WHITE.dark(0.1));
    pen.ellipse([0.0, 0.52], [0.50, 0.24], WHITE);
    for ([x, y], [wide, high]) in
        [([-0.25, 0.58], [0.15, 0.13]), ([0.12, 0.5], [0.14, 0.16]), ([0.35, 0.62], [0.08, 0.08])]
    {
        pen.ellipse([x, y], [wide, high], BLACK);
    }
    pen.ellipse([0.56, 0.72], [0.16, 0.14], WHITE);
    pen.ellipse([0.66, 0.66], [0.09, 0.08], Colour::hex(0xf0a8a8));
    pen.line(&[[0.46, 0.86], [0.42, 0.98]], 0.04, WOOD);
    pen.line(&[[0.58, 0.86], [0.62, 0.98]], 0.04, WOOD);
    eye(pen, [0.56, 0.76]);
}

fn sheep(pen: &mut Pen<'_>) {
    let wool = Colour::hex(0xf4eee0);
    legs(pen, 0.34, 0.35, 0.07, BLACK);
    for [x, y] in
        [[-0.34, 0.5], [-0.14, 0.62], [0.1, 0.64], [0.32, 0.54], [-0.12, 0.42], [0.14, 0.42]]
    {
        pen.circle([x, y], 0.20, wool);
    }
    pen.ellipse([0.52, 0.60], [0.13, 0.16], BLACK);
    pen.ellipse([0.40, 0.70], [0.09, 0.045], BLACK);
    pen.circle([0.55, 0.64], 0.025, WHITE);
}

fn elephant(pen: &mut Pen<'_>) {
    let skin = Colour::hex(0x70788c);
    legs(pen, 0.42, 0.5, 0.17, skin);
    pen.ellipse([-0.02, 0.64], [0.52, 0.32], skin);
    pen.circle([0.50, 0.74], 0.23, skin);
    pen.line(&[[0.66, 0.68], [0.78, 0.42], [0.74, 0.16], [0.86, 0.10]], 0.11, skin);
    pen.ellipse([0.38, 0.70], [0.17, 0.24], skin.dark(0.28));
    pen.line(&[[0.62, 0.56], [0.76, 0.50], [0.88, 0.56]], 0.05, WHITE);
    eye(pen, [0.60, 0.80]);
}

fn zebra(pen: &mut Pen<'_>) {
    legs(pen, 0.38, 0.45, 0.08, WHITE.dark(0.05));
    pen.ellipse([0.0, 0.56], [0.44, 0.20], WHITE);
    pen.line(&[[0.34, 0.6], [0.52, 0.88]], 0.19, WHITE);
    pen.ellipse([0.62, 0.90], [0.17, 0.10], WHITE);
    for x in [-0.34, -0.21, -0.08, 0.05, 0.18] {
        pen.line(&[[x, 0.40], [x + 0.03, 0.72]], 0.06, BLACK);
    }
    for (x, y) in [(0.36, 0.66), (0.44, 0.78), (0.51, 0.90)] {
        pen.line(&[[x - 0.10, y + 0.04], [x + 0.10, y - 0.06]], 0.05, BLACK);
    }
    pen.line(&[[0.26, 0.76], [0.44, 1.02]], 0.07, BLACK);
    pen.circle([0.76, 0.88], 0.06, BLACK);
}

fn camel(pen: &mut Pen<'_>) {
    let coat = Colour::hex(0xd09448);
    legs(pen, 0.40, 0.48, 0.08, coat);
    pen.ellipse([0.0, 0.56], [0.46, 0.17], coat);
    pen.dome([-0.2, 0.62], [0.17, 0.30], coat.dark(0.12));
    pen.dome([0.16, 0.62], [0.17, 0.30], coat.dark(0.12));
    pen.line(&[[0.42, 0.56], [0.58, 0.54], [0.66, 0.90]], 0.11, coat);
    pen.ellipse([0.74, 0.93], [0.15, 0.08], coat);
    eye(pen, [0.72, 0.96]);
}

fn kangaroo(pen: &mut Pen<'_>) {
    let coat = Colour::hex(0xb06034);
    pen.line(&[[-0.12, 0.26], [-0.40, 0.10], [-0.72, 0.07]], 0.10, coat.dark(0.15));
    pen.ellipse([-0.04, 0.34], [0.24, 0.26], coat);
    pen.line(&[[0.0, 0.4], [0.14, 0.76]], 0.24, coat);
    pen.line(&[[0.02, 0.20], [-0.08, 0.06], [0.28, 0.05]], 0.10, coat.dark(0.15));
    pen.line(&[[0.16, 0.66], [0.34, 0.52], [0.38, 0.58]], 0.06, coat.dark(0.2));
    pen.ellipse([0.26, 0.88], [0.16, 0.09], coat);
    pen.line(&[[0.14, 0.92], [0.06, 1.10]], 0.07, coat);
    pen.line(&[[0.20, 0.94], [0.20, 1.12]], 0.07, coat);
    pen.ellipse([0.10, 0.48], [0.09, 0.18], coat.light(0.4));
    eye(pen, [0.26, 0.91]);
}

fn llama(pen: &mut Pen<'_>) {
    let (wool, blanket) = (Colour::hex(0xecdcbc), Colour::hex(0xe03060));
    legs(pen, 0.32, 0.4, 0.09, wool);
    pen.ellipse([0.0, 0.48], [0.38, 0.18], wool);
    pen.rect([-0.16, 0.40], [0.14, 0.67], blanket);
    pen.rect([-0.16, 0.50], [0.14, 0.56], YELLOW);
    pen.line(&[[0.32, 0.5], [0.36, 0.94]], 0.16, wool);
    pen.ellipse([0.44, 0.98], [0.15, 0.09], wool);
    pen.line(&[[0.32, 1.02], [0.30, 1.16]], 0.05, wool);
    pen.line(&[[0.40, 1.04], [0.41, 1.16]], 0.05, wool);
    eye(pen, [0.45, 1.01]);
}

fn reindeer(pen: &mut Pen<'_>) {
    let coat = Colour::hex(0x785840);
    legs(pen, 0.36, 0.4, 0.07, coat);
    pen.ellipse([0.0, 0.5], [0.42, 0.19], coat);
    pen.line(&[[0.34, 0.54], [0.48, 0.70]], 0.18, WHITE);
    pen.ellipse([0.58, 0.76], [0.15, 0.09], coat);
    let antler = Colour::hex(0xf0d8a0);
    for lean in [-0.22, 0.10] {
        let (x, y) = (0.48, 0.82);
        pen.line(&[[x, y], [x + lean, y + 0.18], [x + 0.6 * lean, y + 0.36]], 0.045, antler);
        pen.line(&[[x + lean, y + 0.18], [x + lean - 0.12, y + 0.28]], 0.04, antler);
        pen.line(&[[x + lean, y + 0.18], [x + lean + 0.12, y + 0.26]], 0.04, antler);
    }
    pen.circle([0.72, 0.75], 0.05, RED);
    eye(pen, [0.58, 0.79]);
}

fn macaw(pen: &mut Pen<'_>) {
    pen.line(&[[-0.6, 0.14], [0.6, 0.20]], 0.08, WOOD);
    pen.fill(&[[-0.16, 0.30], [-0.30, -0.14], [-0.02, 0.26]], BLUE);
    pen.ellipse([0.0, 0.48], [0.20, 0.34], RED);
    pen.ellipse([-0.12, 0.46], [0.13, 0.28], BLUE);
    pen.ellipse([-0.08, 0.56], [0.12, 0.12], YELLOW);
    pen.circle([0.12, 0.86], 0.18, RED);
    pen.circle([0.18, 0.88], 0.08, WHITE);
    pen.fill(&[[0.26, 0.96], [0.46, 0.84], [0.32, 0.70], [0.26, 0.80]], BLACK);
    eye(pen, [0.18, 0.89]);
}

fn penguin(pen: &mut Pen<'_>) {
    for side in [-1.0, 1.0] {
        pen.ellipse([side * 0.14, 0.03], [0.15, 0.05], ORANGE);
        pen.line(&[[side * 0.26, 0.62], [side * 0.40, 0.30]], 0.10, BLACK);
    }
    pen.ellipse([0.0, 0.44], [0.32, 0.42], BLACK);
    pen.ellipse([0.0, 0.38], [0.22, 0.34], WHITE);
    pen.circle([0.0, 0.88], 0.19, BLACK);
    pen.ellipse([0.0, 0.72], [0.16, 0.06], YELLOW);
    pen.fill(&[[0.06, 0.94], [0.34, 0.86], [0.06, 0.82]], ORANGE);
    pen.circle([0.06, 0.94], 0.035, WHITE);
}

fn bear(pen: &mut Pen<'_>) {
    let coat = Colour::hex(0x482c1c);
    legs(pen, 0.44, 0.36, 0.19, coat);
    pen.ellipse([0.0, 0.50], [0.54, 0.28], coat);
    pen.ellipse([0.24, 0.66], [0.24, 0.18], coat);
    pen.circle([0.58, 0.60], 0.19, coat);
    pen.ellipse([0.76, 0.53], [0.11, 0.08], Colour::hex(0xa87c54));
    pen.circle([0.50, 0.80], 0.07, coat);
    pen.circle([0.66, 0.79], 0.06, coat);
    pen.circle([0.84, 0.55], 0.035, BLACK);
    eye(pen, [0.64, 0.64]);
}
