//! Tables that segments between the scans define (T.81, B.2.4).

use super::{super::frame::Frame, huffman::HuffmanTable};

/// Where in a block, row by row, the coefficients in zigzag order stand (T.81, figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// How arithmetic coding is conditioned (F.1.4.4.1.2 and F.1.4.4.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditioning {
    /// Differences up to half of 2^lower count as none.
    pub(super) lower: u8,
    /// Differences above half of 2^upper count as large.
    pub(super) upper: u8,
    /// Coefficients up to here count as low.
    pub(super) low_until: u8,
}

/// The tables as they stand at some place of the file.
pub(super) struct Tables {
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<HuffmanTable>; 4],
    ac: [Option<HuffmanTable>; 4],
    pub(super) conditioning: [Conditioning; 4],
}

impl Default for Tables {
    fn default() -> Self {
        let usual = Conditioning { lower: 0, upper: 1, low_until: 5 };
        Self {
            quantisation: [None; 4],
            dc: Default::default(),
            ac: Default::default(),
            conditioning: [usual; 4],
        }
    }
}

impl Tables {
    /// Takes what a segment defines; segments of other kinds are passed over.
    pub(super) fn take(&mut self, marker: u8, segment: &[u8]) -> Result<(), String> {
        match marker {
            0xDB => self.quantisations(segment).ok_or("a damaged quantisation table"),
            0xC4 => self.huffman(segment).ok_or("a damaged Huffman table"),
            0xCC => self.conditionings(segment).ok_or("a damaged arithmetic conditioning"),
            _ => Ok(()),
        }
        .map_err(str::to_owned)
    }

    /// The quantisation table of a component, row by row.
    pub(super) fn quantisation(&self, frame: &Frame, at: usize) -> Result<[u16; 64], String> {
        self.quantisation[frame.components[at].quantisation]
            .ok_or_else(|| "a quantisation table is missing".to_owned())
    }

    pub(super) fn dc(&self, number: usize) -> Result<&HuffmanTable, String> {
        self.dc[number].as_ref().ok_or_else(|| "a Huffman table is missing".to_owned())
    }

    pub(super) fn ac(&self, number: usize) -> Result<&HuffmanTable, String> {
        self.ac[number].as_ref().ok_or_else(|| "a Huffman table is missing".to_owned())
    }

    fn quantisations(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((&head, behind)) = rest.split_first() {
            let slot = self.quantisation.get_mut(usize::from(head & 15))?;
            let wide = usize::from(head >> 4 != 0);
            let (values, behind) = behind.split_at_checked(64 << wide)?;
            let mut table = [0; 64];
            for (at, &place) in ZIGZAG.iter().enumerate() {
                table[usize::from(place)] = match wide {
                    0 => u16::from(values[at]),
                    _ => u16::from_be_bytes([values[2 * at], values[2 * at + 1]]),
                };
            }
            *slot = Some(table);
            rest = behind;
        }
        Some(())
    }

    fn huffman(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((&head, behind)) = rest.split_first() {
            let (counts, behind) = behind.split_first_chunk::<16>()?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, behind) = behind.split_at_checked(total)?;
            let of_kind = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let slot = of_kind.get_mut(usize::from(head & 15))?;
            *slot = Some(HuffmanTable::new(counts, values)?);
            rest = behind;
        }
        Some(())
    }

    fn conditionings(&mut self, segment: &[u8]) -> Option<()> {
        for &[head, value] in segment.as_chunks::<2>().0 {
            let slot = self.conditioning.get_mut(usize::from(head & 15))?;
            if head >> 4 == 0 {
                (slot.lower, slot.upper) = (value & 15, value >> 4);
            } else {
                slot.low_until = value;
            }
        }
        Some(())
    }
}
