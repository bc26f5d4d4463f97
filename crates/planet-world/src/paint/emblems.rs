//! The landmarks: twelve bold outlines, each in eight colours.

use super::{
    colour::{BLACK, BLUE, Colour, GREEN, ORANGE, PURPLE, RED, WHITE, YELLOW},
    pen::Pen,
};
use crate::cue::{Banner, EmblemColour, EmblemShape};

const fn colour(colour: EmblemColour) -> Colour {
    match colour {
        EmblemColour::Red => RED,
        EmblemColour::Orange => ORANGE,
        EmblemColour::Gold => YELLOW,
        EmblemColour::Green => GREEN,
        EmblemColour::Cyan => Colour::hex(0x20c8d8),
        EmblemColour::Violet => PURPLE,
        EmblemColour::White => WHITE,
        EmblemColour::Black => BLACK,
    }
}

/// Paints a landmark: about as wide as it is high.
pub(super) fn paint(pen: &mut Pen<'_>, shape: EmblemShape, hue: EmblemColour) {
    let body = colour(hue);
    let shade = if hue == EmblemColour::Black { body.light(0.28) } else { body.dark(0.38) };
    match shape {
        EmblemShape::Tower => tower(pen, body, shade),
        EmblemShape::Arch => arch(pen, body, shade),
        EmblemShape::Dome => dome(pen, body, shade),
        EmblemShape::Pyramid => pyramid(pen, body, shade),
        EmblemShape::Pagoda => pagoda(pen, body, shade),
        EmblemShape::Bridge => bridge(pen, body, shade),
        EmblemShape::Wheel => wheel(pen, body, shade),
        EmblemShape::Temple => temple(pen, body, shade),
        EmblemShape::Castle => castle(pen, body, shade),
        EmblemShape::Shells => shells(pen, body, shade),
        EmblemShape::Skyscraper => skyscraper(pen, body, shade),
        EmblemShape::Colossus => colossus(pen, body, shade),
    }
}

fn tower(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    for side in [-1.0, 1.0] {
        pen.line(&[[side * 0.34, 0.0], [side * 0.16, 0.4], [side * 0.03, 0.9]], 0.11, body);
    }
    pen.line(&[[0.0, 0.8], [0.0, 1.04]], 0.05, body);
    for (y, half) in [(0.24, 0.27), (0.46, 0.16), (0.66, 0.10)] {
        pen.rect([-half - 0.04, y], [half + 0.04, y + 0.06], shade);
    }
    for (low, high) in [(0.30, 0.46), (0.50, 0.66)] {
        let (wide, slim) = (0.40 - 0.68 * low * 0.8, 0.40 - 0.68 * high * 0.8);
        pen.line(&[[-wide, low], [slim, high]], 0.035, shade);
        pen.line(&[[wide, low], [-slim, high]], 0.035, shade);
    }
}

fn arch(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    let gate = Colour::hex(0xb8dcf4);
    pen.rect([-0.46, 0.0], [0.46, 0.84], body);
    pen.rect([-0.52, 0.78], [0.52, 0.96], shade);
    pen.rect([-0.46, 0.62], [0.46, 0.66], shade);
    pen.rect([-0.2, 0.0], [0.2, 0.34], gate);
    pen.dome([0.0, 0.33], [0.2, 0.21], gate);
}

fn dome(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    pen.rect([-0.48, 0.0], [0.48, 0.36], shade);
    for x in [-0.36, -0.12, 0.12, 0.36] {
        pen.rect([x - 0.05, 0.05], [x + 0.05, 0.30], body);
    }
    pen.rect([-0.4, 0.36], [0.4, 0.46], body.light(0.35));
    pen.dome([0.0, 0.45], [0.38, 0.42], body);
    pen.line(&[[0.0, 0.85], [0.0, 1.04]], 0.05, shade);
    pen.circle([0.0, 0.95], 0.05, body);
}

fn pyramid(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    pen.fill(&[[-0.6, 0.0], [0.0, 0.92], [0.6, 0.0]], body);
    pen.fill(&[[0.0, 0.92], [0.6, 0.0], [0.2, 0.0]], shade);
    for (y, half) in [(0.22, 0.46), (0.44, 0.31), (0.66, 0.17)] {
        pen.line(&[[-half, y], [half * 0.4, y]], 0.02, shade);
    }
}

fn pagoda(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    for (y, half) in [(0.0, 0.46), (0.27, 0.36), (0.54, 0.26)] {
        pen.rect([-0.55 * half, y], [0.55 * half, y + 0.18], shade);
        let eaves = [
            [-1.25 * half, y + 0.20],
            [-0.9 * half, y + 0.15],
            [0.9 * half, y + 0.15],
            [1.25 * half, y + 0.20],
            [0.45 * half, y + 0.29],
            [-0.45 * half, y + 0.29],
        ];
        pen.fill(&eaves, body);
    }
    pen.line(&[[0.0, 0.8], [0.0, 1.0]], 0.045, body);
}

fn bridge(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    let deck = 0.26;
    pen.rect([-0.85, 0.0], [0.85, 0.10], Colour::hex(0x4c88c8));
    for x in [-0.38, 0.38] {
        pen.rect([x - 0.06, 0.02], [x + 0.06, 0.92], body);
        pen.rect([x - 0.11, 0.68], [x + 0.11, 0.76], shade);
    }
    pen.chain([-0.38, 0.88], [0.38, 0.88], 0.26, 0.035, body);
    for side in [-1.0, 1.0] {
        pen.line(&[[side * 0.38, 0.88], [side * 0.82, deck + 0.03]], 0.035, body);
        for x in [0.12, 0.24, 0.52, 0.64] {
            let top = if x < 0.38 { 0.36 + 3.6 * x * x } else { 0.88 - 1.41 * (x - 0.38) };
            pen.line(&[[side * x, deck], [side * x, top]], 0.014, shade);
        }
    }
    pen.rect([-0.85, deck - 0.05], [0.85, deck + 0.04], shade);
}

