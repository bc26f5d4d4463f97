//! Line charts as SVG, for reports: text in the reader's own font and colour, no network.

use std::fmt::Write;

/// A chart of some curves.
#[derive(Clone, Debug)]
pub struct LineChart {
    /// What the axis below shows, with its unit.
    pub x_label: String,
    /// What the axis on the left shows, with its unit.
    pub y_label: String,
    /// Whether equal ratios along x look equal.
    pub logarithmic: bool,
    /// From the least to the greatest x.
    pub x_range: [f64; 2],
    /// From the least to the greatest y.
    pub y_range: [f64; 2],
    /// Where x has a number, and what is written there.
    pub x_ticks: Vec<(f64, String)>,
    /// The curves, in the order of the key.
    pub curves: Vec<Curve>,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Curve {
    /// As it stands in the key.
    pub name: String,
    /// Its colour, as CSS writes it.
    pub colour: &'static str,
    /// Dashed, for what is no measurement of the model: an ideal, a bound.
    pub dashed: bool,
    /// Places that are joined.
    pub points: Vec<[f64; 2]>,
    /// Ranges round the curve: x, least and greatest y. May be empty.
    pub band: Vec<[f64; 3]>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 48.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 16.0;

/// Colours that colour-blind eyes can tell apart (Okabe and Ito 2008).
pub const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];

impl LineChart {
    /// The chart as an `<svg>` element, 640 × 360 and shrinking with its page.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             xmlns=\"http://www.w3.org/2000/svg\" font-size=\"12\" fill=\"currentColor\" \
             style=\"max-width:100%;height:auto\"><title>{} by {}</title>\n",
            escaped(&self.y_label),
            escaped(&self.x_label)
        );
        self.axes(&mut svg);
        for curve in &self.curves {
            self.curve(curve, &mut svg);
        }
        self.key(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn x(&self, value: f64) -> f64 {
        let [least, greatest] = self.x_range;
        let share = if self.logarithmic {
            (value.max(least) / least).ln() / (greatest / least).ln()
        } else {
            (value - least) / (greatest - least)
        };
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let [least, greatest] = self.y_range;
        let share = ((value - least) / (greatest - least)).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    }

    fn axes(&self, svg: &mut String) {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for step in 0..=5 {
            let [least, greatest] = self.y_range;
            let value = least + (greatest - least) * f64::from(step) / 5.0;
            let y = self.y(value);
            put(
                svg,
                format_args!(
                    "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"currentColor\" stroke-opacity=\".15\"/>"
                ),
            );
            let text = format!("{value:.2}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            put(
                svg,
                format_args!(
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>\n",
                    LEFT - 6.0,
                    y + 4.0
                ),
            );
        }
        for (value, text) in &self.x_ticks {
            let x = self.x(*value);
            put(
                svg,
                format_args!(
                    "<path d=\"M{x:.1} {TOP}V{floor}\" stroke=\"currentColor\" stroke-opacity=\".15\"/>"
                ),
            );
            put(
                svg,
                format_args!(
                    "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                    floor + 16.0,
                    escaped(text)
                ),
            );
        }
        let (middle, low) = (f64::midpoint(LEFT, right), HEIGHT - 12.0);
        put(
            svg,
            format_args!(
                "<text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{}</text>",
                escaped(&self.x_label)
            ),
        );
        let middle = f64::midpoint(TOP, floor);
        put(
            svg,
            format_args!(
                "<text transform=\"translate(14 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                escaped(&self.y_label)
            ),
        );
    }

    fn curve(&self, curve: &Curve, svg: &mut String) {
        let colour = curve.colour;
        if !curve.band.is_empty() {
            let above = curve.band.iter().map(|[x, _, high]| (x, high));
            let below = curve.band.iter().rev().map(|[x, low, _]| (x, low));
            let ring: Vec<String> = above
                .chain(below)
                .map(|(x, y)| format!("{:.1} {:.1}", self.x(*x), self.y(*y)))
                .collect();
            put(
                svg,
                format_args!(
                    "<path d=\"M{}Z\" fill=\"{colour}\" fill-opacity=\".18\"/>",
                    ring.join("L")
                ),
            );
        }
        let line: Vec<String> = curve
            .points
            .iter()
            .map(|[x, y]| format!("{:.1} {:.1}", self.x(*x), self.y(*y)))
            .collect();
        if !line.is_empty() {
            let dashes = if curve.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
            put(
                svg,
                format_args!(
                    "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n",
                    line.join("L")
                ),
            );
        }
    }

    fn key(&self, svg: &mut String) {
        let named: Vec<&Curve> = self.curves.iter().filter(|it| !it.name.is_empty()).collect();
        // Curves shine through what stands behind the names, but do not hide them; a letter is
        // about 6.6 wide.
        let letters = named.iter().map(|curve| curve.name.chars().count()).max().unwrap_or(0);
        if letters > 0 {
            put(
                svg,
                format_args!(
                    "<rect x=\"{}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"Canvas\" fill-opacity=\"0.8\"/>\n",
                    LEFT + 6.0,
                    40.0 + 6.6 * letters as f64,
                    17.0 * named.len() as f64 + 6.0
                ),
            );
        }
        for (row, curve) in named.into_iter().enumerate() {
            let y = TOP + 14.0 + 17.0 * row as f64;
            let dashes = if curve.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
            put(
                svg,
                format_args!(
                    "<path d=\"M{} {}h22\" stroke=\"{}\" stroke-width=\"2\"{dashes}/><text x=\"{}\" y=\"{y}\">{}</text>\n",
                    LEFT + 12.0,
                    y - 4.0,
                    curve.colour,
                    LEFT + 40.0,
                    escaped(&curve.name)
                ),
            );
        }
    }
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("text grows");
}

/// Text as it stands in HTML and SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A picture inside its page: an `<img>` with a data URI. `kind` is `png` or `jpeg`.
pub fn inlined(alternative: &str, kind: &str, bytes: &[u8]) -> String {
    let (alternative, data) = (escaped(alternative), data_uri(kind, bytes));
    let class = if kind == "jpeg" { " class=\"photo\"" } else { "" };
    format!("<img{class} alt=\"{alternative}\" src=\"{data}\">")
}

/// A picture as a data URI; `kind` is `png` or `jpeg`.
pub(crate) fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", base64(bytes))
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for letter in 0..4 {
            let six = bits >> (18 - 6 * letter) & 63;
            text.push(if letter <= chunk.len() { char::from(LETTERS[six as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
