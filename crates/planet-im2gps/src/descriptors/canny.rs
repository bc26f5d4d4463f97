/// Edges of a picture (Canny 1986) with what follows from its gradient.
pub struct Edges {
    /// Whether each pixel is on an edge, `[height, width]`.
    pub edge: Vec<bool>,
    /// Gradient by the operator of Sobel, along x and y, `[height, width]`.
    pub gradient: Vec<[i32; 2]>,
}

/// Gradient from which a pixel begins an edge, and down to which it continues one: in steps of
/// the Sobel operator, whose greatest value along one axis is 1020.
const THRESHOLDS: [i32; 2] = [200, 100];

/// tan 22.5° in steps of 2⁻¹⁵.
const TAN_22: i64 = 13_573;

impl Edges {
    /// Of grey values `[height, width]`. The picture goes on at its border as its outermost
    /// pixels; the gradient beyond counts as zero.
    pub fn of(grey: &[u8], [height, width]: [usize; 2]) -> Self {
        let gradient = sobel(grey, [height, width]);
        let strength: Vec<i32> = gradient.iter().map(|[x, y]| x * x + y * y).collect();
        let at = |y: isize, x: isize| {
            let inside = 0 <= y && y < height as isize && 0 <= x && x < width as isize;
            if inside { strength[y as usize * width + x as usize] } else { 0 }
        };
        let [high, low] = THRESHOLDS.map(|threshold| threshold * threshold);
        let mut crest = vec![false; strength.len()];
        let mut edge = vec![false; strength.len()];
        let mut open = Vec::new();
        for place in 0..strength.len() {
            let (y, x) = ((place / width) as isize, (place % width) as isize);
            let own = strength[place];
            if own <= low || !is_crest(own, gradient[place], |dy, dx| at(y + dy, x + dx)) {
                continue;
            }
            crest[place] = true;
            if own > high {
                edge[place] = true;
                open.push(place);
            }
        }
        // Weak pixels belong to an edge where a strong one reaches them.
        while let Some(place) = open.pop() {
            for next in neighbours(place, [height, width]) {
                if crest[next] && !edge[next] {
                    edge[next] = true;
                    open.push(next);
                }
            }
        }
        Self { edge, gradient }
    }
}

/// Whether a pixel is the strongest one across its edge; `at` gives its neighbours' strength.
fn is_crest(own: i32, [x, y]: [i32; 2], at: impl Fn(isize, isize) -> i32) -> bool {
    let (across, along) = (i64::from(x.abs()), i64::from(y.abs()) << 15);
    let flat = across * TAN_22;
    if along < flat {
        return own > at(0, -1) && own >= at(0, 1);
    }
    // tan 67.5° is tan 22.5° and 2.
    if along > flat + (across << 16) {
        return own > at(-1, 0) && own >= at(1, 0);
    }
    let side = if (x ^ y) < 0 { -1 } else { 1 };
    own > at(-1, -side) && own > at(1, side)
}

fn sobel(grey: &[u8], [height, width]: [usize; 2]) -> Vec<[i32; 2]> {
    let mut gradient = Vec::with_capacity(grey.len());
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)];
        for x in 0..width {
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
            let at =
                |row: usize, column: usize| i32::from(grey[rows[row] * width + columns[column]]);
            let across = at(0, 2) - at(0, 0) + 2 * (at(1, 2) - at(1, 0)) + at(2, 2) - at(2, 0);
            let down = at(2, 0) - at(0, 0) + 2 * (at(2, 1) - at(0, 1)) + at(2, 2) - at(0, 2);
            gradient.push([across, down]);
        }
    }
    gradient
}

/// The up to eight pixels around one.
pub fn neighbours(
    place: usize,
    [height, width]: [usize; 2],
) -> impl Iterator<Item = usize> + use<> {
    let (y, x) = (place / width, place % width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
        .filter(move |next| *next != place)
}
