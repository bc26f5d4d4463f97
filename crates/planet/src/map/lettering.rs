use std::fmt::Write;

/// Strokes of capitals, figures and signs on a grid of 4 by 6: two digits a point (across, down),
/// a space between strokes. Maps carry their own letters so that they look alike everywhere.
const GLYPHS: &[(char, &str)] = &[
    ('A', "062046 1434"),
    ('B', "06003041423303 3344453606"),
    ('C', "4130100105163645"),
    ('D', "06003041453606"),
    ('E', "40000646 0333"),
    ('F', "400006 0333"),
    ('G', "41301001051636454323"),
    ('H', "0006 4046 0343"),
    ('I', "1030 2026 1636"),
    ('J', "4045361605"),
    ('K', "0006 400346"),
    ('L', "000646"),
    ('M', "0600234046"),
    ('N', "06004640"),
    ('O', "103041453616050110"),
    ('P', "06003041423303"),
    ('Q', "103041453616050110 2446"),
    ('R', "06003041423303 2346"),
    ('S', "413010010213334445361605"),
    ('T', "0040 2026"),
    ('U', "000516364540"),
    ('V', "002640"),
    ('W', "0016233640"),
    ('X', "0046 4006"),
    ('Y', "002340 2326"),
    ('Z', "00400646"),
    ('0', "103041453616050110 4105"),
    ('1', "112026 1636"),
    ('2', "01103041420646"),
    ('3', "011030414233 13334445361605"),
    ('4', "36300444"),
    ('5', "4000033344453606"),
    ('6', "413010010516364544331304"),
    ('7', "004016"),
    ('8', "103041423313020110 3344453616050413"),
    ('9', "0516364541301001021343"),
    ('.', "2526"),
    (',', "2617"),
    ('-', "1333"),
    ('–', "0343"),
    ('+', "0343 2145"),
    ('±', "0242 2024 0646"),
    ('%', "4006 0010110100 3545463635"),
    ('/', "4006"),
    (':', "2223 2526"),
    (';', "2223 2617"),
    ('(', "30212536"),
    (')', "10212516"),
    ('=', "0242 0444"),
    ('<', "410345"),
    ('>', "014305"),
    ('≤', "400244 0646"),
    ('≥', "004204 0646"),
    ('°', "1030321210"),
    ('\'', "2022"),
    ('"', "1012 3032"),
    ('_', "0646"),
    ('·', "2324"),
    ('!', "2024 2626"),
    ('?', "01103041422324 2626"),
    ('&', "4613020110213205163644"),
];

/// From one letter to the next, in grid units.
const ADVANCE: f64 = 5.6;

/// Width of a line of text in pixels, for letters of this height.
pub(crate) fn width(text: &str, height: f64) -> f64 {
    let letters = text.chars().count() as f64;
    (letters * ADVANCE - (ADVANCE - 4.0)).max(0.0) * height / 6.0
}

/// Draws a line of text as one SVG path whose upper left corner is at `x`, `y`.
pub(crate) fn write(svg: &mut String, text: &str, [x, y]: [f64; 2], height: f64) {
    let unit = height / 6.0;
    let mut path = String::new();
    for (index, letter) in text.chars().enumerate() {
        let left = x + index as f64 * ADVANCE * unit;
        for stroke in strokes(letter).split_whitespace() {
            for (index, point) in stroke.as_bytes().chunks_exact(2).enumerate() {
                let [across, down] =
                    [point[0], point[1]].map(|digit| f64::from(digit - b'0') * unit);
                let command = if index == 0 { 'M' } else { 'L' };
                put(&mut path, format_args!("{command}{:.1} {:.1}", left + across, y + down));
            }
        }
    }
    let stroke = (height / 8.0).max(1.0);
    put(
        svg,
        format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"#333\" stroke-width=\"{stroke:.2}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"/>\n"
        ),
    );
}

fn strokes(letter: char) -> &'static str {
    let capital = letter.to_ascii_uppercase();
    let of = |wanted: char| GLYPHS.iter().find(|(letter, _)| *letter == wanted);
    match of(capital).or_else(|| if letter.is_whitespace() { None } else { of('?') }) {
        Some((_, strokes)) => strokes,
        None => "",
    }
}

/// Appends to a string.
pub(crate) fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes whatever is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_is_made_of_points_on_the_grid() {
        for (letter, strokes) in GLYPHS {
            for stroke in strokes.split_whitespace() {
                assert!(stroke.len() % 2 == 0 && stroke.len() >= 4, "{letter}");
                for point in stroke.as_bytes().chunks(2) {
                    assert!((b'0'..=b'4').contains(&point[0]), "{letter}");
                    assert!((b'0'..=b'7').contains(&point[1]), "{letter}");
                }
            }
        }
    }

    #[test]
    fn small_letters_are_drawn_as_capitals_and_unknown_ones_as_question_marks() {
        assert_eq!(strokes('a'), strokes('A'));
        assert_eq!(strokes('\u{4e2d}'), strokes('?'));
        assert_eq!(strokes(' '), "");
    }
}
