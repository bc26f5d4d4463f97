use planet_geo::LatLng;

use super::{
    Colour, ColourScale, Legend, Mark, WorldMap, land,
    lettering::{self, put},
};

const SEA: Colour = Colour::new(226, 236, 243);
const LAND: Colour = Colour::new(250, 249, 245);
const COAST: Colour = Colour::new(72, 82, 92);
const EDGE: Colour = Colour::new(90, 80, 90);

/// Height of the letters in pixels.
const LETTERS: f64 = 12.0;
/// Room above the map for a title, and below it for a row of legends.
const BAND: f64 = 44.0;
/// Length of a scale's bar in pixels.
const BAR: f64 = 320.0;

pub(super) fn draw(map: &WorldMap) -> String {
    let frame = Frame::of(map);
    let mut svg = String::new();
    frame.open(&mut svg, map.title.as_deref());
    put(&mut svg, format_args!("<g clip-path=\"url(#map)\">\n"));
    frame.rectangle(&mut svg, SEA);
    let land = frame.land_path();
    put(&mut svg, format_args!("<path d=\"{land}\" fill=\"{LAND}\" fill-rule=\"evenodd\"/>\n"));
    for (colour, cells) in &map.cells {
        let mut path = String::new();
        for cell in cells {
            frame.add_ring(&mut path, cell.outline().ring(), cell.bounds());
        }
        if !path.is_empty() {
            put(
                &mut svg,
                format_args!(
                    "<path d=\"{path}\" fill=\"{colour}\" fill-opacity=\"0.75\" stroke=\"{EDGE}\" \
                     stroke-width=\"0.25\"/>\n"
                ),
            );
        }
    }
    put(
        &mut svg,
        format_args!(
            "<path d=\"{land}\" fill=\"none\" stroke=\"{COAST}\" stroke-width=\"0.8\"/>\n"
        ),
    );
    for mark in &map.marks {
        frame.mark(&mut svg, mark);
    }
    put(&mut svg, format_args!("</g>\n"));
    draw_legends(&mut svg, &map.legends, frame.top + frame.height);
    put(&mut svg, format_args!("</svg>\n"));
    svg
}

/// Where degrees lie in the picture.
struct Frame {
    map: super::Region,
    width: f64,
    /// Height of the map itself.
    height: f64,
    /// Room above the map.
    top: f64,
    /// Height of the whole picture.
    total: f64,
}

impl Frame {
    fn of(map: &WorldMap) -> Self {
        let width = f64::from(map.width);
        // Very long or high regions are squeezed rather than drawn on a strip of paper.
        let height = (width / map.region.aspect()).clamp(width / 8.0, width * 2.0).round();
        let top = if map.title.is_some() { BAND } else { 0.0 };
        let bottom = if map.legends.is_empty() { 0.0 } else { BAND };
        Self { map: map.region, width, height, top, total: top + height + bottom }
    }

    fn open(&self, svg: &mut String, title: Option<&str>) {
        let Self { width, height, top, total, .. } = self;
        put(
            svg,
            format_args!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{total}\" \
                 viewBox=\"0 0 {width} {total}\">\n"
            ),
        );
        if let Some(title) = title {
            put(svg, format_args!("<title>{}</title>\n", escaped(title)));
        }
        put(
            svg,
            format_args!(
                "<clipPath id=\"map\"><rect x=\"0\" y=\"{top}\" width=\"{width}\" \
                 height=\"{height}\"/></clipPath>\n\
                 <rect width=\"{width}\" height=\"{total}\" fill=\"#fff\"/>\n"
            ),
        );
        if let Some(title) = title {
            lettering::write(svg, title, [16.0, (BAND - LETTERS) / 2.0], LETTERS);
        }
    }

    fn rectangle(&self, svg: &mut String, colour: Colour) {
        let Self { width, height, top, .. } = self;
        let shape =
            format_args!("<rect x=\"0\" y=\"{top}\" width=\"{width}\" height=\"{height}\" ");
        put(svg, shape);
        put(svg, format_args!("fill=\"{colour}\"/>\n"));
    }

    /// A point in degrees as pixels.
    fn place(&self, [lng, lat]: [f64; 2]) -> [f64; 2] {
        let [across, down] = self.map.size();
        let [north, west] = self.map.corner();
        [(lng - west) / across * self.width, self.top + (north - lat) / down * self.height]
    }

    fn land_path(&self) -> String {
        let mut path = String::new();
        for ring in land::RINGS.iter() {
            self.add_ring(&mut path, &ring.points, ring.bounds);
        }
        path
    }

    /// Adds a closed ring wherever it is seen.
    fn add_ring(&self, path: &mut String, ring: &[[f64; 2]], bounds: [f64; 4]) {
        for turn in self.map.turns(bounds) {
            self.add_line(path, ring, turn);
            path.push('Z');
        }
    }

    fn add_line(&self, path: &mut String, points: &[[f64; 2]], turn: f64) {
        for (index, &[lng, lat]) in points.iter().enumerate() {
            let [x, y] = self.place([lng + turn, lat]);
            put(path, format_args!("{}{x:.2} {y:.2}", if index == 0 { 'M' } else { 'L' }));
        }
    }

    fn mark(&self, svg: &mut String, mark: &Mark) {
        match *mark {
            Mark::Point { at, radius, colour, number } => {
                let [lat, lng] = [at.lat(), at.lng()];
                for turn in self.map.turns([lat, lng, lat, lng]) {
                    let [x, y] = self.place([lng + turn, lat]);
                    put(svg, format_args!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" "));
                    if let Some(number) = number {
                        put(svg, format_args!("data-number=\"{number}\" "));
                    }
                    let style =
                        format_args!("fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"0.5\"/>\n");
                    put(svg, style);
                }
            }
            Mark::Line { from, to, width, colour } => {
                let mut path = String::new();
                let way = shortest_way(from, to);
                let start = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
                let bounds = way.iter().fold(start, |[south, west, north, east], &[x, y]| {
                    [south.min(y), west.min(x), north.max(y), east.max(x)]
                });
                for turn in self.map.turns(bounds) {
                    self.add_line(&mut path, &way, turn);
                }
                if !path.is_empty() {
                    put(svg, format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" "));
                    put(svg, format_args!("stroke-width=\"{width}\"/>\n"));
                }
            }
        }
    }
}

