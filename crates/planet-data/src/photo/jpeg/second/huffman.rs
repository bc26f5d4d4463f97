//! Huffman decoding of blocks (T.81, F.2.2 and G.2).

use super::{
    super::markers::ScanHeader,
    scan::Coder,
    tables::{Tables, ZIGZAG},
    unstuffed,
};

/// Bits that are looked up at once.
const LOOKUP: u32 = 8;

/// A Huffman table, made for decoding (T.81, annex C and F.2.2.3).
#[derive(Clone)]
pub(super) struct HuffmanTable {
    /// For the next eight bits: length of the code, or 0 where it is longer, and value.
    short: [(u8, u8); 1 << LOOKUP],
    /// For each length the first code beyond those of this length, aligned to 16 bits.
    beyond: [u32; 17],
    /// For each length what is added to a code to find its value.
    offset: [i32; 17],
    values: Vec<u8>,
}

impl HuffmanTable {
    /// A table from the counts of codes of 1..=16 bits; `None` where there are more than fit.
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let mut table = Self {
            short: [(0, 0); 1 << LOOKUP],
            beyond: [0; 17],
            offset: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut at) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            if code + count as u32 > 1 << length {
                return None;
            }
            table.offset[length as usize] = at as i32 - code as i32;
            for _ in 0..count {
                if length <= LOOKUP {
                    let spread = LOOKUP - length;
                    let first = (code << spread) as usize;
                    table.short[first..first + (1 << spread)].fill((length as u8, values[at]));
                }
                (code, at) = (code + 1, at + 1);
            }
            table.beyond[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek(16);
        let (length, value) = self.short[(next >> (16 - LOOKUP)) as usize];
        if length > 0 {
            bits.drop(u32::from(length));
            return Some(value);
        }
        let length = (LOOKUP + 1..=16).find(|&length| next < self.beyond[length as usize])?;
        bits.drop(length);
        let at = (next >> (16 - length)) as i32 + self.offset[length as usize];
        self.values.get(usize::try_from(at).ok()?).copied()
    }
}

/// Bits of an interval, without stuffed bytes. Behind its end come zeros, which are counted.
struct Bits<'a> {
    data: &'a [u8],
    buffer: u64,
    count: u32,
    invented: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = unstuffed(&mut self.data).unwrap_or_else(|| {
                self.invented += 8;
                0
            });
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next 1..=16 bits.
    fn peek(&mut self, bits: u32) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        (self.buffer >> (64 - bits)) as u32
    }

    fn drop(&mut self, bits: u32) {
        self.buffer <<= bits;
        self.count -= bits;
    }

    fn take(&mut self, bits: u32) -> u32 {
        if bits == 0 {
            return 0;
        }
        let value = self.peek(bits);
        self.drop(bits);
        value
    }

    /// A number of so many bits, with its sign (F.2.2.1, EXTEND).
    fn signed(&mut self, bits: u32) -> i32 {
        let value = self.take(bits) as i32;
        if bits > 0 && value < 1 << (bits - 1) { value - (1 << bits) + 1 } else { value }
    }
}

/// Decodes the blocks of one scan.
pub(super) struct HuffmanCoder<'a> {
    bits: Bits<'a>,
    tables: Vec<(Option<&'a HuffmanTable>, Option<&'a HuffmanTable>)>,
    header: &'a ScanHeader,
    predictions: [i32; 4],
    /// Blocks still to come of which nothing is coded (G.1.2.2).
    empty_blocks: u32,
}

impl<'a> HuffmanCoder<'a> {
    pub(super) fn new(header: &'a ScanHeader, tables: &'a Tables) -> Result<Self, String> {
        let (needs_dc, needs_ac) = (header.first == 0 && header.high == 0, header.last > 0);
        let of = |slot: &super::super::markers::Slot| {
            let dc = needs_dc.then(|| tables.dc(slot.dc)).transpose()?;
            Ok((dc, needs_ac.then(|| tables.ac(slot.ac)).transpose()?))
        };
        Ok(Self {
            bits: Bits { data: &[], buffer: 0, count: 0, invented: 0 },
            tables: header.slots.iter().map(of).collect::<Result<_, String>>()?,
            header,
            predictions: [0; 4],
            empty_blocks: 0,
        })
    }

