//! Arithmetic decoding of blocks (T.81, annex D, F.2.4 and G.2).

use super::{
    super::markers::ScanHeader,
    scan::Coder,
    tables::{Conditioning, Tables, ZIGZAG},
    unstuffed,
};

/// Estimation states of T.81, table D.3: Qe, next state after a less probable symbol, next state
/// after a more probable one, and whether the sense of more probable changes. The last one, of
/// equal chances for ever, is that of signs (F.1.4.4.2).
#[rustfmt::skip]
const STATES: [(u16, u8, u8, bool); 114] = [
    (0x5A1D, 1, 1, true), (0x2586, 14, 2, false), (0x1114, 16, 3, false),
    (0x080B, 18, 4, false), (0x03D8, 20, 5, false), (0x01DA, 23, 6, false),
    (0x00E5, 25, 7, false), (0x006F, 28, 8, false), (0x0036, 30, 9, false),
    (0x001A, 33, 10, false), (0x000D, 35, 11, false), (0x0006, 9, 12, false),
    (0x0003, 10, 13, false), (0x0001, 12, 13, false), (0x5A7F, 15, 15, true),
    (0x3F25, 36, 16, false), (0x2CF2, 38, 17, false), (0x207C, 39, 18, false),
    (0x17B9, 40, 19, false), (0x1182, 42, 20, false), (0x0CEF, 43, 21, false),
    (0x09A1, 45, 22, false), (0x072F, 46, 23, false), (0x055C, 48, 24, false),
    (0x0406, 49, 25, false), (0x0303, 51, 26, false), (0x0240, 52, 27, false),
    (0x01B1, 54, 28, false), (0x0144, 56, 29, false), (0x00F5, 57, 30, false),
    (0x00B7, 59, 31, false), (0x008A, 60, 32, false), (0x0068, 62, 33, false),
    (0x004E, 63, 34, false), (0x003B, 32, 35, false), (0x002C, 33, 9, false),
    (0x5AE1, 37, 37, true), (0x484C, 64, 38, false), (0x3A0D, 65, 39, false),
    (0x2EF1, 67, 40, false), (0x261F, 68, 41, false), (0x1F33, 69, 42, false),
    (0x19A8, 70, 43, false), (0x1518, 72, 44, false), (0x1177, 73, 45, false),
    (0x0E74, 74, 46, false), (0x0BFB, 75, 47, false), (0x09F8, 77, 48, false),
    (0x0861, 78, 49, false), (0x0706, 79, 50, false), (0x05CD, 48, 51, false),
    (0x04DE, 50, 52, false), (0x040F, 50, 53, false), (0x0363, 51, 54, false),
    (0x02D4, 52, 55, false), (0x025C, 53, 56, false), (0x01F8, 54, 57, false),
    (0x01A4, 55, 58, false), (0x0160, 56, 59, false), (0x0125, 57, 60, false),
    (0x00F6, 58, 61, false), (0x00CB, 59, 62, false), (0x00AB, 61, 63, false),
    (0x008F, 61, 32, false), (0x5B12, 65, 65, true), (0x4D04, 80, 66, false),
    (0x412C, 81, 67, false), (0x37D8, 82, 68, false), (0x2FE8, 83, 69, false),
    (0x293C, 84, 70, false), (0x2379, 86, 71, false), (0x1EDF, 87, 72, false),
    (0x1AA9, 87, 73, false), (0x174E, 72, 74, false), (0x1424, 72, 75, false),
    (0x119C, 74, 76, false), (0x0F6B, 74, 77, false), (0x0D51, 75, 78, false),
    (0x0BB6, 77, 79, false), (0x0A40, 77, 48, false), (0x5832, 80, 81, true),
    (0x4D1C, 88, 82, false), (0x438E, 89, 83, false), (0x3BDD, 90, 84, false),
    (0x34EE, 91, 85, false), (0x2EAE, 92, 86, false), (0x299A, 93, 87, false),
    (0x2516, 86, 71, false), (0x5570, 88, 89, true), (0x4CA9, 95, 90, false),
    (0x44D9, 96, 91, false), (0x3E22, 97, 92, false), (0x3824, 99, 93, false),
    (0x32B4, 99, 94, false), (0x2E17, 93, 86, false), (0x56A8, 95, 96, true),
    (0x4F46, 101, 97, false), (0x47E5, 102, 98, false), (0x41CF, 103, 99, false),
    (0x3C3D, 104, 100, false), (0x375E, 99, 93, false), (0x5231, 105, 102, false),
    (0x4C0F, 106, 103, false), (0x4639, 107, 104, false), (0x415E, 103, 99, false),
    (0x5627, 105, 106, true), (0x50E7, 108, 107, false), (0x4B85, 109, 103, false),
    (0x5597, 110, 109, false), (0x504F, 111, 107, false), (0x5A10, 110, 111, true),
    (0x5522, 112, 109, false), (0x59EB, 112, 111, true), (0x5A1D, 113, 113, false),
];

