//! One scan: which blocks come in which order (T.81, A.2), and what is lost of them.

use super::{
    super::{
        frame::Frame,
        markers::{Interval, ScanHeader},
    },
    plane::Planes,
};

/// Decodes blocks from the data of one interval after another.
pub(super) trait Coder<'a> {
    /// Begins with the data of an interval.
    fn restart(&mut self, data: &'a [u8]);

    /// Adds to the next block of a slot of the scan; `None` where the data makes no sense.
    fn block(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()>;

    /// Whether more was asked for than the interval's data, which may be cut, holds.
    fn is_exhausted(&self, is_cut: bool) -> bool;
}

/// What was lost of a scan.
pub(super) struct Loss {
    /// Share of its MCUs, 0..=1.
    pub(super) share: f32,
    /// Why.
    pub(super) reason: Option<String>,
}

/// A scan to be decoded.
pub(super) struct Scan<'a> {
    pub(super) frame: &'a Frame,
    pub(super) header: &'a ScanHeader,
    pub(super) intervals: &'a [Interval<'a>],
    pub(super) restart_interval: Option<usize>,
}

impl<'a> Scan<'a> {
    /// Decodes every interval as far as it goes.
    pub(super) fn decode(&self, coder: &mut impl Coder<'a>, planes: &mut Planes) -> Loss {
        let [columns, rows] = self.frame.mcus_of(&self.header.components());
        let all = columns * rows;
        let (mut decoded, mut cut) = (0, false);
        for interval in self.intervals {
            let length = self.restart_interval.unwrap_or(all);
            let first = interval.number * length;
            coder.restart(interval.data);
            for mcu in first..(first + length).min(all) {
                let done = self.mcu(coder, planes, [mcu % columns, mcu / columns]);
                if done.is_none() || coder.is_exhausted(interval.is_cut) {
                    // What was decoded of this MCU stays, as with libjpeg; it counts as lost.
                    cut = true;
                    break;
                }
                decoded += 1;
            }
        }
        let reason = cut.then(|| "the pixel data is damaged or truncated".to_owned());
        Loss { share: 1.0 - decoded as f32 / all as f32, reason }
    }

    /// The slots of an MCU with the blocks of each: component, column and row.
    fn blocks(&self, [x, y]: [usize; 2]) -> impl Iterator<Item = (usize, usize, [usize; 2])> + '_ {
        let is_alone = self.header.slots.len() == 1;
        self.header.slots.iter().enumerate().flat_map(move |(slot, of)| {
            let component = &self.frame.components[of.component];
            let (h, v) = if is_alone { (1, 1) } else { (component.h, component.v) };
            (0..h * v).map(move |at| (slot, of.component, [x * h + at % h, y * v + at / h]))
        })
    }

    fn mcu(&self, coder: &mut impl Coder<'a>, planes: &mut Planes, mcu: [usize; 2]) -> Option<()> {
        for (slot, component, place) in self.blocks(mcu) {
            planes.update(component, place, |block| coder.block(slot, block))?;
        }
        Some(())
    }
}
