use crate::plain_lines::{Row, without_borders};

/// Pixels that are looked at along either axis; larger pictures are thinned out along the lines.
const MOST_PIXELS: usize = 1 << 20;
/// Greatest difference, in levels of a channel, of neighbours of one colour.
const SAME: u8 = 2;
/// Least difference, in levels of a channel, across a seam.
const STEP: u8 = 12;
/// Shorter runs are chance: as a share of the line, and in pixels.
const LEAST_SHARE: f32 = 0.04;
const LEAST_PIXELS: usize = 8;
/// Darker and lighter channels than these are those of what is under- or overexposed.
const EXPOSED: std::ops::RangeInclusive<u8> = 13..=244;

/// Least share of a step that is over within one pixel, where the step is crisp.
const CRISP: f32 = 0.7;
/// Lines along the sides that are not looked at: JPEG scatters pixels round a border that was cut off. As a
/// share of the lines, and in pixels.
const MARGIN_SHARE: f32 = 0.02;
const MARGIN_PIXELS: usize = 17;

/// Straight edges along rows and columns with one colour on one side: where a program has put a picture
/// beside another, a frame, a bar or an icon. Edges that a lens draws are hardly ever exactly along a line of
/// pixels, but for short ones, as of windows. Borders round the whole picture do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Seams {
    /// Length of the longest one, as a share of its row or column, 0..=1.
    pub(crate) longest: f32,
    /// Sum of these shares, of crisp seams whose one colour is neither nearly black nor nearly white. A lens
    /// spreads an edge over several pixels.
    pub(crate) crisp: f32,
}

impl Seams {
    /// The seams of a picture.
    pub(crate) fn of(pixels: &[[u8; 3]], width: usize) -> Self {
        let step = pixels.len().div_ceil(MOST_PIXELS).max(1);
        let mut seams = Self::default();
        // Shorter lines have no run that counts, and a picture of one row may have a hundred million of them.
        let is_long = |length: usize| length / step >= LEAST_PIXELS;
        if is_long(width) {
            let rows = pixels.chunks_exact(width);
            let thin = |row: &[[u8; 3]]| row.iter().step_by(step).copied().collect();
            seams.add_picture(&rows.map(thin).collect::<Vec<_>>());
        }
        let height = pixels.len() / width;
        if is_long(height) {
            let mut columns = vec![Vec::with_capacity(height / step + 1); width];
            for row in pixels.chunks_exact(width).step_by(step) {
                columns.iter_mut().zip(row).for_each(|(column, pixel)| column.push(*pixel));
            }
            seams.add_picture(&columns);
        }
        seams
    }

    /// Adds the seams along the lines of a picture.
    fn add_picture(&mut self, lines: &[Vec<[u8; 3]>]) {
        self.add_lines(&without_borders(lines.iter().map(Vec::as_slice).collect()));
    }

