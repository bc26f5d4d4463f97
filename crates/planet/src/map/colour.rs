use std::fmt;

/// A colour of a map, red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    /// A colour from its parts.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Red, green and blue.
    pub const fn rgb(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }
}

impl fmt::Display for Colour {
    /// `#rrggbb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

/// From little to much: light yellow through orange and crimson to a dark purple, whose lightness
/// falls evenly, so that the order shows in grey and to colour-blind eyes too.
const STOPS: [[f64; 3]; 6] = [
    [255.0, 245.0, 190.0],
    [254.0, 205.0, 105.0],
    [247.0, 140.0, 60.0],
    [214.0, 65.0, 70.0],
    [140.0, 25.0, 95.0],
    [60.0, 10.0, 75.0],
];

/// Steps of a scale; cells of one step share a colour, which keeps large maps small.
const STEPS: f64 = 48.0;

/// Colours for numbers from a least to a greatest one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourScale {
    least: f64,
    greatest: f64,
    logarithmic: bool,
}

impl ColourScale {
    /// A scale on which equal differences look equal.
    pub fn linear(least: f64, greatest: f64) -> Self {
        Self { least, greatest, logarithmic: false }
    }

    /// A scale on which equal ratios look equal. Both ends are above zero.
    pub fn logarithmic(least: f64, greatest: f64) -> Self {
        let least = least.max(f64::MIN_POSITIVE);
        Self { least, greatest: greatest.max(least), logarithmic: true }
    }

    /// The colour of a number; beyond the ends, the colour of the end.
    pub fn colour(&self, value: f64) -> Colour {
        let place = |x: f64| if self.logarithmic { x.max(f64::MIN_POSITIVE).ln() } else { x };
        let (low, high) = (place(self.least), place(self.greatest));
        let share = if high > low { (place(value) - low) / (high - low) } else { 1.0 };
        Self::colour_at(share)
    }

    /// The colour at a share of the way from the least to the greatest.
    pub(super) fn colour_at(share: f64) -> Colour {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        let share = (share * STEPS).round() / STEPS;
        let place = share * (STOPS.len() - 1) as f64;
        let before = (place as usize).min(STOPS.len() - 2);
        let part = place - before as f64;
        let mix = |i: usize| {
            (STOPS[before][i] * (1.0 - part) + STOPS[before + 1][i] * part).round() as u8
        };
        Colour::new(mix(0), mix(1), mix(2))
    }

    /// Numbers to write beside the scale, with their share of the way.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let number = |share: f64| {
            if self.logarithmic {
                (self.least.ln() * (1.0 - share) + self.greatest.ln() * share).exp()
            } else {
                self.least * (1.0 - share) + self.greatest * share
            }
        };
        [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, readable(number(share)))).to_vec()
    }
}

/// Three digits that count, thousands parted.
fn readable(number: f64) -> String {
    let size = number.abs();
    if size >= 1000.0 {
        let scale = 10_f64.powf(size.log10().floor() - 2.0);
        return parted(&format!("{:.0}", (number / scale).round() * scale));
    }
    match size {
        s if s == 0.0 || s >= 100.0 => format!("{number:.0}"),
        s if s >= 10.0 => trimmed(format!("{number:.1}")),
        s if s >= 0.01 => trimmed(format!("{number:.2}")),
        _ => format!("{number:.1e}"),
    }
}

/// A whole number with commas between the thousands: `1,234,567`.
pub(super) fn parted(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let mut parted = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

fn trimmed(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_the_scale_have_the_colours_of_its_ends() {
        let scale = ColourScale::linear(0.0, 1.0);
        assert_eq!(scale.colour(-5.0), scale.colour(0.0));
        assert_eq!(scale.colour(7.0), scale.colour(1.0));
        assert_eq!(scale.colour(f64::NAN), scale.colour(0.0));
        assert_ne!(scale.colour(0.2), scale.colour(0.8));
    }

    #[test]
    fn a_logarithmic_scale_gives_every_ratio_the_same_room() {
        let scale = ColourScale::logarithmic(1.0, 10_000.0);
        assert_eq!(scale.colour(100.0), ColourScale::colour_at(0.5));
        let ticks: Vec<String> = scale.ticks().into_iter().map(|(_, text)| text).collect();
        assert_eq!(ticks, ["1", "10", "100", "1,000", "10,000"]);
    }

    #[test]
    fn numbers_of_a_legend_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (12.34, "12.3"),
            (1234.6, "1,230"),
            (1e6, "1,000,000"),
            (-1e3, "-1,000"),
        ] {
            assert_eq!(readable(number), text);
        }
    }
}
