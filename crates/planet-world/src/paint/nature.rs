//! Plants, ground and what stands on the horizon.

use super::{
    Stage,
    colour::{Colour, WHITE, WOOD},
    pen::{At, Pen},
    sky::shadow,
};
use crate::{
    cue::{Ground, Relief, Vegetation},
    layer::Layer,
};

/// Nearer and farther colour of the ground.
const fn colours(ground: Ground) -> (Colour, Colour) {
    match ground {
        Ground::Grass => (Colour::hex(0x3e9632), Colour::hex(0x74b850)),
        Ground::Straw => (Colour::hex(0xc8a83c), Colour::hex(0xdcc870)),
        Ground::Dune => (Colour::hex(0xe8c88c), Colour::hex(0xf4e0b4)),
        Ground::Laterite => (Colour::hex(0xb44c24), Colour::hex(0xc87048)),
        Ground::Snow => (Colour::hex(0xeef4fc), Colour::hex(0xd8e4f4)),
        Ground::Scree => (Colour::hex(0x80847c), Colour::hex(0x9ca094)),
    }
}

/// Paints the ground up to a horizon, with its tufts, ripples or stones.
pub(super) fn ground(stage: &mut Stage<'_>, ground: Ground, horizon: f32) {
    let (near, far) = colours(ground);
    stage.pen.on(Layer::Ground);
    stage.pen.band((-0.5, near), (0.0, near));
    stage.pen.band((-0.01, near), (horizon, far));
    for _ in 0..22 {
        // Things on the ground crowd and shrink towards the horizon.
        let depth = stage.any(0.0, 0.94);
        let (x, y) = (stage.any(-1.0, 1.0) * stage.half, horizon * depth);
        let size = 0.06 * (1.0 - depth);
        mark(&mut stage.pen, ground, [x, y], size);
    }
}

fn mark(pen: &mut Pen<'_>, ground: Ground, [x, y]: At, size: f32) {
    match ground {
        Ground::Grass | Ground::Straw => {
            let blade = colours(ground).0.dark(0.25);
            for lean in [-0.35, 0.0, 0.35] {
                pen.line(&[[x, y], [x + lean * size, y + 0.7 * size]], 0.12 * size, blade);
            }
        }
        Ground::Dune => {
            let ripple = Colour::hex(0xc8a060).cover(0.6);
            pen.chain([x - 1.6 * size, y], [x + 1.6 * size, y], 0.12 * size, 0.13 * size, ripple);
        }
        Ground::Laterite => {
            let crack = Colour::hex(0x6c2410).cover(0.7);
            let turns = [[x - size, y], [x - 0.2 * size, y + 0.2 * size], [x + size, y]];
            pen.line(&turns, 0.12 * size, crack);
        }
        Ground::Snow => {
            pen.ellipse([x, y], [1.6 * size, 0.3 * size], Colour::hex(0xb8cce8).cover(0.7));
        }
        Ground::Scree => {
            pen.ellipse([x, y], [0.8 * size, 0.45 * size], Colour::hex(0x585c5c));
            pen.ellipse([x, y + 0.12 * size], [0.65 * size, 0.32 * size], Colour::hex(0xa8aca4));
            pen.ellipse([x, y + 0.3 * size], [0.4 * size, 0.15 * size], Colour::hex(0x789450));
        }
    }
}

