//! Photos that tell nothing of their place: everything in them is drawn alike for all places.

use super::{
    Stage,
    colour::{BLACK, BLUE, Colour, GREEN, ORANGE, PURPLE, RED, WHITE, WOOD, YELLOW},
};
use crate::layer::Layer;

const CLOTHES: &[Colour] = &[RED, BLUE, GREEN, YELLOW, PURPLE, ORANGE, WHITE, BLACK];
const WALLS: &[u32] = &[0xd8d0c0, 0xa8b8c0, 0xc0a898, 0x909888, 0xd0b8c0, 0x808090];

fn wall(stage: &mut Stage<'_>, floor: f32) {
    let colour = Colour::hex(stage.one_of(WALLS));
    stage.pen.on(Layer::Wall);
    stage.pen.band((-0.5, colour.dark(0.2)), (1.5, colour.light(0.2)));
    if floor > 0.0 {
        stage.pen.on(Layer::Floor);
        let boards = Colour::hex(stage.one_of(&[0x9c7048, 0x785840, 0xb89870]));
        stage.pen.band((-0.5, boards), (floor, boards.dark(0.25)));
    }
}

/// A person before a wall.
pub(super) fn portrait(stage: &mut Stage<'_>) {
    wall(stage, 0.0);
    let clothes = stage.one_of(CLOTHES);
    let skin = Colour::hex(stage.one_of(&[0xf0c8a8, 0xd8a078, 0xa87048, 0x704830]));
    let hair = Colour::hex(stage.one_of(&[0x201814, 0x5c3820, 0xc89848, 0x8c8888]));
    let (x, size) = (stage.any(-0.06, 0.06), 0.95 * stage.unit());
    let (long, smiles) = (stage.coin(), stage.any(0.01, 0.04));
    stage.pen.on(Layer::Thing);
    let mut pen = stage.pen.thing([x, 0.0], size, false);
    if long {
        pen.ellipse([0.0, 0.55], [0.27, 0.34], hair);
    }
    pen.dome([0.0, -0.1], [0.46, 0.42], clothes);
    pen.rect([-0.08, 0.22], [0.08, 0.42], skin.dark(0.12));
    pen.ellipse([0.0, 0.58], [0.20, 0.26], skin);
    pen.dome([0.0, 0.66], [0.22, 0.22], hair);
    for side in [-1.0, 1.0] {
        pen.circle([side * 0.08, 0.59], 0.025, BLACK);
        pen.line(&[[side * 0.04, 0.655], [side * 0.12, 0.66]], 0.015, hair);
    }
    pen.line(&[[0.0, 0.58], [0.015, 0.50]], 0.012, skin.dark(0.3));
    pen.chain([-0.07, 0.45], [0.07, 0.45], smiles, 0.018, Colour::hex(0xa83838));
}

/// A cat or a dog on a rug.
pub(super) fn pet(stage: &mut Stage<'_>) {
    wall(stage, 0.34);
    let rug = stage.one_of(CLOTHES);
    stage.pen.ellipse([0.0, 0.14], [0.8 * stage.half, 0.12], rug.dark(0.2));
    stage.pen.ellipse([0.0, 0.145], [0.66 * stage.half, 0.09], rug.light(0.25));
    let coat = Colour::hex(stage.one_of(&[0xe09040, 0x505054, 0xf0e8dc, 0x8c603c]));
    let (is_cat, mirrored) = (stage.coin(), stage.coin());
    let (x, size) = (stage.any(-0.1, 0.1), 0.66 * stage.unit());
    stage.pen.on(Layer::Thing);
    let mut pen = stage.pen.thing([x, 0.12], size, mirrored);
    pen.line(&[[-0.22, 0.1], [-0.46, 0.16], [-0.48, 0.42]], 0.07, coat.dark(0.1));
    pen.ellipse([0.0, 0.26], [0.28, 0.30], coat);
    for x in [0.08, 0.2] {
        pen.line(&[[x, 0.28], [x, 0.03]], 0.09, coat.light(0.15));
    }
    pen.circle([0.1, 0.64], 0.21, coat);
    if is_cat {
        for x in [-0.04, 0.24] {
            pen.fill(&[[x - 0.07, 0.78], [x, 0.98], [x + 0.08, 0.78]], coat);
        }
    } else {
        for x in [-0.1, 0.3] {
            pen.ellipse([x, 0.62], [0.07, 0.17], coat.dark(0.4));
        }
        pen.ellipse([0.12, 0.57], [0.12, 0.09], coat.light(0.4));
    }
    for x in [0.02, 0.18] {
        pen.circle([x, 0.68], 0.03, if is_cat { GREEN } else { BLACK });
    }
    pen.circle([0.11, 0.60], 0.03, BLACK);
}

