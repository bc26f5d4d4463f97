use super::{
    Stage,
    colour::{BLUE, Colour, WHITE, WOOD},
    glyphs,
    pen::{At, Pen},
    shown, sky,
};
use crate::{
    cue::{Facade, Roof, Script, Window},
    layer::Layer,
};

/// One building seen from the front, with a sign.
pub(super) fn paint(stage: &mut Stage<'_>) {
    let horizon = 0.16;
    sky::paint(stage, horizon);
    let stone = stage.one_of(&[0xa4a09c, 0x8c8884, 0xb4aca0]);
    let pavement = Colour::hex(stone);
    stage.pen.on(Layer::Pavement);
    stage.pen.band((-0.5, pavement), (horizon, pavement.light(0.15)));
    let half = stage.any(0.62, 0.70) * stage.half.min(0.55);
    let x = stage.any(-0.06, 0.06);
    let (foot, eaves) = ([x, 0.08], stage.any(0.62, 0.66));
    sky::shadow(&mut stage.pen, stage.cues.sun, foot, 2.0 * half, 0.35);

    let wall = wall(shown(stage.cues.facade));
    stage.pen.on(Layer::Facade);
    stage.pen.rect([x - half, foot[1]], [x + half, eaves], wall);
    texture(&mut stage.pen, shown(stage.cues.facade), [x - half, foot[1]], [x + half, eaves], wall);
    roof(&mut stage.pen, shown(stage.cues.roof), [x, eaves], half, 0.26);
    stage.pen.on(Layer::Window);
    windows(&mut stage.pen, shown(stage.cues.window), x, half, eaves);
    stage.pen.on(Layer::House);
    stage.pen.rect([x - 0.06, foot[1]], [x + 0.06, 0.26], WOOD);
    sign(stage, shown(stage.cues.script), [x, 0.335], half, x + 0.98 * half);
}

/// Colour of walls.
pub(super) const fn wall(facade: Facade) -> Colour {
    match facade {
        Facade::White => Colour::hex(0xf4f0e8),
        Facade::Brick => Colour::hex(0xa8402c),
        Facade::Ochre => Colour::hex(0xe0a838),
        Facade::Pink => Colour::hex(0xf090a8),
        Facade::Blue => Colour::hex(0x5898e0),
        Facade::Green => Colour::hex(0x60a868),
        Facade::Stone => Colour::hex(0x888888),
        Facade::Timber => Colour::hex(0x5c3820),
    }
}

fn texture(pen: &mut Pen<'_>, facade: Facade, low: At, high: At, wall: Colour) {
    let rows = match facade {
        Facade::Brick => 12,
        Facade::Stone => 7,
        Facade::Timber => 9,
        _ => return,
    };
    let joint = if facade == Facade::Timber { wall.dark(0.5) } else { wall.light(0.35) };
    for row in 1..rows {
        let y = low[1] + (high[1] - low[1]) * row as f32 / rows as f32;
        pen.rect([low[0], y - 0.003], [high[0], y + 0.003], joint.cover(0.7));
    }
}

/// Paints a roof on a wall of some half width; `middle` is the middle of the eaves.
pub(super) fn roof(pen: &mut Pen<'_>, roof: Roof, middle: At, half: f32, height: f32) {
    pen.on(Layer::Roof);
    let [x, y] = middle;
    let over = 1.12 * half;
    match roof {
        Roof::Flat => {
            pen.rect([x - 1.04 * half, y], [x + 1.04 * half, y + 0.2 * height], WHITE);
            for step in [-0.84, -0.42, 0.0, 0.42, 0.84] {
                let left = x + (step - 0.12) * half;
                pen.rect([left, y + 0.18 * height], [left + 0.24 * half, y + 0.4 * height], WHITE);
            }
        }
        Roof::Tile => {
            let tile = Colour::hex(0xd45428);
            let top = y + 0.55 * height;
            pen.fill(
                &[[x - over, y], [x - 0.7 * half, top], [x + 0.7 * half, top], [x + over, y]],
                tile,
            );
            for share in [0.33, 0.66] {
                let (inner, level) = (over - 0.4 * half * share, y + 0.55 * height * share);
                pen.line(&[[x - inner, level], [x + inner, level]], 0.04 * height, tile.dark(0.35));
            }
        }
        Roof::Slate => {
            let slate = Colour::hex(0x4c5868);
            pen.fill(&[[x - over, y], [x, y + 1.15 * height], [x + over, y]], slate);
            pen.fill(
                &[[x, y + 1.15 * height], [x + over, y], [x + 0.3 * half, y]],
                slate.dark(0.3),
            );
        }
        Roof::Thatch => {
            let straw = Colour::hex(0xc89c48);
            let shoulder = y + 0.55 * height;
            pen.fill(
                &[
                    [x - 1.25 * half, y - 0.08 * height],
                    [x - 0.7 * half, shoulder],
                    [x, y + 0.95 * height],
                    [x + 0.7 * half, shoulder],
                    [x + 1.25 * half, y - 0.08 * height],
                ],
                straw,
            );
            for share in [-0.9, -0.45, 0.0, 0.45, 0.9] {
                let low = [x + share * half, y - 0.04 * height];
                pen.line(
                    &[low, [x + 0.4 * share * half, shoulder]],
                    0.03 * height,
                    straw.dark(0.4),
                );
            }
        }
        Roof::Eaves => {
            let dark = Colour::hex(0x2c343c);
            pen.fill(
                &[
                    [x - 1.4 * half, y + 0.32 * height],
                    [x - half, y],
                    [x + half, y],
                    [x + 1.4 * half, y + 0.32 * height],
                    [x + 0.6 * half, y + 0.5 * height],
                    [x + 0.3 * half, y + 0.9 * height],
                    [x - 0.3 * half, y + 0.9 * height],
                    [x - 0.6 * half, y + 0.5 * height],
                ],
                dark,
            );
            let ridge = y + 0.9 * height;
            pen.line(
                &[[x - 0.34 * half, ridge], [x + 0.34 * half, ridge]],
                0.07 * height,
                Colour::hex(0xc03028),
            );
        }
        Roof::Dome => {
            pen.rect([x - half, y], [x + half, y + 0.1 * height], WHITE);
            pen.dome([x, y + 0.1 * height], [0.72 * half, 0.95 * height], BLUE);
            pen.line(&[[x, y + height], [x, y + 1.2 * height]], 0.05 * height, WHITE);
        }
    }
}

