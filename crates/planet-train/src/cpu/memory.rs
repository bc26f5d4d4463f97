use std::ops::Range;

use rayon::prelude::*;

use crate::vectorised::vectorised;

/// Numbers of a batch's values: `[photos, height, width, channels]`, channels last.
#[derive(Debug, Default)]
pub(super) struct Slab {
    /// Numbers of one photo.
    pub(super) per_photo: usize,
    /// The buffer in which the values stand while they are needed.
    pub(super) values: Option<usize>,
    /// The gradients take the values' place: who comes after needs those no more.
    pub(super) in_place: bool,
    /// Otherwise, the buffer in which the derivatives of the loss by the values stand while they are
    /// needed.
    pub(super) gradients: Option<usize>,
}

impl Slab {
    fn gradients(&self) -> usize {
        let buffer = if self.in_place { self.values } else { self.gradients };
        buffer.expect("a gradient that is used has a place")
    }
}

/// Memory that several values and gradients use one after another.
#[derive(Debug)]
pub(super) struct Buffer {
    /// Numbers of one photo in the largest of them.
    pub(super) per_photo: usize,
    pub(super) values: Vec<f32>,
}

/// Where one node's value stands: some channels of a slab. A branch writes straight into its
/// place in the concatenation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) slab: usize,
    /// First channel.
    pub(super) channel: usize,
    pub(super) channels: usize,
    /// Channels of the whole slab: from one pixel to the next.
    pub(super) step: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl View {
    /// Pixels of one photo.
    pub(super) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// The view's numbers of one pixel.
    pub(super) fn pixel<'a>(&self, values: &'a [f32], pixel: usize) -> &'a [f32] {
        &values[pixel * self.step + self.channel..][..self.channels]
    }

    /// Some of the view's channels of one pixel.
    #[inline(always)]
    pub(super) fn strip<'a>(
        &self,
        values: &'a [f32],
        pixel: usize,
        channels: &Range<usize>,
    ) -> &'a [f32] {
        &values[pixel * self.step + self.channel + channels.start..][..channels.len()]
    }

    /// The same, to be changed.
    #[inline(always)]
    pub(super) fn strip_mut<'a>(
        &self,
        values: &'a mut [f32],
        pixel: usize,
        channels: &Range<usize>,
    ) -> &'a mut [f32] {
        &mut values[pixel * self.step + self.channel + channels.start..][..channels.len()]
    }

    /// As [`View::pixel`], to be changed.
    pub(super) fn pixel_mut<'a>(&self, values: &'a mut [f32], pixel: usize) -> &'a mut [f32] {
        &mut values[pixel * self.step + self.channel..][..self.channels]
    }
}

/// A parameter in the layout that its layer reads, and its gradient.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) values: Vec<f32>,
    pub(super) gradient: Vec<f32>,
}

/// All numbers of a network at work.
#[derive(Debug)]
pub(super) struct Memory {
    /// Photos in the batch.
    pub(super) photos: usize,
    /// Pieces that a batch is cut into; fixed, so that sums do not depend on the threads.
    pub(super) parts: usize,
    pub(super) slabs: Vec<Slab>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) parameters: Vec<Held>,
    /// Working space, one for each part.
    pub(super) scratch: Vec<Scratch>,
}

/// Working space of one part.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// A convolution's inputs, window by window.
    pub(super) windows: Vec<f32>,
    /// The part's share of a parameter's gradient.
    pub(super) gradient: Vec<f32>,
}

impl Memory {
    /// Memory for this many photos; existing contents are kept.
    pub(super) fn prepare(&mut self, photos: usize) {
        self.photos = photos;
        for Buffer { per_photo, values } in &mut self.buffers {
            if values.len() < photos * *per_photo {
                values.resize(photos * *per_photo, 0.0);
            }
        }
    }

    /// Photos in a part but the last, which may have fewer.
    pub(super) fn photos_a_part(&self) -> usize {
        self.photos.div_ceil(self.parts).max(1)
    }

