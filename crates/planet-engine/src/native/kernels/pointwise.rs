use super::{Curve, Source, Target, Workers, arch};

/// A factor and a term for each channel.
#[derive(Debug)]
pub(in crate::native) struct Affine {
    pub(in crate::native) scale: Vec<f32>,
    pub(in crate::native) shift: Vec<f32>,
    pub(in crate::native) curve: Curve,
}

impl Affine {
    pub(in crate::native) fn run(&self, from: Source<'_>, to: Target<'_>, workers: &Workers) {
        each(to, workers, |pixel, to| {
            let factors = self.scale.iter().zip(&self.shift);
            for ((to, x), (scale, shift)) in to.iter_mut().zip(from.pixel(pixel)).zip(factors) {
                *to = self.curve.of(x.mul_add(*scale, *shift));
            }
        });
    }
}

/// A function of each number.
pub(in crate::native) fn curve(curve: Curve, from: Source<'_>, to: Target<'_>, workers: &Workers) {
    each(to, workers, |pixel, to| {
        to.iter_mut().zip(from.pixel(pixel)).for_each(|(to, x)| *to = curve.of(*x));
    });
}

/// A function of the sums of two images.
pub(in crate::native) fn add(
    curve: Curve,
    [a, b]: [Source<'_>; 2],
    to: Target<'_>,
    workers: &Workers,
) {
    each(to, workers, |pixel, to| {
        let pairs = a.pixel(pixel).iter().zip(b.pixel(pixel));
        to.iter_mut().zip(pairs).for_each(|(to, (a, b))| *to = curve.of(a + b));
    });
}

/// The products of two images; the second may be one factor a channel.
pub(in crate::native) fn multiply([a, b]: [Source<'_>; 2], to: Target<'_>, workers: &Workers) {
    let share = a.view.pixels() / b.view.pixels();
    each(to, workers, |pixel, to| {
        let pairs = a.pixel(pixel).iter().zip(b.pixel(pixel / share));
        to.iter_mut().zip(pairs).for_each(|(to, (a, b))| *to = a * b);
    });
}

/// An image into some channels of a wider one, from this of them on.
pub(in crate::native) fn copy(from: Source<'_>, to: Target<'_>, workers: &Workers) {
    each(to, workers, |pixel, to| to.copy_from_slice(from.pixel(pixel)));
}

/// An image as features, channel by channel.
pub(in crate::native) fn flatten(from: Source<'_>, to: Target<'_>, workers: &Workers) {
    let pixels = from.view.pixels();
    each(to, workers, |photo, to| {
        for at in 0..pixels {
            let pixel = from.pixel(photo * pixels + at);
            to.iter_mut().skip(at).step_by(pixels).zip(pixel).for_each(|(to, x)| *to = *x);
        }
    });
}

/// An image whose channels lie apart, `[photos, channels, height, width]`, with its channels last.
pub(in crate::native) fn channels_last(planes: &[f32], to: Target<'_>, workers: &Workers) {
    let (pixels, channels) = (to.view.pixels(), to.view.channels);
    each(to, workers, |pixel, to| {
        let from = &planes[pixel / pixels * pixels * channels + pixel % pixels..];
        to.iter_mut().zip(from.iter().step_by(pixels)).for_each(|(to, x)| *to = *x);
    });
}

/// An image with its channels apart, `[photos, channels, height, width]`.
pub(in crate::native) fn planes(from: Source<'_>, photos: usize) -> Vec<f32> {
    let pixels = from.view.pixels();
    let mut planes = Vec::with_capacity(photos * pixels * from.view.channels);
    for photo in 0..photos {
        for channel in 0..from.view.channels {
            planes.extend((0..pixels).map(|at| from.pixel(photo * pixels + at)[channel]));
        }
    }
    planes
}

/// Does the work of every pixel: its number, counted through the photos, and its channels.
fn each(to: Target<'_>, workers: &Workers, work: impl Fn(usize, &mut [f32]) + Sync + Send) {
    let (pixels, view) = (to.pixels(), to.view);
    // Moving a number takes as long as some eight multiplications of a tile.
    let together = pixels.div_ceil(workers.tasks(8 * pixels * view.channels));
    let values = &mut to.values[..pixels * view.step];
    workers.chunks(values, together * view.step, |task, to| {
        arch().dispatch(
            #[inline(always)]
            || {
                for (at, to) in to.chunks_mut(view.step).enumerate() {
                    work(task * together + at, &mut to[view.first..][..view.channels]);
                }
            },
        );
    });
}
