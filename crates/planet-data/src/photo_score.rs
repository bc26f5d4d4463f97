use crate::{
    Photo,
    plain_lines::{Row, plain_share, without_borders},
    seams::Seams,
};

/// Pixels of a row that are looked at together; ordinary photos have fewer.
const LONGEST_ROW: usize = 1 << 16;

/// From this score on a picture is taken for a photograph.
pub const PHOTOGRAPH_FROM: f32 = 0.5;

/// How sure it is that a picture is a photograph: 0 surely not (a chart, a screenshot, a scan of
/// text, clip-art), 1 surely. `camera` is the camera that its tags name.
///
/// No training: a lens and a sensor spread colours wide, leave hardly two equal neighbours, a
/// little noise everywhere and soft edges; a program fills areas with one of few colours and
/// draws sharp edges between them. Each of five measures says how far it speaks for a photograph,
/// the four least sure decide. Four more speak against one even if most of the picture is a
/// photograph, as in a web page or a meme: lines of the ground between its parts, the hard contrast of
/// letters, a long straight seam beside a bar, and many short ones, as of icons; what lies round the whole
/// picture does not count. Programs do not name a
/// camera: where one is named, half of the doubt is dropped. Measured in docs/filters.md.
pub fn photo_score(photo: &Photo, camera: Option<&str>) -> f32 {
    let measures = Measures::of(photo);
    // The bounds lie between what real photos and graphics show (docs/filters.md).
    let mut votes = [
        falling(measures.equal_neighbours, 0.55, 0.90),
        falling(measures.commonest, 0.35, 0.75),
        1.0 - falling(measures.colours.log2(), 2.5, 5.0),
        falling(measures.noiseless, 0.50, 0.75),
        falling(measures.sharp_edges, 0.10, 0.40),
    ];
    votes.sort_by(f32::total_cmp);
    let score = votes[..4].iter().sum::<f32>() / 4.0
        * falling(measures.plain_lines, 0.01, 0.04)
        * falling(measures.seams.longest, 0.25, 0.45)
        * falling(measures.seams.crisp, 1.0, 2.2)
        // Sharpened photos have hard contrast too, but softer edges beside it.
        * falling(measures.hard_contrast, 0.018, 0.030).max(falling(measures.hard_share, 0.20, 0.35));
    if camera.is_some() { 1.0 - (1.0 - score) / 2.0 } else { score }
}

/// 1 up to `from`, 0 from `to` on, straight between.
fn falling(value: f32, from: f32, to: f32) -> f32 {
    ((to - value) / (to - from)).clamp(0.0, 1.0)
}

struct Measures {
    /// Share of pixels that equal their right neighbour within two levels a channel, 0..=1: a
    /// clear sky saved as JPEG reaches 0.6, a chart 0.9.
    equal_neighbours: f32,
    /// Share of the pixels that have the most common of 4096 colours, 0..=1: paper and
    /// backgrounds fill half a picture.
    commonest: f32,
    /// How many of 4096 colours cover nine tenths of the pixels, at least 1.
    colours: f32,
    /// Share of places where the brightness of three pixels in a row lies on a straight line,
    /// 0..=1: noise leaves few.
    noiseless: f32,
    /// Share of the edges that are over within three pixels and flat on both sides, 0..=1.
    sharp_edges: f32,
    /// Share of rows plus share of columns that have one colour, the same in all, 0..=2; those of a border
    /// round the picture do not count.
    plain_lines: f32,
    /// Share of places where the brightness changes by 150 of 255 or more within two pixels, 0..=1:
    /// sharpened photos reach 0.05, printed words 0.13.
    hard_contrast: f32,
    /// Share of such places among those where it changes by 60 or more, 0..=1: sharpened photos reach
    /// 0.3, printed words 0.4 to 0.7.
    hard_share: f32,
    /// Photos of facades reach 0.3 and a sum of 1.
    seams: Seams,
}

impl Measures {
    /// Looks at no more than about a quarter of a million pixels, in whole rows and unresized:
    /// resizing would blur what tells a program from a lens.
    fn of(photo: &Photo) -> Self {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let step = (width * height / (1 << 18)).max(1);
        let (pixels, _) = photo.pixels().as_chunks::<3>();
        let rows: Vec<Row<'_>> = pixels.chunks_exact(width).step_by(step).collect();
        let mut counts = Counts::default();
        let mut colours = vec![0_u32; 1 << 12];
        for pixels in &rows {
            for pixel in *pixels {
                let [red, green, blue] = pixel.map(|level| usize::from(level >> 4));
                colours[red << 8 | green << 4 | blue] += 1;
            }
            // A row of a hundred million pixels is looked at piece by piece.
            pixels.chunks(LONGEST_ROW).for_each(|pixels| counts.add(pixels));
        }
        colours.sort_unstable_by(|a, b| b.cmp(a));
        let all: u32 = colours.iter().sum();
        let mut covered = 0;
        let needed = colours.iter().take_while(|&&count| {
            let before = covered;
            covered += count;
            f64::from(before) < 0.9 * f64::from(all)
        });
        let share = |part: u32, whole: u32| part as f32 / whole.max(1) as f32;
        Self {
            equal_neighbours: share(counts.equal, counts.pairs),
            colours: needed.count().max(1) as f32,
            commonest: share(colours[0], all),
            noiseless: share(counts.straight, counts.triples),
            sharp_edges: share(counts.sharp, counts.edges),
            plain_lines: plain_share(&without_borders(rows)),
            hard_contrast: share(counts.hard, counts.triples),
            hard_share: share(counts.hard, counts.strong),
            seams: Seams::of(pixels, width),
        }
    }
}

