use crate::WorkingImage;

/// A picture divided into regions of alike pixels (Felzenszwalb and Huttenlocher, "Efficient
/// graph-based image segmentation", IJCV 2004).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// `[height, width]`: each pixel's region.
    pub regions: Vec<u32>,
    /// How many regions there are.
    pub count: usize,
}

/// Preference for large regions, in steps of 255 (scikit-image: `scale`).
const SCALE: f64 = 100.0;
/// Standard deviation of the smoothing before, in pixels.
const SIGMA: f64 = 0.8;
/// Fewest pixels of a region; smaller ones join a neighbour.
const SMALLEST: u32 = 30;

/// Two neighbouring pixels and how much they differ.
struct Edge {
    difference: f64,
    pixels: [u32; 2],
}

impl Segments {
    /// Divides a picture.
    pub fn of(image: &WorkingImage) -> Self {
        let size = [image.height(), image.width()];
        let mut edges = edges(&smoothed(image), size);
        edges.sort_by(|a, b| a.difference.total_cmp(&b.difference));
        let mut forest = Forest::new(size[0] * size[1]);
        for Edge { difference, pixels } in &edges {
            let [a, b] = pixels.map(|pixel| forest.root(pixel));
            // Regions join where the difference between them is not above that within either.
            if a != b && *difference < forest.tolerance(a).min(forest.tolerance(b)) {
                let joined = forest.join(a, b);
                forest.inner[joined as usize] = *difference;
            }
        }
        for Edge { pixels, .. } in &edges {
            let [a, b] = pixels.map(|pixel| forest.root(pixel));
            if a != b && forest.size[a as usize].min(forest.size[b as usize]) < SMALLEST {
                forest.join(a, b);
            }
        }
        forest.numbered()
    }
}

/// Regions as trees of pixels.
struct Forest {
    parent: Vec<u32>,
    /// Pixels of a root's region.
    size: Vec<u32>,
    /// Greatest difference within a root's region.
    inner: Vec<f64>,
}

impl Forest {
    fn new(pixels: usize) -> Self {
        let parent = (0..pixels as u32).collect();
        Self { parent, size: vec![1; pixels], inner: vec![0.0; pixels] }
    }

    fn root(&mut self, mut pixel: u32) -> u32 {
        while self.parent[pixel as usize] != pixel {
            let above = self.parent[self.parent[pixel as usize] as usize];
            self.parent[pixel as usize] = above;
            pixel = above;
        }
        pixel
    }

    fn tolerance(&self, root: u32) -> f64 {
        self.inner[root as usize] + SCALE / 255.0 / f64::from(self.size[root as usize])
    }

    /// Joins two roots; gives the one that stays.
    fn join(&mut self, a: u32, b: u32) -> u32 {
        let [large, small] =
            if self.size[a as usize] >= self.size[b as usize] { [a, b] } else { [b, a] };
        self.parent[small as usize] = large;
        self.size[large as usize] += self.size[small as usize];
        large
    }

    fn numbered(mut self) -> Segments {
        let mut numbers = vec![u32::MAX; self.parent.len()];
        let mut count = 0;
        let pixels = 0..self.parent.len() as u32;
        let regions = pixels.map(|pixel| {
            let number = &mut numbers[self.root(pixel) as usize];
            if *number == u32::MAX {
                *number = count;
                count += 1;
            }
            *number
        });
        let regions = regions.collect();
        Segments { regions, count: count as usize }
    }
}

/// Differences in colour between all pixels that touch, corners included: right, below, below
/// right, above right.
fn edges(colours: &[[f64; 3]], [height, width]: [usize; 2]) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(4 * colours.len());
    for y in 0..height {
        for x in 0..width {
            let own = y * width + x;
            let (right, below, above) = (x + 1 < width, y + 1 < height, y > 0);
            let others = [
                right.then_some(own + 1),
                below.then_some(own + width),
                (right && below).then_some(own + width + 1),
                (right && above).then(|| own + 1 - width),
            ];
            for other in others.into_iter().flatten() {
                let square = |(a, b): (f64, f64)| (a - b) * (a - b);
                let pairs = colours[own].into_iter().zip(colours[other]);
                let difference = pairs.map(square).sum::<f64>().sqrt();
                edges.push(Edge { difference, pixels: [own as u32, other as u32] });
            }
        }
    }
    edges
}

/// RGB, 0..=1, smoothed by a Gaussian that is cut off at four deviations; mirrored at the border.
fn smoothed(image: &WorkingImage) -> Vec<[f64; 3]> {
    let reach = (4.0 * SIGMA + 0.5) as i64;
    let weight = |at: i64| (-0.5 * (at as f64 / SIGMA).powi(2)).exp();
    let sum: f64 = (-reach..=reach).map(weight).sum();
    let kernel: Vec<(i64, f64)> = (-reach..=reach).map(|at| (at, weight(at) / sum)).collect();
    let mirrored = |at: i64, side: usize| {
        let at = at.rem_euclid(2 * side as i64) as usize;
        if at < side { at } else { 2 * side - 1 - at }
    };
    let (height, width) = (image.height(), image.width());
    let colours: Vec<[f64; 3]> =
        image.rgb().iter().map(|pixel| pixel.map(|value| f64::from(value) / 255.0)).collect();
    let pass = |colours: &[[f64; 3]], place: &dyn Fn(usize, i64) -> usize| {
        let blurred = |pixel: usize| {
            kernel.iter().fold([0.0; 3], |sum, (at, weight)| {
                let other = colours[place(pixel, *at)];
                std::array::from_fn(|channel| sum[channel] + weight * other[channel])
            })
        };
        (0..colours.len()).map(blurred).collect::<Vec<[f64; 3]>>()
    };
    let down = pass(&colours, &|pixel, at| {
        mirrored((pixel / width) as i64 + at, height) * width + pixel % width
    });
    pass(&down, &|pixel, at| pixel / width * width + mirrored((pixel % width) as i64 + at, width))
}