/// Paints what stands on the horizon.
pub(super) fn relief(stage: &mut Stage<'_>, relief: Relief, horizon: f32) {
    stage.pen.on(Layer::Relief);
    let far = Colour::hex(0x6c7c98);
    let half = stage.half;
    match relief {
        Relief::Plain => {}
        Relief::Hills => {
            for share in [-0.8, -0.2, 0.35, 0.9] {
                let (x, up) = (stage.across(share), stage.any(0.10, 0.17));
                stage.pen.dome([x, horizon], [0.55 * half, up], Colour::hex(0x5c8464));
            }
        }
        Relief::Mesas => {
            let table = Colour::hex(0xa8583c);
            for share in [-0.6, 0.05, 0.68] {
                let (x, up) = (stage.across(share), stage.any(0.13, 0.24));
                let wide = stage.any(0.16, 0.26) * half / 0.667;
                let top = horizon + up;
                let corners = [
                    [x - wide, horizon],
                    [x - 0.72 * wide, top],
                    [x + 0.72 * wide, top],
                    [x + wide, horizon],
                ];
                stage.pen.fill(&corners, table);
                let lit = [x + 0.72 * wide, top - 0.3 * up];
                stage.pen.rect([x - 0.72 * wide, top - 0.2 * up], lit, table.dark(0.35));
            }
        }
        Relief::Peaks => {
            for share in [-0.75, 0.55, -0.15] {
                let (x, up) = (stage.across(share), stage.any(0.26, 0.36));
                let wide = 0.42 * half;
                mountain(&mut stage.pen, [x, horizon], wide, up, far);
            }
        }
        Relief::Volcano => {
            let share = stage.any(-0.35, 0.35);
            let x = stage.across(share);
            let (wide, up) = (0.75 * half, 0.33);
            let crater = horizon + up;
            let corners = [
                [x - wide, horizon],
                [x - 0.14 * wide, crater],
                [x + 0.14 * wide, crater],
                [x + wide, horizon],
            ];
            stage.pen.fill(&corners, Colour::hex(0x544850));
            let lava = [[x, crater], [x + 0.04, crater - 0.1], [x - 0.02, crater - 0.18]];
            stage.pen.line(&lava, 0.03, Colour::hex(0xf05018));
            for (step, size) in [(0.05, 0.05), (0.12, 0.07), (0.20, 0.09)] {
                let smoke = Colour::hex(0x505058).cover(0.8);
                stage.pen.circle([x + 0.5 * step, crater + step], size, smoke);
            }
        }
    }
}

fn mountain(pen: &mut Pen<'_>, [x, y]: At, wide: f32, up: f32, rock: Colour) {
    pen.fill(&[[x - wide, y], [x, y + up], [x + wide, y]], rock);
    pen.fill(&[[x, y + up], [x + wide, y], [x + 0.2 * wide, y]], rock.dark(0.3));
    let snow = 0.62 * up;
    let (inner, outer) = (0.38 * wide, y + snow);
    let cap = [
        [x - inner, outer],
        [x, y + up],
        [x + inner, outer],
        [x + 0.18 * wide, outer + 0.06 * up],
        [x, outer - 0.06 * up],
        [x - 0.18 * wide, outer + 0.06 * up],
    ];
    pen.fill(&cap, WHITE);
}

/// Paints a plant with its shadow; most are of the given height.
pub(super) fn plant(stage: &mut Stage<'_>, kind: Vegetation, foot: At, height: f32) {
    let mirrored = stage.coin();
    let broad = if kind == Vegetation::Heath { 0.9 } else { 0.35 };
    let tall = if kind == Vegetation::Heath { 0.3 } else { 1.0 };
    shadow(&mut stage.pen, stage.cues.sun, foot, broad * height, tall * height);
    stage.pen.on(Layer::Plant);
    let mut pen = stage.pen.thing(foot, height, mirrored);
    match kind {
        Vegetation::Palm => palm(&mut pen),
        Vegetation::Acacia => acacia(&mut pen),
        Vegetation::Cactus => cactus(&mut pen),
        Vegetation::Cypress => cypress(&mut pen),
        Vegetation::Oak => oak(&mut pen),
        Vegetation::Birch => birch(&mut pen),
        Vegetation::Spruce => spruce(&mut pen),
        Vegetation::Bamboo => bamboo(&mut pen),
        Vegetation::Heath => heath(&mut pen),
    }
}

fn palm(pen: &mut Pen<'_>) {
    let bark = Colour::hex(0x9c7848);
    pen.line(&[[0.0, 0.0], [0.04, 0.3], [0.10, 0.6], [0.18, 0.82]], 0.06, bark);
    let leaf = Colour::hex(0x2ca048);
    for [x, y] in
        [[-0.38, -0.10], [-0.32, 0.12], [-0.08, 0.2], [0.2, 0.2], [0.36, 0.08], [0.36, -0.16]]
    {
        let tip = [0.18 + x, 0.82 + y];
        let knee = [0.18 + 0.55 * x, 0.86 + 0.8 * f32::max(y, -0.02)];
        pen.line(&[[0.18, 0.82], knee, tip], 0.075, leaf);
    }
    pen.circle([0.15, 0.79], 0.05, Colour::hex(0x7a4c20));
    pen.circle([0.23, 0.79], 0.05, Colour::hex(0x7a4c20));
}