fn windows(pen: &mut Pen<'_>, window: Window, x: f32, half: f32, eaves: f32) {
    let (glass, frame) = (Colour::hex(0x385068), WHITE);
    let low = eaves - 0.19;
    for share in [-0.62, 0.0, 0.62] {
        let (middle, wide) = (x + share * half, 0.19 * half);
        match window {
            Window::Square => {
                pen.rect([middle - wide, low], [middle + wide, low + 0.13], frame);
                pen.rect(
                    [middle - 0.8 * wide, low + 0.015],
                    [middle + 0.8 * wide, low + 0.115],
                    glass,
                );
                pen.rect([middle - 0.08 * wide, low], [middle + 0.08 * wide, low + 0.13], frame);
                pen.rect([middle - wide, low + 0.058], [middle + wide, low + 0.07], frame);
            }
            Window::Arch => {
                pen.rect([middle - wide, low], [middle + wide, low + 0.09], frame);
                pen.dome([middle, low + 0.088], [wide, 0.075], frame);
                pen.rect(
                    [middle - 0.72 * wide, low + 0.01],
                    [middle + 0.72 * wide, low + 0.09],
                    glass,
                );
                pen.dome([middle, low + 0.088], [0.72 * wide, 0.055], glass);
            }
            Window::Shutters => {
                let shutter = Colour::hex(0x107860);
                pen.rect(
                    [middle - 0.5 * wide, low - 0.02],
                    [middle + 0.5 * wide, low + 0.15],
                    glass,
                );
                for side in [-1.0, 1.0] {
                    let from = [middle + side * 0.5 * wide, low - 0.03];
                    pen.rect(from, [middle + side * 1.25 * wide, low + 0.16], shutter);
                }
            }
            Window::Bands => {
                // Three panes that touch.
                let wide = 0.311 * half;
                pen.rect([middle - wide, low], [middle + wide, low + 0.13], frame);
                pen.rect([middle - wide, low + 0.018], [middle + wide, low + 0.112], glass);
            }
        }
    }
}

/// Paints a sign with a word: across the wall, or downwards at `hang` where the script runs so.
pub(super) fn sign(stage: &mut Stage<'_>, script: Script, middle: At, half: f32, hang: f32) {
    let board = stage.one_of(&[0x182c60, 0x1c4830, 0x581c20, 0x303034, 0x482858]);
    let (board, paint) = (Colour::hex(board), WHITE);
    stage.pen.on(Layer::Sign);
    let [x, y] = middle;
    if glyphs::runs_down(script) {
        let letter = 0.105;
        let (left, top) = (hang, y + 0.30);
        stage.pen.rect([left - 0.085, top - 0.50], [left + 0.085, top], board);
        let corner = [left - 0.42 * letter, top - 0.02 - letter];
        let mut pen = stage.pen.thing(corner, letter, false);
        glyphs::write(&mut pen, script, 4, true, paint, &mut stage.rng);
        return;
    }
    let wide = 0.98 * half;
    let letters = 5;
    let letter = (2.0 * wide / (letters as f32 * 1.15 + 0.3)).min(0.12);
    let text = letter * (letters as f32 * 1.15 - 0.3);
    stage.pen.rect(
        [x - 0.55 * text - 0.02, y - 0.03],
        [x + 0.55 * text + 0.02, y + letter + 0.03],
        board,
    );
    let mut pen = stage.pen.thing([x - text / 2.0, y], letter, false);
    glyphs::write(&mut pen, script, letters, false, paint, &mut stage.rng);
}
