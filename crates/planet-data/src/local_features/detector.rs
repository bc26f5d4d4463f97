use super::grey::Grey;

/// Half the side of the window over which gradients are summed, in pixels.
const WINDOW: usize = 2;
/// Least distance of two corners along either axis, in pixels.
const APART: usize = 4;
/// Corners are spread: of so many cells a side, none has more than thrice its share.
const CELLS: usize = 6;
const MOST_OF_CELL: usize = 3;
/// Corners weaker than this share of the strongest are noise.
const WEAKEST: f32 = 0.001;

/// The strongest corners of a picture, `[x, y]`, at most `count`, none nearer than `margin` to an
/// edge: where the lesser eigenvalue of the gradients' covariance is greatest (Shi and Tomasi 1994).
pub(super) fn corners(picture: &Grey, count: usize, margin: usize) -> Vec<[usize; 2]> {
    let Grey { width, height, ref pixels } = *picture;
    let margin = margin.max(WINDOW + 2);
    if width <= 2 * margin || height <= 2 * margin {
        return Vec::new();
    }
    let strength = strengths(pixels, width, height);
    let mut found: Vec<(f32, [usize; 2])> = Vec::new();
    for y in margin..height - margin {
        for x in margin..width - margin {
            let own = strength[y * width + x];
            let mut around = (y - 1..=y + 1).flat_map(|y| &strength[y * width + x - 1..][..3]);
            if own > 0.0 && around.all(|it| *it <= own) {
                found.push((own, [x, y]));
            }
        }
    }
    found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let least = found.first().map_or(0.0, |(most, _)| most * WEAKEST);
    let mut taken = vec![false; width * height];
    let mut of_cell = [[0; CELLS]; CELLS];
    let most = (count * MOST_OF_CELL).div_ceil(CELLS * CELLS);
    let mut corners = Vec::with_capacity(count);
    for (_, [x, y]) in found.into_iter().take_while(|(it, _)| *it >= least) {
        if corners.len() == count {
            break;
        }
        let in_cell = &mut of_cell[y * CELLS / height][x * CELLS / width];
        if taken[y * width + x] || *in_cell == most {
            continue;
        }
        *in_cell += 1;
        corners.push([x, y]);
        for y in y.saturating_sub(APART)..(y + APART + 1).min(height) {
            taken[y * width..][x.saturating_sub(APART)..(x + APART + 1).min(width)].fill(true);
        }
    }
    corners
}

/// The lesser eigenvalue at every pixel, 0 along the edges.
fn strengths(pixels: &[u8], width: usize, height: usize) -> Vec<f32> {
    let mut products = vec![[0.0_f32; 3]; width * height];
    let value = |at: usize| f32::from(pixels[at]);
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let at = y * width + x;
            let dx = value(at + 1) - value(at - 1);
            let dy = value(at + width) - value(at - width);
            products[at] = [dx * dx, dx * dy, dy * dy];
        }
    }
    let rows = summed(&products, width, height, 1, width);
    let sums = summed(&rows, width, height, width, 1);
    let lesser = |[xx, xy, yy]: &[f32; 3]| {
        let (half, apart) = ((xx + yy) / 2.0, (xx - yy) / 2.0);
        half - (apart * apart + xy * xy).sqrt()
    };
    sums.iter().map(lesser).collect()
}

/// Sums over [`WINDOW`] neighbours on both sides along one axis: `step` to the next of a line,
/// `line` to the next line.
fn summed(
    values: &[[f32; 3]],
    width: usize,
    height: usize,
    step: usize,
    line: usize,
) -> Vec<[f32; 3]> {
    let (length, lines) = if step == 1 { (width, height) } else { (height, width) };
    let mut sums = vec![[0.0; 3]; values.len()];
    for start in (0..lines).map(|it| it * line) {
        for at in WINDOW..length.saturating_sub(WINDOW) {
            let around = (at - WINDOW..=at + WINDOW).map(|it| values[start + it * step]);
            sums[start + at * step] =
                around.fold([0.0; 3], |sum, it| [sum[0] + it[0], sum[1] + it[1], sum[2] + it[2]]);
        }
    }
    sums
}