/// A plate seen from above.
pub(super) fn food(stage: &mut Stage<'_>) {
    let cloth = Colour::hex(stage.one_of(&[0x8c5c38, 0xd8d4cc, 0x486078, 0xa83838]));
    stage.pen.on(Layer::Floor);
    stage.pen.band((-0.5, cloth), (1.5, cloth.light(0.15)));
    let unit = stage.unit();
    let middle = [stage.any(-0.05, 0.05), 0.5];
    stage.pen.circle([middle[0] + 0.02, 0.47], 0.41 * unit, Colour::shade(0.35));
    stage.pen.on(Layer::Thing);
    stage.pen.circle(middle, 0.40 * unit, WHITE);
    stage.pen.circle(middle, 0.30 * unit, Colour::hex(0xe4e4e0));
    for _ in 0..14 {
        let food = Colour::hex(
            stage.one_of(&[0xd84028, 0xf0b038, 0x589838, 0x985830, 0xf0e0b0, 0xe88048]),
        );
        let (x, y) = (stage.any(-0.19, 0.19) * unit, stage.any(-0.19, 0.19) * unit);
        let (wide, high) = (stage.any(0.03, 0.09) * unit, stage.any(0.03, 0.07) * unit);
        stage.pen.ellipse([middle[0] + x, middle[1] + y], [wide, high], food);
    }
    for side in [-1.0, 1.0] {
        let x = stage.across(side * 0.86);
        stage.pen.line(&[[x, 0.25], [x, 0.75]], 0.028, Colour::hex(0xb8bcc4));
        stage.pen.ellipse([x, 0.76], [0.04, 0.075], Colour::hex(0xb8bcc4));
    }
}

/// A room with a sofa, a lamp and a picture of nothing in particular.
pub(super) fn indoor(stage: &mut Stage<'_>) {
    wall(stage, 0.3);
    let sofa = stage.one_of(CLOTHES).towards(WOOD, 0.35);
    let unit = stage.unit();
    stage.pen.on(Layer::Thing);
    let mut pen = stage.pen.thing([-0.05, 0.12], 0.42 * unit, false);
    pen.rect([-0.85, 0.3], [0.85, 1.0], sofa);
    pen.rect([-0.75, 0.1], [0.75, 0.45], sofa.light(0.2));
    for side in [-1.0, 1.0] {
        pen.rect([side * 0.72, 0.05], [side * 1.0, 0.62], sofa.dark(0.25));
    }
    let (lamp, shade) = (stage.across(0.84), Colour::hex(0xf8e4a8));
    stage.pen.line(&[[lamp, 0.12], [lamp, 0.62]], 0.018, BLACK);
    stage.pen.fill(
        &[[lamp - 0.1, 0.60], [lamp - 0.05, 0.76], [lamp + 0.05, 0.76], [lamp + 0.1, 0.60]],
        shade,
    );
    let (left, right) = (stage.across(-0.5), stage.across(0.3));
    stage.pen.rect([left, 0.66], [right, 0.92], WOOD);
    let (first, second) = (stage.one_of(CLOTHES), stage.one_of(CLOTHES));
    stage.pen.rect([left + 0.02, 0.68], [right - 0.02, 0.90], first.light(0.5));
    stage.pen.fill(
        &[[left + 0.02, 0.68], [(left + right) / 2.0, 0.86], [right - 0.02, 0.68]],
        second.light(0.3),
    );
}