    fn dc(&mut self, slot: usize) -> Option<i32> {
        let bits = self.tables[slot].0?.decode(&mut self.bits)?;
        if bits > 15 {
            return None;
        }
        let difference = self.bits.signed(u32::from(bits));
        self.predictions[slot] = self.predictions[slot].wrapping_add(difference);
        Some(self.predictions[slot] << self.header.low)
    }

    /// A first pass over coefficients other than the DC.
    fn ac(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Some(());
        }
        let table = self.tables[slot].1?;
        let mut at = self.header.first.max(1);
        while at <= self.header.last {
            let symbol = table.decode(&mut self.bits)?;
            let (run, bits) = (symbol >> 4, u32::from(symbol & 15));
            match (run, bits) {
                (15, 0) => at += 16,
                (_, 0) => {
                    self.empty_blocks = (1 << run) - 1 + self.bits.take(u32::from(run));
                    break;
                }
                _ => {
                    at += usize::from(run);
                    let place = usize::from(*ZIGZAG.get(at).filter(|_| at <= self.header.last)?);
                    block[place] = (self.bits.signed(bits) << self.header.low) as i16;
                    at += 1;
                }
            }
        }
        Some(())
    }

    /// A pass that adds a bit to coefficients other than the DC (G.1.2.3).
    fn refine(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        let table = self.tables[slot].1?;
        let (mut at, last) = (self.header.first, self.header.last);
        while self.empty_blocks == 0 && at <= last {
            let symbol = table.decode(&mut self.bits)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            let mut value = 0;
            match (run, size) {
                (15, 0) => {}
                (_, 0) => {
                    self.empty_blocks = (1 << run) + self.bits.take(u32::from(run));
                    break;
                }
                (_, 1) => {
                    value = if self.bits.take(1) == 1 { 1 } else { -1 } << self.header.low;
                }
                _ => return None,
            }
            at = self.refine_run(block, at, usize::from(run), value);
        }
        if self.empty_blocks > 0 {
            self.refine_run(block, at, 64, 0);
            self.empty_blocks -= 1;
        }
        Some(())
    }

    /// Passes `zeros` coefficients that are zero so far, adding a bit to all others on the way,
    /// and sets the next zero one. Returns the place behind it.
    fn refine_run(
        &mut self,
        block: &mut [i16; 64],
        from: usize,
        zeros: usize,
        value: i16,
    ) -> usize {
        let mut left = zeros;
        for at in from..=self.header.last {
            let coefficient = &mut block[usize::from(ZIGZAG[at])];
            if *coefficient != 0 {
                refine_one(coefficient, self.bits.take(1) == 1, self.header.low);
            } else if left == 0 {
                *coefficient = value;
                return at + 1;
            } else {
                left -= 1;
            }
        }
        64
    }
}

/// Adds the next bit to a coefficient, away from zero.
fn refine_one(coefficient: &mut i16, is_set: bool, low: u8) {
    if is_set {
        let bit = coefficient.signum() << low;
        *coefficient = coefficient.wrapping_add(bit);
    }
}

impl<'a> Coder<'a> for HuffmanCoder<'a> {
    fn restart(&mut self, data: &'a [u8]) {
        self.bits = Bits { data, buffer: 0, count: 0, invented: 0 };
        self.predictions = [0; 4];
        self.empty_blocks = 0;
    }

    fn block(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        let ScanHeader { first, last, high, low, .. } = *self.header;
        if first == 0 && high == 0 {
            block[0] = self.dc(slot)? as i16;
        } else if first == 0 {
            block[0] |= (self.bits.take(1) as i16) << low;
        }
        if last > 0 && high == 0 {
            self.ac(slot, block)?;
        } else if last > 0 {
            self.refine(slot, block)?;
        }
        Some(())
    }

    fn is_exhausted(&self, _: bool) -> bool {
        self.bits.invented > self.bits.count
    }
}