/// The state that stays as it is.
const EVEN: u8 = 113;

/// Greatest magnitude category.
const GREATEST: u32 = 1 << 15;

/// Probability estimate of one decision.
#[derive(Clone, Copy, Default)]
struct Bin {
    state: u8,
    /// The more probable symbol.
    likely: bool,
}

/// The binary decoder (D.2).
struct Decisions<'a> {
    data: &'a [u8],
    code: u32,
    width: u32,
    shifts: u32,
    /// Bytes taken behind the end.
    invented: u32,
}

impl<'a> Decisions<'a> {
    fn new(data: &'a [u8]) -> Self {
        let mut decisions = Self { data, code: 0, width: 1 << 16, shifts: 0, invented: 0 };
        for _ in 0..2 {
            decisions.byte();
            decisions.code <<= 8;
        }
        decisions
    }

    fn byte(&mut self) {
        // An encoder leaves out zeros at the end.
        let byte = unstuffed(&mut self.data).unwrap_or_else(|| {
            self.invented += 1;
            0
        });
        self.code += u32::from(byte) << 8;
    }

    fn decide(&mut self, bin: &mut Bin) -> bool {
        let (estimate, after_unlikely, after_likely, switches) = STATES[usize::from(bin.state)];
        let estimate = u32::from(estimate);
        self.width -= estimate;
        let is_below = self.code >> 16 < self.width;
        if is_below && self.width >= 1 << 15 {
            return bin.likely;
        }
        // The smaller part is that of the less probable symbol, whichever it is.
        let is_likely = is_below != (self.width < estimate);
        if !is_below {
            self.code -= self.width << 16;
            self.width = estimate;
        }
        let symbol = bin.likely == is_likely;
        if is_likely {
            bin.state = after_likely;
        } else {
            bin.likely ^= switches;
            bin.state = after_unlikely;
        }
        while self.width < 1 << 15 {
            if self.shifts == 0 {
                self.byte();
                self.shifts = 8;
            }
            self.width <<= 1;
            self.code <<= 1;
            self.shifts -= 1;
        }
        symbol
    }

    fn even(&mut self) -> bool {
        self.decide(&mut Bin { state: EVEN, likely: false })
    }

    /// The bits below the highest one of a magnitude (F.1.4.3.2), plus one.
    fn magnitude(&mut self, category: u32, bins: &mut [Bin], from: usize) -> i32 {
        let (mut value, mut bit) = (category, category >> 1);
        while bit > 0 {
            if self.decide(&mut bins[from]) {
                value |= bit;
            }
            bit >>= 1;
        }
        value as i32 + 1
    }
}

/// Decodes the blocks of one scan.
pub(super) struct ArithmeticCoder<'a> {
    decisions: Decisions<'a>,
    header: &'a ScanHeader,
    conditioning: [Conditioning; 4],
    dc: [[Bin; 64]; 4],
    ac: [[Bin; 256]; 4],
    predictions: [i32; 4],
    contexts: [usize; 4],
}

impl<'a> ArithmeticCoder<'a> {
    pub(super) fn new(header: &'a ScanHeader, tables: &Tables) -> Self {
        Self {
            decisions: Decisions::new(&[]),
            header,
            conditioning: tables.conditioning,
            dc: [[Bin::default(); 64]; 4],
            ac: [[Bin::default(); 256]; 4],
            predictions: [0; 4],
            contexts: [0; 4],
        }
    }

