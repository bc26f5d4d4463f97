use planet_data::Photo;

/// A rectangle of a photo in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// Side of a crop of 4/9 of the area.
const TWO_THIRDS: f64 = 2.0 / 3.0;

/// Patches of levels 1 to `levels`: level i has i² of equal size that together cover the photo,
/// each 2 / (i + 1) of either side so that neighbours share a half. Of each the smallest square
/// that holds it is taken, moved inside the photo; where the photo is narrower than the square,
/// its whole breadth.
pub(super) fn patches(photo: &Photo, levels: usize) -> Vec<Photo> {
    let [width, height] = [photo.width(), photo.height()];
    let mut patches = Vec::new();
    for level in 1..=levels as u32 {
        let share = |side: u32| (2 * side).div_ceil(level + 1).clamp(1, side);
        let [w, h] = [share(width), share(height)];
        let start = |side: u32, part: u32, at: u32| match level {
            1 => 0,
            _ => (u64::from(side - part) * u64::from(at) / u64::from(level - 1)) as u32,
        };
        for row in 0..level {
            for column in 0..level {
                let (left, top) = (start(width, w, column), start(height, h, row));
                let patch = Part { left, top, width: w, height: h };
                patches.push(cut(photo, square(patch, width, height)));
            }
        }
    }
    patches
}

/// The 16 views: the photo, its corners and middle of 4/9 of the area, the photo turned either way,
/// and the mirror images of all eight.
pub(super) fn sixteen(photo: &Photo, degrees: f32) -> Vec<Photo> {
    let [width, height] = [photo.width(), photo.height()];
    let [w, h] = [width, height].map(|side| ((f64::from(side) * TWO_THIRDS).round() as u32).max(1));
    let (right, below) = (width - w, height - h);
    let corners = [(0, 0), (right, 0), (0, below), (right, below), (right / 2, below / 2)];
    let mut views = vec![photo.clone()];
    let part = |(left, top)| Part { left, top, width: w, height: h };
    views.extend(corners.map(|corner| cut(photo, part(corner))));
    views.extend([degrees, -degrees].map(|degrees| turned(photo, degrees)));
    let mirrored: Vec<Photo> = views.iter().map(mirrored).collect();
    views.extend(mirrored);
    views
}

/// The photo and its mirror image.
pub(super) fn with_mirror_image(photo: Photo) -> Vec<Photo> {
    let mirror_image = mirrored(&photo);
    vec![photo, mirror_image]
}

/// The photo turned by quarters, clockwise.
pub(super) fn quarters(photo: &Photo, turns: u8) -> Photo {
    let (mut photo, mut left) = (photo.clone(), turns % 4);
    while left > 0 {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let pixel = |at: usize| {
            let (y, x) = (at / height, at % height);
            (height - 1 - x) * width + y
        };
        photo = drawn(height as u32, width as u32, |at| colour(&photo, pixel(at)));
        left -= 1;
    }
    photo
}

/// The smallest square that holds a part, moved inside the photo.
fn square(part: Part, width: u32, height: u32) -> Part {
    let side = part.width.max(part.height);
    let [w, h] = [side.min(width), side.min(height)];
    let moved = |start: u32, own: u32, side: u32, room: u32| {
        (start + own / 2).saturating_sub(side / 2).min(room - side)
    };
    Part {
        left: moved(part.left, part.width, w, width),
        top: moved(part.top, part.height, h, height),
        width: w,
        height: h,
    }
}

fn cut(photo: &Photo, part: Part) -> Photo {
    let Part { left, top, width, height } = part;
    let (wide, left, top) = (photo.width() as usize, left as usize, top as usize);
    drawn(width, height, |at| {
        let (y, x) = (at / width as usize, at % width as usize);
        colour(photo, (top + y) * wide + left + x)
    })
}

fn mirrored(photo: &Photo) -> Photo {
    let width = photo.width() as usize;
    drawn(photo.width(), photo.height(), |at| {
        let (y, x) = (at / width, at % width);
        colour(photo, y * width + width - 1 - x)
    })
}

