use super::Fit;

/// A rectangle of a photo in pixels, which need not be whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Which part of the photo goes to which part of the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placement {
    /// The part of the photo that is seen.
    pub(super) window: Window,
    /// Its height and width in the input.
    pub(super) size: [usize; 2],
    /// Row and column of the input where it begins.
    pub(super) offset: [usize; 2],
}

impl Placement {
    /// Places a photo of `[height, width]` into an input of `[height, width]`.
    pub(super) fn new(fit: Fit, photo: [u32; 2], input: [usize; 2]) -> Self {
        match fit {
            Fit::Squash => Self { window: whole(photo), size: input, offset: [0, 0] },
            Fit::CentreCrop { share } => centre_crop(f64::from(share), photo, input),
            Fit::SquashCrop { share } => squash_crop(f64::from(share), photo, input),
            Fit::Letterbox => letterbox(photo, input),
        }
    }
}

fn whole([height, width]: [u32; 2]) -> Window {
    Window { left: 0.0, top: 0.0, width: f64::from(width), height: f64::from(height) }
}

/// Resizes so that the shorter side is `input / share`, then cuts. Both at once: the window is
/// what the cut would keep, so that only its pixels are computed. Sizes are rounded down and
/// margins to even as torchvision 0.2x does.
fn centre_crop(share: f64, photo: [u32; 2], input: [usize; 2]) -> Placement {
    let photo = photo.map(f64::from);
    let target = input.map(|side| (side as f64 / share).floor());
    let resized = if target[0] / photo[0] >= target[1] / photo[1] {
        [target[0], (target[0] * photo[1] / photo[0]).floor().max(target[1])]
    } else {
        [(target[1] * photo[0] / photo[1]).floor().max(target[0]), target[1]]
    };
    let along = |axis: usize| {
        let step = photo[axis] / resized[axis];
        let margin = ((resized[axis] - input[axis] as f64) / 2.0).round_ties_even();
        (margin * step, input[axis] as f64 * step)
    };
    let ((top, height), (left, width)) = (along(0), along(1));
    Placement { window: Window { left, top, width, height }, size: input, offset: [0, 0] }
}

/// Resizes each side to `input / share`, then cuts, both at once. Sizes and margins are whole pixels of
/// the resized photo.
fn squash_crop(share: f64, photo: [u32; 2], input: [usize; 2]) -> Placement {
    let along = |axis: usize| {
        let kept = input[axis] as f64;
        let resized = (kept / share).round();
        let step = f64::from(photo[axis]) / resized;
        (((resized - kept) / 2.0).floor() * step, kept * step)
    };
    let ((top, height), (left, width)) = (along(0), along(1));
    Placement { window: Window { left, top, width, height }, size: input, offset: [0, 0] }
}

/// Resizes to fit within, keeping the shape, and puts it into the middle, as Pillow's
/// `ImageOps.pad` does.
fn letterbox(photo: [u32; 2], input: [usize; 2]) -> Placement {
    let [height, width] = photo.map(f64::from);
    let [rows, columns] = input.map(|side| side as f64);
    let size = if width / height > columns / rows {
        [(height / width * columns).round_ties_even().max(1.0) as usize, input[1]]
    } else {
        [input[0], (width / height * rows).round_ties_even().max(1.0) as usize]
    };
    let offset =
        [0, 1].map(|axis| ((input[axis] - size[axis]) as f64 * 0.5).round_ties_even() as usize);
    Placement { window: whole(photo), size, offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centre_crop_keeps_the_middle_of_the_longer_side() {
        let placed = Placement::new(Fit::CentreCrop { share: 1.0 }, [100, 200], [50, 50]);
        let middle = Window { left: 50.0, top: 0.0, width: 100.0, height: 100.0 };
        assert_eq!(placed.window, middle);
        assert_eq!(placed.size, [50, 50]);
    }

    #[test]
    fn a_crop_of_a_squashed_photo_is_the_same_share_of_both_sides() {
        let fit = Fit::SquashCrop { share: 0.875 };
        let placed = Placement::new(fit, [256, 512], [224, 224]);
        let middle = Window { left: 32.0, top: 16.0, width: 448.0, height: 224.0 };
        assert_eq!((placed.window, placed.size), (middle, [224, 224]));
        let whole = Placement::new(Fit::SquashCrop { share: 1.0 }, [256, 512], [224, 224]);
        assert_eq!(whole, Placement::new(Fit::Squash, [256, 512], [224, 224]));
    }

    #[test]
    fn a_letterbox_leaves_equal_bands() {
        let placed = Placement::new(Fit::Letterbox, [100, 200], [50, 50]);
        assert_eq!((placed.size, placed.offset), ([25, 50], [12, 0]));
        let thin = Placement::new(Fit::Letterbox, [1, 10_000], [50, 50]);
        assert_eq!(thin.size, [1, 50]);
    }
}