    fn dc(&mut self, slot: usize) -> Option<i32> {
        let table = self.header.slots[slot].dc;
        let (bins, decisions) = (&mut self.dc[table], &mut self.decisions);
        let begin = self.contexts[slot];
        if !decisions.decide(&mut bins[begin]) {
            self.contexts[slot] = 0;
            return Some(self.predictions[slot] << self.header.low);
        }
        let is_negative = decisions.decide(&mut bins[begin + 1]);
        let mut at = begin + 2 + usize::from(is_negative);
        let mut category = u32::from(decisions.decide(&mut bins[at]));
        if category > 0 {
            at = 20;
            while decisions.decide(&mut bins[at]) {
                category <<= 1;
                at += 1;
                if category == GREATEST {
                    return None;
                }
            }
        }
        let Conditioning { lower, upper, .. } = self.conditioning[table];
        self.contexts[slot] = match category {
            small if small < (1 << lower) >> 1 => 0,
            large if large > (1 << upper) >> 1 => 12 + 4 * usize::from(is_negative),
            _ => 4 + 4 * usize::from(is_negative),
        };
        let size = decisions.magnitude(category, bins, at + 14);
        let difference = if is_negative { -size } else { size };
        self.predictions[slot] = self.predictions[slot].wrapping_add(difference);
        Some(self.predictions[slot] << self.header.low)
    }

    fn ac(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        let table = self.header.slots[slot].ac;
        let (bins, decisions) = (&mut self.ac[table], &mut self.decisions);
        let mut at = self.header.first.max(1);
        while at <= self.header.last {
            let mut bin = 3 * (at - 1);
            if decisions.decide(&mut bins[bin]) {
                break;
            }
            while !decisions.decide(&mut bins[bin + 1]) {
                bin += 3;
                at += 1;
                if at > self.header.last {
                    return None;
                }
            }
            let is_negative = decisions.even();
            bin += 2;
            let mut category = u32::from(decisions.decide(&mut bins[bin]));
            if category > 0 && decisions.decide(&mut bins[bin]) {
                category = 2;
                let is_low = at <= usize::from(self.conditioning[table].low_until);
                bin = if is_low { 189 } else { 217 };
                while decisions.decide(&mut bins[bin]) {
                    category <<= 1;
                    bin += 1;
                    if category == GREATEST {
                        return None;
                    }
                }
            }
            let size = decisions.magnitude(category, bins, bin + 14);
            let value = if is_negative { -size } else { size } << self.header.low;
            block[usize::from(ZIGZAG[at])] = value as i16;
            at += 1;
        }
        Some(())
    }

    /// A pass that adds a bit to coefficients other than the DC (G.1.3.3).
    fn refine(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        let ScanHeader { first, last, low, .. } = *self.header;
        let bins = &mut self.ac[self.header.slots[slot].ac];
        let decisions = &mut self.decisions;
        let is_set = |block: &[i16; 64], at: usize| block[usize::from(ZIGZAG[at])] != 0;
        let known_until = (first..=last).rev().find(|&at| is_set(block, at)).unwrap_or(0);
        let mut at = first;
        while at <= last {
            let mut bin = 3 * (at - 1);
            if at > known_until && decisions.decide(&mut bins[bin]) {
                break;
            }
            loop {
                let coefficient = &mut block[usize::from(ZIGZAG[at])];
                if *coefficient != 0 {
                    if decisions.decide(&mut bins[bin + 2]) {
                        *coefficient = coefficient.wrapping_add(coefficient.signum() << low);
                    }
                    break;
                }
                if decisions.decide(&mut bins[bin + 1]) {
                    *coefficient = if decisions.even() { -1 } else { 1 } << low;
                    break;
                }
                bin += 3;
                at += 1;
                if at > last {
                    return None;
                }
            }
            at += 1;
        }
        Some(())
    }
}

impl<'a> Coder<'a> for ArithmeticCoder<'a> {
    fn restart(&mut self, data: &'a [u8]) {
        self.decisions = Decisions::new(data);
        self.dc = [[Bin::default(); 64]; 4];
        self.ac = [[Bin::default(); 256]; 4];
        self.predictions = [0; 4];
        self.contexts = [0; 4];
    }

    fn block(&mut self, slot: usize, block: &mut [i16; 64]) -> Option<()> {
        let ScanHeader { first, last, high, low, .. } = *self.header;
        if first == 0 && high == 0 {
            block[0] = self.dc(slot)? as i16;
        } else if first == 0 {
            block[0] |= i16::from(self.decisions.even()) << low;
        }
        match (last, high) {
            (0, _) => Some(()),
            (_, 0) => self.ac(slot, block),
            _ => self.refine(slot, block),
        }
    }

    fn is_exhausted(&self, is_cut: bool) -> bool {
        // Two bytes are read ahead.
        is_cut && self.decisions.invented > 2
    }
}