    /// Works on the values of `view` part by part, taking them out meanwhile. `work` gets the
    /// part's numbers and its photos.
    pub(super) fn write(
        &mut self,
        view: View,
        work: impl Fn(&Self, &mut [f32], Range<usize>) + Sync,
    ) {
        let mut values = self.take_values(view);
        self.in_parts(&mut values, self.slabs[view.slab].per_photo, &work);
        self.return_values(view, values);
    }

    /// As [`Memory::write`], on the gradients.
    pub(super) fn write_gradients(
        &mut self,
        view: View,
        work: impl Fn(&Self, &mut [f32], Range<usize>) + Sync,
    ) {
        let mut values = self.take_gradients(view);
        self.in_parts(&mut values, self.slabs[view.slab].per_photo, &work);
        self.return_gradients(view, values);
    }

    /// Takes the values of a view's slab out.
    pub(super) fn take_values(&mut self, view: View) -> Vec<f32> {
        let buffer = self.value_buffer(view);
        std::mem::take(&mut self.buffers[buffer].values)
    }

    /// Puts back what [`Memory::take_values`] took.
    pub(super) fn return_values(&mut self, view: View, values: Vec<f32>) {
        let buffer = self.value_buffer(view);
        self.buffers[buffer].values = values;
    }

    /// Takes the gradients of a view's slab out.
    pub(super) fn take_gradients(&mut self, view: View) -> Vec<f32> {
        let buffer = self.slabs[view.slab].gradients();
        std::mem::take(&mut self.buffers[buffer].values)
    }

    /// Puts back what [`Memory::take_gradients`] took.
    pub(super) fn return_gradients(&mut self, view: View, values: Vec<f32>) {
        let buffer = self.slabs[view.slab].gradients();
        self.buffers[buffer].values = values;
    }

    fn value_buffer(&self, view: View) -> usize {
        self.slabs[view.slab].values.expect("a value that is used has a place")
    }

    fn in_parts(
        &self,
        values: &mut [f32],
        per_photo: usize,
        work: &(impl Fn(&Self, &mut [f32], Range<usize>) + Sync),
    ) {
        let part = self.photos_a_part();
        values[..self.photos * per_photo]
            .par_chunks_mut((part * per_photo).max(1))
            .enumerate()
            .for_each(|(at, values)| {
                let photos = at * part..(at * part + part).min(self.photos);
                vectorised(|| work(self, values, photos));
            });
    }

    /// The values of some photos.
    pub(super) fn values(&self, view: View, photos: Range<usize>) -> &[f32] {
        self.of_photos(self.value_buffer(view), view, photos)
    }

    /// The gradients of some photos.
    pub(super) fn gradients(&self, view: View, photos: Range<usize>) -> &[f32] {
        self.of_photos(self.slabs[view.slab].gradients(), view, photos)
    }

    fn of_photos(&self, buffer: usize, view: View, photos: Range<usize>) -> &[f32] {
        let per_photo = self.slabs[view.slab].per_photo;
        &self.buffers[buffer].values[photos.start * per_photo..photos.end * per_photo]
    }

    /// Sums the parts' shares of a parameter's gradient.
    pub(super) fn sum_gradient(&mut self, parameter: usize) {
        let used = self.photos.div_ceil(self.photos_a_part());
        let gradient = &mut self.parameters[parameter].gradient;
        let scratch = &self.scratch[..used];
        gradient.par_chunks_mut(1 << 14).enumerate().for_each(|(at, sum)| {
            vectorised(|| {
                let range = at << 14..(at << 14) + sum.len();
                sum.copy_from_slice(&scratch[0].gradient[range.clone()]);
                for share in &scratch[1..] {
                    for (sum, share) in sum.iter_mut().zip(&share.gradient[range.clone()]) {
                        *sum += share;
                    }
                }
            });
        });
    }
}