/// What stands side by side in the rows of a picture.
#[derive(Default)]
struct Counts {
    pairs: u32,
    equal: u32,
    triples: u32,
    straight: u32,
    edges: u32,
    sharp: u32,
    strong: u32,
    hard: u32,
}

impl Counts {
    fn add(&mut self, row: &[[u8; 3]]) {
        for pair in row.array_windows::<2>() {
            let apart = pair[0].iter().zip(pair[1]).map(|(a, b)| a.abs_diff(b)).max();
            self.equal += u32::from(apart.is_some_and(|apart| apart <= 2));
            self.pairs += 1;
        }
        // Luma of ITU-R BT.601 in 256ths.
        let luma = |&[red, green, blue]: &[u8; 3]| {
            (i32::from(red) * 77 + i32::from(green) * 150 + i32::from(blue) * 29) >> 8
        };
        let brightness: Vec<i32> = row.iter().map(luma).collect();
        for [a, b, c] in brightness.array_windows() {
            self.straight += u32::from(a + c == 2 * b);
            self.strong += u32::from((a - c).abs() >= 60);
            self.hard += u32::from((a - c).abs() >= 150);
            self.triples += 1;
        }
        for eight in brightness.array_windows::<8>() {
            let apart = |at: usize| (eight[at + 1] - eight[at]).abs();
            // Counted once, where its steepest step is in the middle.
            let steepest = apart(3) >= apart(2) && apart(3) >= apart(4);
            if steepest && (eight[5] - eight[2]).abs() >= 48 {
                self.edges += 1;
                self.sharp += u32::from([0, 1, 5, 6].iter().all(|&at| apart(at) <= 2));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(colour: impl Fn(usize, usize) -> [u8; 3]) -> Photo {
        let pixels = (0..120 * 160).flat_map(|at| colour(at % 160, at / 160)).collect();
        Photo::from_rgb(160, 120, pixels).expect("a photo")
    }

    /// Slopes of every colour with noise of a few levels.
    fn slopes() -> Photo {
        picture(|x, y| {
            let noise = (x * 7919 + y * 104_729) % 31 % 7;
            [x + noise, 2 * y + noise, (x + y) / 2 + noise].map(|level| level.min(255) as u8)
        })
    }

    /// Bars in three colours on white.
    fn chart() -> Photo {
        picture(|x, y| match x / 20 {
            bar if bar % 2 == 1 && y > 13 * bar => [[200, 30, 30], [30, 30, 200], [0; 3]][bar % 3],
            _ => [255; 3],
        })
    }

    #[test]
    fn every_measure_tells_a_chart_from_noisy_slopes() {
        let (photo, drawn) = (Measures::of(&slopes()), Measures::of(&chart()));
        assert!(photo.equal_neighbours < 0.55 && drawn.equal_neighbours > 0.90);
        assert!(photo.commonest < 0.35 && drawn.commonest > 0.6);
        assert!(photo.colours > 32.0 && drawn.colours <= 4.0);
        assert!(photo.noiseless < 0.5 && drawn.noiseless > 0.75);
        assert!(photo.sharp_edges < 0.1 && drawn.sharp_edges > 0.9);
        assert!(photo_score(&slopes(), None) > 0.9 && photo_score(&chart(), None) < 0.1);
    }

    #[test]
    fn a_photo_on_a_page_is_no_photograph_and_one_in_a_frame_is() {
        let photo = slopes();
        let seen = |x: usize, y: usize| {
            let at = 3 * (y * 160 + x);
            [photo.pixels()[at], photo.pixels()[at + 1], photo.pixels()[at + 2]]
        };
        let framed = picture(|x, y| if x < 150 && y > 15 { seen(x, y) } else { [255; 3] });
        assert_eq!(Measures::of(&framed).plain_lines, 0.0);
        assert!(photo_score(&framed, None) > 0.7);
        // Two pictures with the ground of a page between them.
        let page = picture(|x, y| match (x % 90 < 70, y > 20) {
            (true, true) => seen(x, y),
            _ => [255; 3],
        });
        assert!(photo_score(&page, None) < 0.1);
        // Stripes of black and white, as letters have them, over a fifth of the picture.
        let captioned = picture(|x, y| match (y > 95, x / 3 % 2) {
            (true, ink) => [250 * ink as u8; 3],
            (false, _) => seen(x, y),
        });
        assert!(photo_score(&captioned, None) < 0.1);
    }

    #[test]
    fn a_named_camera_halves_the_doubt() {
        let (without, with) = (photo_score(&chart(), None), photo_score(&chart(), Some("Canon")));
        assert!((1.0 - with - (1.0 - without) / 2.0).abs() < 1e-6, "{without} and {with}");
    }

    #[test]
    fn pictures_of_a_few_pixels_have_a_score() {
        for (width, height) in [(1, 1), (2, 1), (7, 3)] {
            let photo = Photo::from_rgb(width, height, vec![9; (3 * width * height) as usize]);
            assert!((0.0..=1.0).contains(&photo_score(&photo.expect("a photo"), None)));
        }
    }
}