/// The great circle between two positions as continuous `[lng, lat]`.
fn shortest_way(from: LatLng, to: LatLng) -> Vec<[f64; 2]> {
    let (a, b) = (from.to_vector(), to.to_vector());
    let angle = from.distance_to(to).km() / planet_geo::EARTH_RADIUS_KM;
    let pieces = (angle.to_degrees() / 2.0).ceil().max(1.0) as usize;
    let mut way: Vec<[f64; 2]> = Vec::with_capacity(pieces + 1);
    for piece in 0..=pieces {
        let share = piece as f64 / pieces as f64;
        // Near the antipode the weights lose their meaning; so does the shortest way.
        let sine = angle.sin();
        let (before, after) = if sine.abs() < 1e-9 {
            (1.0 - share, share)
        } else {
            (((1.0 - share) * angle).sin() / sine, (share * angle).sin() / sine)
        };
        let vector = [0, 1, 2].map(|i| a[i] * before + b[i] * after);
        let Some(point) = LatLng::from_vector(vector) else { continue };
        let lng = way.last().map_or(point.lng(), |&[last, _]| {
            let step = point.lng() - last;
            last + step - 360.0 * (step / 360.0).round()
        });
        way.push([lng, point.lat()]);
    }
    way
}

fn draw_legends(svg: &mut String, legends: &[Legend], top: f64) {
    let small = LETTERS * 0.75;
    let mut x = 16.0;
    for legend in legends {
        match legend {
            Legend::Key { name, colour } => {
                let y = top + BAND / 2.0;
                put(svg, format_args!("<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\" ", x + 5.0));
                put(svg, format_args!("fill=\"{colour}\"/>\n"));
                lettering::write(svg, name, [x + 18.0, y - small / 2.0], small);
                x += 18.0 + lettering::width(name, small) + 28.0;
            }
            Legend::Scale { name, scale } => {
                lettering::write(svg, name, [x, top + (BAND - small) / 2.0], small);
                x += lettering::width(name, small) + 24.0;
                draw_bar(svg, [x, top + 10.0], scale);
                x += BAR + 60.0;
            }
        }
    }
}

fn draw_bar(svg: &mut String, [x, y]: [f64; 2], scale: &ColourScale) {
    let pieces = 48;
    for piece in 0..pieces {
        let share = f64::from(piece) / f64::from(pieces - 1);
        let left = x + BAR * f64::from(piece) / f64::from(pieces);
        let width = BAR / f64::from(pieces) + 0.3;
        let colour = ColourScale::colour_at(share);
        put(svg, format_args!("<rect x=\"{left:.2}\" y=\"{y}\" width=\"{width:.2}\" "));
        put(svg, format_args!("height=\"10\" fill=\"{colour}\"/>\n"));
    }
    let small = LETTERS * 0.6;
    for (share, text) in scale.ticks() {
        let left = x + BAR * share - lettering::width(&text, small) / 2.0;
        lettering::write(svg, &text, [left, y + 15.0], small);
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            // XML has no place for control characters.
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
