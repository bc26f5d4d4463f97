/// One of the eight ways in which a picture can be mirrored and turned by quarters: a place in
/// [`MATRICES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(usize);

/// (x, y) goes to ([0][0] x + [0][1] y, [1][0] x + [1][1] y).
const MATRICES: [[[i32; 2]; 2]; 8] = [
    [[1, 0], [0, 1]],
    [[-1, 0], [0, 1]],
    [[0, -1], [1, 0]],
    [[-1, 0], [0, -1]],
    [[0, 1], [-1, 0]],
    [[1, 0], [0, -1]],
    [[0, 1], [1, 0]],
    [[0, -1], [-1, 0]],
];

impl Orientation {
    /// All of them; the first leaves the picture as it is.
    pub(super) const ALL: [Self; 8] =
        [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5), Self(6), Self(7)];

    /// Where a vector goes.
    pub(super) fn apply(self, [x, y]: [i32; 2]) -> [i32; 2] {
        MATRICES[self.0].map(|[of_x, of_y]| of_x * x + of_y * y)
    }

    /// What this one after `first` is together.
    fn after(self, first: Self) -> Self {
        let is_both = |it: &Self| {
            [[1, 0], [0, 1]].iter().all(|unit| it.apply(*unit) == self.apply(first.apply(*unit)))
        };
        Self::ALL.into_iter().find(is_both).expect("the eight are a group")
    }

    /// What takes it back.
    pub(super) fn inverse(self) -> Self {
        let back = |it: &Self| it.after(self) == Self(0);
        Self::ALL.into_iter().find(back).expect("the eight are a group")
    }

    /// For each orientation g the number of the one that is this one's inverse after g: where the
    /// descriptor of a changed picture finds its bits in that of the picture. What is compared at
    /// g(p) of the changed picture lies at inverse(g(p)) of the picture.
    pub(super) fn sources(self) -> [usize; 8] {
        let back = self.inverse();
        Self::ALL.map(|it| back.after(it).0)
    }

    /// Where a point of a picture of this size goes in the changed picture.
    pub(super) fn point(self, [x, y]: [f32; 2], [width, height]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (x - width / 2.0, y - height / 2.0);
        let [wide, high] = self.size([width, height]);
        let [[xx, xy], [yx, yy]] = MATRICES[self.0].map(|row| row.map(|it| it as f32));
        [xx * x + xy * y + wide / 2.0, yx * x + yy * y + high / 2.0]
    }

    /// Width and height of the changed picture.
    pub(super) fn size(self, [width, height]: [f32; 2]) -> [f32; 2] {
        if MATRICES[self.0][0][0] == 0 { [height, width] } else { [width, height] }
    }
}