fn acacia(pen: &mut Pen<'_>) {
    let leaf = Colour::hex(0x809028);
    pen.line(&[[0.0, 0.0], [0.0, 0.35], [-0.28, 0.66]], 0.06, WOOD);
    pen.line(&[[0.0, 0.35], [0.26, 0.66]], 0.05, WOOD);
    pen.ellipse([0.0, 0.72], [0.62, 0.10], leaf.dark(0.25));
    pen.ellipse([-0.05, 0.77], [0.52, 0.09], leaf);
}

fn cactus(pen: &mut Pen<'_>) {
    let skin = Colour::hex(0x388c6c);
    pen.line(&[[0.0, 0.0], [0.0, 0.9]], 0.19, skin);
    pen.line(&[[0.0, 0.35], [-0.28, 0.38], [-0.28, 0.68]], 0.13, skin);
    pen.line(&[[0.0, 0.48], [0.27, 0.52], [0.27, 0.80]], 0.13, skin);
    pen.line(&[[-0.03, 0.04], [-0.03, 0.9]], 0.03, skin.light(0.4));
    pen.circle([0.0, 0.98], 0.06, Colour::hex(0xf05090));
}

fn cypress(pen: &mut Pen<'_>) {
    pen.line(&[[0.0, 0.0], [0.0, 0.15]], 0.06, WOOD);
    pen.ellipse([0.0, 0.54], [0.125, 0.48], Colour::hex(0x144830));
    pen.ellipse([0.03, 0.54], [0.07, 0.42], Colour::hex(0x246440));
}

fn oak(pen: &mut Pen<'_>) {
    let leaf = Colour::hex(0x287824);
    pen.line(&[[0.0, 0.0], [0.0, 0.5]], 0.11, WOOD);
    for [x, y] in [[-0.22, 0.58], [0.22, 0.58], [0.0, 0.76]] {
        pen.circle([x, y], 0.25, leaf);
    }
    pen.circle([-0.1, 0.72], 0.16, leaf.light(0.22));
}

fn birch(pen: &mut Pen<'_>) {
    let leaf = Colour::hex(0xd0c030);
    pen.line(&[[0.0, 0.0], [0.02, 0.85]], 0.09, WHITE);
    for y in [0.12, 0.26, 0.40] {
        pen.line(&[[-0.04, y], [0.03, y + 0.02]], 0.035, Colour::hex(0x282828));
    }
    for [x, y] in [[-0.14, 0.62], [0.16, 0.66], [0.0, 0.84], [-0.08, 0.78], [0.12, 0.52]] {
        pen.ellipse([x, y], [0.14, 0.13], leaf);
    }
}

fn spruce(pen: &mut Pen<'_>) {
    let needle = Colour::hex(0x145444);
    pen.line(&[[0.0, 0.0], [0.0, 0.2]], 0.08, WOOD);
    for (y, wide, shade) in [(0.12, 0.34, 0.0), (0.36, 0.27, 0.12), (0.60, 0.20, 0.24)] {
        pen.fill(&[[-wide, y], [0.0, y + 0.42], [wide, y]], needle.light(shade));
    }
}

fn bamboo(pen: &mut Pen<'_>) {
    let cane = Colour::hex(0x90c040);
    for (x, top) in [(-0.22, 0.86), (-0.06, 1.0), (0.10, 0.92), (0.25, 0.8)] {
        pen.line(&[[x, 0.0], [x + 0.03, top]], 0.055, cane);
        for knot in [0.2, 0.42, 0.64] {
            pen.line(&[[x - 0.025, knot], [x + 0.045, knot]], 0.025, cane.dark(0.45));
        }
        for (dx, dy) in [(-0.14, -0.06), (0.15, 0.0), (0.12, -0.16)] {
            pen.line(&[[x + 0.03, top], [x + dx, top + dy]], 0.04, cane.dark(0.25));
        }
    }
}

fn heath(pen: &mut Pen<'_>) {
    for (x, size) in [(-0.45, 0.16), (0.4, 0.15), (0.0, 0.22)] {
        pen.dome([x, 0.0], [1.4 * size, size], Colour::hex(0x586844));
        for (dx, dy) in [(-0.7, 0.4), (-0.1, 0.75), (0.6, 0.45), (0.2, 0.3)] {
            pen.circle([x + dx * size, dy * size], 0.045, Colour::hex(0xe060b0));
        }
    }
}