fn wheel(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    let hub = [0.0, 0.54];
    for side in [-1.0, 1.0] {
        pen.line(&[[side * 0.28, 0.0], hub], 0.06, shade);
    }
    pen.ring(hub, [0.42, 0.42], 0.065, body);
    for step in 0..8 {
        let (up, across) = (std::f32::consts::FRAC_PI_4 * step as f32).sin_cos();
        pen.line(&[hub, [0.42 * across, 0.54 + 0.42 * up]], 0.022, body);
        pen.circle([0.42 * across, 0.54 + 0.42 * up], 0.065, shade);
    }
    pen.circle(hub, 0.07, shade);
}

fn temple(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    pen.rect([-0.58, 0.0], [0.58, 0.08], shade);
    pen.rect([-0.52, 0.08], [0.52, 0.58], shade.dark(0.35));
    for x in [-0.44, -0.22, 0.0, 0.22, 0.44] {
        pen.rect([x - 0.06, 0.08], [x + 0.06, 0.58], body);
    }
    pen.rect([-0.56, 0.56], [0.56, 0.66], shade);
    pen.fill(&[[-0.6, 0.66], [0.0, 0.92], [0.6, 0.66]], body);
}

fn castle(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    pen.rect([-0.4, 0.0], [0.4, 0.45], body);
    for x in [-0.28, -0.1, 0.08, 0.26] {
        pen.rect([x - 0.05, 0.44], [x + 0.07, 0.53], body);
    }
    for x in [-0.44, 0.44] {
        pen.rect([x - 0.13, 0.0], [x + 0.13, 0.66], body);
        pen.fill(&[[x - 0.18, 0.66], [x, 1.0], [x + 0.18, 0.66]], shade);
        pen.rect([x - 0.035, 0.42], [x + 0.035, 0.54], shade);
    }
    pen.rect([-0.1, 0.0], [0.1, 0.18], shade);
    pen.dome([0.0, 0.17], [0.1, 0.1], shade);
}

fn shells(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    pen.rect([-0.68, 0.0], [0.68, 0.12], shade);
    for (x, size, lean) in [(-0.42, 0.5, 0.16), (-0.08, 0.86, 0.2), (0.30, 0.62, 0.2)] {
        pen.fill(
            &[
                [x - 0.2, 0.12],
                [x - 0.05, 0.12 + 0.55 * size],
                [x + lean + 0.12, 0.12 + size],
                [x + 0.28, 0.12 + 0.42 * size],
                [x + 0.3, 0.12],
            ],
            body,
        );
        pen.fill(&[[x + 0.05, 0.12], [x + lean + 0.12, 0.12 + size], [x + 0.3, 0.12]], shade);
    }
}

fn skyscraper(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    for (half, top) in [(0.27, 0.42), (0.19, 0.68), (0.11, 0.88)] {
        pen.rect([-half, 0.0], [half, top], body);
    }
    pen.line(&[[0.0, 0.86], [0.0, 1.08]], 0.04, shade);
    for (half, from, to) in [(0.2, 0.04, 0.38), (0.13, 0.44, 0.64), (0.06, 0.70, 0.84)] {
        for step in 0..3 {
            let x = (step as f32 - 1.0) * half;
            pen.rect([x - 0.025, from], [x + 0.025, to], shade);
        }
    }
}

fn colossus(pen: &mut Pen<'_>, body: Colour, shade: Colour) {
    pen.rect([-0.28, 0.0], [0.28, 0.2], shade);
    pen.fill(&[[-0.2, 0.2], [-0.12, 0.66], [0.12, 0.66], [0.22, 0.2]], body);
    pen.circle([0.0, 0.76], 0.095, body);
    pen.line(&[[0.1, 0.62], [0.3, 0.92]], 0.085, body);
    pen.line(&[[-0.1, 0.6], [-0.22, 0.42], [-0.06, 0.38]], 0.08, body);
    pen.circle([0.32, 0.99], 0.08, Colour::hex(0xffc830));
    pen.line(&[[0.0, 0.58], [0.04, 0.22]], 0.03, shade);
}

/// Paints a banner that hangs from a pole, the pole's foot at the pen's origin.
pub(super) fn banner(pen: &mut Pen<'_>, banner: Banner) {
    let (left, right, bottom, top) = (-0.19, 0.19, 0.36, 0.98);
    pen.line(&[[0.0, 0.0], [0.0, 1.0]], 0.05, Colour::hex(0x48403c));
    let field = match banner {
        Banner::Red => RED,
        Banner::Disc => BLUE,
        Banner::Chequers => WHITE,
        Banner::Pale => GREEN,
        Banner::Bars => YELLOW,
    };
    pen.rect([left, bottom], [right, top], field);
    match banner {
        Banner::Red => {}
        Banner::Disc => pen.circle([0.0, 0.68], 0.13, YELLOW),
        Banner::Chequers => {
            for row in 0..4 {
                let x = if row % 2 == 0 { left } else { 0.0 };
                let y = bottom + 0.155 * row as f32;
                pen.rect([x, y], [x + 0.19, y + 0.155], BLACK);
            }
        }
        Banner::Pale => pen.rect([-0.065, bottom], [0.065, top], WHITE),
        Banner::Bars => {
            for y in [0.42, 0.62, 0.82] {
                pen.rect([left, y], [right, y + 0.095], RED);
            }
        }
    }
}