    /// Adds the seams between lines that lie side by side.
    fn add_lines(&mut self, lines: &[Row<'_>]) {
        let margin = MARGIN_PIXELS.max((MARGIN_SHARE * lines.len() as f32) as usize);
        let Some(inner) = lines.get(margin..lines.len().saturating_sub(margin)) else { return };
        for &[before, first, second, after] in inner.array_windows() {
            self.add_line([before, first, second, after]);
            self.add_line([after, second, first, before]);
        }
    }

    /// Adds the runs of one colour in the second of four lines beside which the third one differs.
    fn add_line(&mut self, [before, line, other, beyond]: [Row<'_>; 4]) {
        let (mut run, mut crisp) = (0, 0);
        for at in 1..line.len() {
            let (last, pixel) = (&line[at - 1], &line[at]);
            let step = difference(pixel, &other[at]);
            if step >= STEP && difference(last, pixel) <= SAME {
                run += 1;
                let is_flat = difference(&before[at], pixel) <= 2 * SAME;
                let whole = difference(pixel, &beyond[at]);
                let is_crisp = is_flat && f32::from(step) >= CRISP * f32::from(whole);
                if is_crisp {
                    crisp += 1;
                    continue;
                }
            } else {
                self.add_run(run, line.len());
                run = 0;
            }
            self.add_crisp(crisp, line.len(), last);
            crisp = 0;
        }
        self.add_run(run, line.len());
        if let Some(last) = line.last() {
            self.add_crisp(crisp, line.len(), last);
        }
    }

    fn add_run(&mut self, run: usize, length: usize) {
        self.longest = self.longest.max(share(run, length));
    }

    fn add_crisp(&mut self, run: usize, length: usize, colour: &[u8; 3]) {
        let [darkest, lightest] = [colour.iter().min(), colour.iter().max()];
        let is_black = lightest.is_none_or(|it| it < EXPOSED.start());
        let is_white = darkest.is_none_or(|it| it > EXPOSED.end());
        self.crisp += if is_black || is_white { 0.0 } else { share(run, length) };
    }
}

/// A run as a share of its line, 0 where it is too short.
fn share(run: usize, length: usize) -> f32 {
    let share = run as f32 / length.max(1) as f32;
    if run >= LEAST_PIXELS && share >= LEAST_SHARE { share } else { 0.0 }
}

fn difference(a: &[u8; 3], b: &[u8; 3]) -> u8 {
    a[0].abs_diff(b[0]).max(a[1].abs_diff(b[1])).max(a[2].abs_diff(b[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 160 × 120 pixels.
    fn seams(colour: impl Fn(usize, usize) -> [u8; 3]) -> Seams {
        let pixels: Vec<_> = (0..120 * 160).map(|at| colour(at % 160, at / 160)).collect();
        Seams::of(&pixels, 160)
    }

    /// Every pixel differs from its neighbours by a few levels.
    fn noise(x: usize, y: usize) -> [u8; 3] {
        [(4 * ((x + 2 * y) % 5)) as u8, 90, 120]
    }

    #[test]
    fn a_box_has_four_seams_and_noise_and_slopes_have_none() {
        assert_eq!(seams(noise), Seams::default());
        assert_eq!(seams(|x, y| [(x + y / 2) as u8, x as u8, 9]), Seams::default());
        let grey = seams(|x, y| match (x, y) {
            (40..120, 30..60) => [128; 3],
            _ => noise(x, y),
        });
        assert!((grey.longest - 79.0 / 160.0).abs() < 1e-6, "{grey:?}");
        assert!((grey.crisp - 2.0 * (79.0 / 160.0 + 29.0 / 120.0)).abs() < 0.02, "{grey:?}");
        let white = seams(|x, y| match (x, y) {
            (40..120, 30..60) => [255; 3],
            _ => noise(x, y),
        });
        assert_eq!(white, Seams { crisp: 0.0, ..grey });
        // Half of the step comes a pixel later, as behind a lens.
        let soft = seams(|x, y| match (x, y) {
            (41..119, 31..59) => [128; 3],
            (40..120, 30..60) => [60, 109, 124],
            _ => noise(x, y),
        });
        assert!(soft.longest > 0.4 && soft.crisp < 0.5 * grey.crisp, "{soft:?}");
    }

    #[test]
    fn borders_round_the_picture_and_small_pictures_have_no_seams() {
        let framed = seams(|x, y| match (x, y) {
            (10..150, 10..110) => noise(x, y),
            _ => [200; 3],
        });
        assert_eq!(framed, Seams::default());
        for (width, height) in [(1, 1), (7, 1), (1, 7), (3, 3), (20_000_000, 1), (1, 20_000_000)] {
            assert_eq!(Seams::of(&vec![[9; 3]; width * height], width), Seams::default());
        }
    }

    #[test]
    fn large_pictures_are_thinned_out_along_the_lines() {
        let (width, height) = (3000, 2000);
        let colour = |at: usize| match (at % width, at / width) {
            (600..2400, 500..1500) => [100, 150, 200],
            (x, y) => noise(x, y),
        };
        let pixels: Vec<_> = (0..width * height).map(colour).collect();
        let seams = Seams::of(&pixels, width);
        assert!((seams.longest - 0.6).abs() < 0.01, "{seams:?}");
        assert!((seams.crisp - 2.0 * (0.6 + 0.5)).abs() < 0.05, "{seams:?}");
    }
}
