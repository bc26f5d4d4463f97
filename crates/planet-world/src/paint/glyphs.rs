//! Letters of thirteen scripts as strokes, drawn for this project: enough to tell a script, as a
//! traveller does who cannot read it.
//!
//! A letter is a text of strokes. A stroke is a row of points on a grid of five by five, two
//! digits each, x then y up (`002440` goes from (0,0) over (2,4) to (4,0)); one point alone is a
//! dot; `oXYR` is a circle round (X,Y) of radius R/2.

use rand::{Rng, RngExt};

use super::{colour::Colour, pen::Pen};
use crate::cue::Script;

const fn letters(script: Script) -> &'static [&'static str] {
    match script {
        Script::Latin => &[
            "002440 1232",
            "40000444 0232",
            "000434433202 2240",
            "00044044",
            "0444 2420",
            "0030413212031444",
            "103041433414030110",
            "040040",
            "042044",
        ],
        Script::Cyrillic => &[
            "0044 0440 2024",
            "04004440 0044",
            "00014140 11243431",
            "04004044 2024",
            "404414031242 2200",
            "2024 11021333423111",
            "0004 0212 201113243443413020",
        ],
        Script::Greek => &[
            "001011020314344342313040",
            "4404220040",
            "00244000",
            "002440",
            "2024 040211314244",
            "0040 1232 0444",
            "103041433414030110 1232",
        ],
        Script::Arabic => &[
            "0141 2124",
            "0141 1112 2122 3132 20",
            "01113041 33",
            "0111003041 13 33",
            "0141 11233331",
            "0141 4144 24",
        ],
        Script::Hebrew => &[
            "044440 0040",
            "044440 0002",
            "0444 3430",
            "0444400004",
            "1413434220",
            "0440 4432 0012",
        ],
        Script::Devanagari => &[
            "0444 3430 33130231",
            "0444 3430 321211",
            "0444 1410 3430 1232",
            "0444 2420 23034241",
            "0444 3430 141232",
            "0444 2420 1311 o312",
        ],
        Script::Southern => &[
            "o224 o222",
            "o112 o332",
            "o132 o312 2444",
            "o224 4044",
            "o122 3034 o332",
            "o223 o003",
        ],
        Script::Thai => &[
            "o012 011203143443 40",
            "o042 03003040 4044",
            "o112 1113 1324344340",
            "o132 12103041 44",
            "o042 0300204044",
            "o012 0004 0434444240",
        ],
        Script::Han => &[
            "0444 2420 0242 0040",
            "0004444000 0242 2024",
            "0343 2420 2300 2340",
            "0444 0242 0040 1014 3034",
            "2420 0242 1300 3340 1434",
            "0444 1410 3430 1232 1131",
        ],
        Script::Kana => {
            &["0343 2420", "0444 4320", "1400 3441", "1434 0343 4210", "0323 4422 2210", "0242"]
        }
        Script::Hangul => &[
            "o132 3034 3242",
            "0424 2422 4044 4232 0010",
            "o242 0141 2122",
            "040222 3034 3242",
            "04004044 0242",
            "o202 0242 1434",
        ],
        Script::Ethiopic => &[
            "1014 3034 1434 o242",
            "2024 o132 o332",
            "0004 4044 0242 2220",
            "o234 2220 0020",
            "1014 1434 3432 2040",
            "0013 4043 1343 o242",
        ],
        Script::Caucasian => &[
            "o123 3034",
            "0103143413 43 4110",
            "o213 2434",
            "040110304144",
            "o313 0104 0424",
            "2024 0402204244",
        ],
    }
}

/// Writes a word of `count` letters from (0, 0) to the right, or downwards from there, every
/// letter in a box of height 1 and width 0.8.
pub(super) fn write(
    pen: &mut Pen<'_>,
    script: Script,
    count: usize,
    downwards: bool,
    colour: Colour,
    rng: &mut impl Rng,
) {
    let letters = letters(script);
    for place in 0..count {
        let letter = letters[rng.random_range(0..letters.len())];
        let step = place as f32 * 1.15;
        let corner = if downwards { [0.0, -step] } else { [step, 0.0] };
        // A joined script leaves no room between its letters, nor does a head line.
        let joined = matches!(script, Script::Arabic | Script::Devanagari);
        draw(pen, letter, corner, if joined { 1.15 } else { 0.85 }, colour);
    }
}

/// Whether signs in that script often run downwards.
pub(super) const fn runs_down(script: Script) -> bool {
    matches!(script, Script::Han | Script::Kana | Script::Hangul)
}

fn draw(pen: &mut Pen<'_>, letter: &str, corner: [f32; 2], width: f32, colour: Colour) {
    const LINE: f32 = 0.17;
    let place = |x: u8, y: u8| {
        let share = |digit: u8| f32::from(digit - b'0') / 4.0;
        [corner[0] + width * share(x), corner[1] + share(y)]
    };
    for stroke in letter.split(' ') {
        match stroke.as_bytes() {
            [b'o', x, y, radius] => {
                let radius = f32::from(radius - b'0') / 8.0;
                pen.ring(place(*x, *y), [width * radius, radius], LINE, colour);
            }
            points => {
                let points: Vec<_> =
                    points.chunks_exact(2).map(|point| place(point[0], point[1])).collect();
                pen.line(&points, LINE, colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::Cue;

    #[test]
    fn every_letter_is_made_of_strokes_on_the_grid() {
        for script in (0..Script::COUNT).map(Script::from_index) {
            assert!(letters(script).len() >= 6, "{script:?}");
            for stroke in letters(script).iter().flat_map(|letter| letter.split(' ')) {
                let digits = stroke.strip_prefix('o').unwrap_or(stroke);
                assert!(digits.bytes().all(|digit| (b'0'..=b'4').contains(&digit)), "{stroke:?}");
                let length =
                    if digits == stroke { digits.len() % 2 == 0 } else { digits.len() == 3 };
                assert!(length && !digits.is_empty(), "{stroke:?}");
            }
        }
    }
}
