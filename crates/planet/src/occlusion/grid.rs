use planet_data::PixelBox;

/// The squares of one photo, row by row: evenly from one edge to the other, so that all have the
/// same size and the distance between two is at most the stride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// First row of each row of boxes.
    pub tops: Vec<u32>,
    /// First column of each column of boxes.
    pub lefts: Vec<u32>,
    /// Height of a box: the side, or the photo's if that is less.
    pub height: u32,
    /// Width of a box.
    pub width: u32,
}

impl Grid {
    /// The boxes of a photo of `[height, width]` pixels; side and stride are shares of its longer
    /// side, at least a pixel.
    pub fn new(photo: [u32; 2], side: f64, stride: f64) -> Self {
        let longer = f64::from(photo[0].max(photo[1]));
        let pixels = |share: f64| ((share * longer).round() as u32).max(1);
        let (side, stride) = (pixels(side), pixels(stride));
        let [height, width] = photo.map(|length| side.min(length));
        let begins = |length: u32, side: u32| {
            let room = length - side;
            let steps = room.div_ceil(stride);
            let begin = |step: u32| {
                let (step, steps, room) =
                    (u64::from(step), u64::from(steps.max(1)), u64::from(room));
                ((step * room + steps / 2) / steps) as u32
            };
            (0..=steps).map(begin).collect()
        };
        Self { tops: begins(photo[0], height), lefts: begins(photo[1], width), height, width }
    }

    /// How many boxes there are.
    pub fn boxes(&self) -> usize {
        self.tops.len() * self.lefts.len()
    }

    /// The box of a number.
    pub fn at(&self, number: usize) -> PixelBox {
        let (row, column) = (number / self.lefts.len(), number % self.lefts.len());
        let (top, left) = (self.tops[row], self.lefts[column]);
        PixelBox { left, top, width: self.width, height: self.height }
    }

    /// All boxes in order.
    pub fn all(&self) -> impl Iterator<Item = PixelBox> {
        (0..self.boxes()).map(|number| self.at(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::occlusion::{OcclusionOptions, Search, passes};

    #[test]
    fn boxes_reach_from_edge_to_edge_and_leave_no_gap() {
        for photo in [[480, 640], [640, 480], [7, 900], [1, 1], [3, 2], [3000, 4000]] {
            let grid = Grid::new(photo, 0.2, 0.07);
            let stride = ((0.07 * f64::from(photo[0].max(photo[1]))).round() as u32).max(1);
            for (begins, side, length) in
                [(&grid.tops, grid.height, photo[0]), (&grid.lefts, grid.width, photo[1])]
            {
                assert_eq!((begins[0], begins[begins.len() - 1] + side), (0, length), "{photo:?}");
                assert!(
                    begins.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= stride)
                );
            }
        }
    }

    #[test]
    fn the_default_costs_at_most_two_hundred_passes_and_half_of_them_coarse_to_fine() {
        let options = OcclusionOptions::default();
        assert_eq!(passes(&options, [1000, 1000]), 170);
        assert_eq!(passes(&options, [750, 1000]), 118);
        let halved = OcclusionOptions { search: Search::CoarseToFine, ..options };
        assert_eq!(passes(&halved, [1000, 1000]), 85);
    }

    #[test]
    fn a_photo_smaller_than_the_box_is_hidden_over_its_whole_breadth() {
        let grid = Grid::new([40, 1000], 0.2, 0.1);
        assert_eq!((grid.height, grid.width, grid.tops.len()), (40, 200, 1));
        assert_eq!(Grid::new([5, 5], 1.0, 1.0).boxes(), 1);
    }
}