/// Turned about its middle, clockwise, in a frame of the same size; what lies outside shows the
/// nearest edge.
fn turned(photo: &Photo, degrees: f32) -> Photo {
    let (sine, cosine) = f64::from(degrees).to_radians().sin_cos();
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let [middle_x, middle_y] = [width, height].map(|side| (side as f64 - 1.0) / 2.0);
    drawn(photo.width(), photo.height(), |at| {
        let [x, y] = [(at % width) as f64 - middle_x, (at / width) as f64 - middle_y];
        let [x, y] = [cosine * x + sine * y + middle_x, cosine * y - sine * x + middle_y];
        between(photo, x.clamp(0.0, 2.0 * middle_x), y.clamp(0.0, 2.0 * middle_y))
    })
}

/// The colour between four pixels.
fn between(photo: &Photo, x: f64, y: f64) -> [u8; 3] {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let (left, top) = (x as usize, y as usize);
    let (right, below) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (across, down) = (x - left as f64, y - top as f64);
    let of = |x: usize, y: usize| colour(photo, y * width + x).map(f64::from);
    let corners = [of(left, top), of(right, top), of(left, below), of(right, below)];
    std::array::from_fn(|channel| {
        let [a, b, c, d] = corners.map(|corner| corner[channel]);
        let (above, under) = (a + (b - a) * across, c + (d - c) * across);
        (above + (under - above) * down).round() as u8
    })
}

fn colour(photo: &Photo, pixel: usize) -> [u8; 3] {
    let [red, green, blue] = photo.pixels()[3 * pixel..][..3] else {
        unreachable!("three bytes were taken")
    };
    [red, green, blue]
}

fn drawn(width: u32, height: u32, colour: impl Fn(usize) -> [u8; 3]) -> Photo {
    let count = width as usize * height as usize;
    let mut pixels = Vec::with_capacity(3 * count);
    (0..count).for_each(|at| pixels.extend(colour(at)));
    Photo::from_rgb(width, height, pixels).expect("three bytes were drawn for every pixel")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pixel says where it is.
    fn photo(width: u32, height: u32) -> Photo {
        drawn(width, height, |at| [(at % width as usize) as u8, (at / width as usize) as u8, 0])
    }

    fn corner(photo: &Photo) -> [u8; 2] {
        let [x, y, _] = colour(photo, 0);
        [x, y]
    }

    #[test]
    fn patches_are_squares_inside_the_photo_and_reach_its_corners() {
        let photo = photo(90, 60);
        let patches = patches(&photo, 3);
        assert_eq!(patches.len(), 14);
        // The whole photo is narrower than its square.
        assert_eq!((patches[0].width(), patches[0].height()), (90, 60));
        assert!(patches[1..].iter().all(|it| it.width() == it.height()));
        // Level 2 has sides of 60, level 3 of 45.
        assert_eq!(patches[1].width(), 60);
        assert_eq!(patches[5].width(), 45);
        assert_eq!(corner(&patches[5]), [0, 0]);
        assert_eq!(corner(&patches[13]), [45, 15]);
    }

    #[test]
    fn sixteen_views_are_the_photo_crops_turns_and_mirror_images() {
        let photo = photo(90, 60);
        let views = sixteen(&photo, 10.0);
        assert_eq!(views.len(), 16);
        assert_eq!(views[0], photo);
        assert_eq!((views[4].width(), views[4].height()), (60, 40));
        assert_eq!(corner(&views[4]), [30, 20]);
        assert_eq!(corner(&views[8]), [89, 0]);
        assert_eq!(with_mirror_image(photo.clone()), [views[0].clone(), views[8].clone()]);
        // Turned there and back, the middle stays.
        let middle = 30 * 90 + 45;
        assert_eq!(colour(&views[6], middle)[0].abs_diff(45), 0);
        assert_eq!(turned(&photo, 0.0), photo);
    }

    #[test]
    fn a_quarter_turn_clockwise_brings_the_lower_left_corner_up() {
        let turned = quarters(&photo(4, 3), 1);
        assert_eq!((turned.width(), turned.height()), (3, 4));
        assert_eq!(corner(&turned), [0, 2]);
        assert_eq!(quarters(&photo(4, 3), 4), photo(4, 3));
        assert_eq!(quarters(&quarters(&photo(4, 3), 3), 1), photo(4, 3));
    }

    #[test]
    fn photos_of_one_pixel_have_all_their_views() {
        assert_eq!(sixteen(&photo(1, 1), 10.0).len(), 16);
        assert_eq!(patches(&photo(1, 1), 4).len(), 30);
    }
}
