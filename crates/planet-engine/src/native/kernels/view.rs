/// Where an image lies in the memory of a run, `[photos, height, width, channels]`: its channels
/// may be some of those of a wider image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) struct View {
    /// Which memory.
    pub(in crate::native) slot: usize,
    /// The first of its channels.
    pub(in crate::native) first: usize,
    pub(in crate::native) channels: usize,
    /// Numbers from one pixel to the next.
    pub(in crate::native) step: usize,
    pub(in crate::native) height: usize,
    pub(in crate::native) width: usize,
}

impl View {
    /// Pixels of a photo.
    pub(in crate::native) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of a photo from its first to behind its last, others' channels included.
    pub(in crate::native) fn per_photo(&self) -> usize {
        self.pixels() * self.step
    }
}

/// An image to read.
#[derive(Clone, Copy)]
pub(in crate::native) struct Source<'a> {
    pub(in crate::native) values: &'a [f32],
    pub(in crate::native) view: View,
}

impl<'a> Source<'a> {
    /// The channels of a pixel, counted through the photos.
    #[inline(always)]
    pub(in crate::native) fn pixel(&self, at: usize) -> &'a [f32] {
        &self.values[at * self.view.step + self.view.first..][..self.view.channels]
    }
}

/// An image to write.
pub(in crate::native) struct Target<'a> {
    pub(in crate::native) values: &'a mut [f32],
    pub(in crate::native) view: View,
    pub(in crate::native) photos: usize,
}

impl Target<'_> {
    /// Pixels of all photos.
    pub(super) fn pixels(&self) -> usize {
        self.photos * self.view.pixels()
    }
}

/// A window that slides over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) struct Window {
    /// Height and width.
    pub(in crate::native) kernel: [usize; 2],
    /// Steps down and right.
    pub(in crate::native) stride: [usize; 2],
    /// Rows above and columns on the left that are added to the image.
    pub(in crate::native) before: [usize; 2],
    /// Rows below and columns on the right.
    pub(in crate::native) after: [usize; 2],
}

impl Window {
    /// Pixels under the window.
    pub(in crate::native) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Places of the window along both axes; `None` where it does not fit or the sums overflow.
    pub(in crate::native) fn places(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let padded =
                image[axis].checked_add(self.before[axis])?.checked_add(self.after[axis])?;
            (padded.checked_sub(self.kernel[axis])? / self.stride[axis]).checked_add(1)
        };
        Some([along(0)?, along(1)?])
    }

    /// Of the window's rows or columns at this place, those that lie in an image of this length;
    /// and the image's row or column under the window's first, which may be outside.
    #[inline(always)]
    pub(super) fn inside(
        &self,
        axis: usize,
        place: usize,
        length: usize,
    ) -> (std::ops::Range<usize>, isize) {
        let from = (place * self.stride[axis]) as isize - self.before[axis] as isize;
        let first = from.min(0).unsigned_abs().min(self.kernel[axis]);
        let end = (length as isize - from).clamp(first as isize, self.kernel[axis] as isize);
        (first..end as usize, from)
    }
}
