//! A JPEG's frame header (ITU-T T.81, B.2.2): its coding, size and components.

/// Bytes that decoders keep for each sample of a row of blocks: coefficients, upsampled rows and
/// rows that wait for the next ones.
const ROW_BYTES_PER_SAMPLE: u64 = 16;

/// What the start-of-frame segment says.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The marker's second byte, 0xC0..=0xCF: which of the codings it is.
    pub(super) marker: u8,
    pub(super) precision: u8,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
}

/// One component of a frame.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Horizontal sampling factor, 1..=4.
    pub(super) h: usize,
    /// Vertical sampling factor, 1..=4.
    pub(super) v: usize,
    /// Number of the quantisation table, 0..=3.
    pub(super) quantisation: usize,
}

impl Frame {
    /// Whether a marker begins a frame; C4, C8 and CC are tables or reserved.
    pub(super) fn is_start(marker: u8) -> bool {
        matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
    }

    pub(super) fn parse(marker: u8, segment: &[u8]) -> Result<Self, String> {
        let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = segment else {
            return Err("the frame's segment is too short".to_owned());
        };
        let (components, _) = rest.as_chunks::<3>();
        let components: Vec<_> = components
            .iter()
            .take(usize::from(count))
            .map(|&[id, sampling, table]| Component {
                id,
                h: usize::from(sampling >> 4),
                v: usize::from(sampling & 15),
                quantisation: usize::from(table),
            })
            .collect();
        let sound =
            |c: &Component| (1..=4).contains(&c.h) && (1..=4).contains(&c.v) && c.quantisation <= 3;
        if components.len() != usize::from(count) || !components.iter().all(sound) {
            return Err("the frame's components are invalid".to_owned());
        }
        let side = |high, low| usize::from(u16::from_be_bytes([high, low]));
        Ok(Self { marker, precision, width: side(w1, w0), height: side(h1, h0), components })
    }

    /// Names what no decoder here decodes.
    pub(super) fn check(&self) -> Result<(), String> {
        let coding = match self.marker {
            0xC0..=0xC2 | 0xC9 | 0xCA => None,
            0xC3 | 0xCB => Some("lossless coding"),
            _ => Some("hierarchical coding"),
        };
        if let Some(coding) = coding {
            return Err(format!("{coding} is not supported; convert the photo to baseline JPEG"));
        }
        if self.precision != 8 {
            let bits = self.precision;
            return Err(format!("{bits} bits per sample are not supported; only 8 are"));
        }
        if !matches!(self.components.len(), 1 | 3 | 4) {
            let count = self.components.len();
            return Err(format!("{count} components are not supported; 1, 3 and 4 are"));
        }
        if self.width == 0 || self.height == 0 {
            return Err("a side has no pixels".to_owned());
        }
        Ok(())
    }

    /// Whether zune-jpeg decodes this coding and sampling rightly: held to libjpeg-turbo's pixels
    /// by tests/decoding.rs and tests/rare_kinds.rs.
    pub(super) fn is_for_zune(&self) -> bool {
        let huffman = matches!(self.marker, 0xC0..=0xC2);
        let [first, others @ ..] = &self.components[..] else { return false };
        let plain = others.iter().all(|component| (component.h, component.v) == (1, 1));
        let factors = (first.h, first.v);
        huffman
            && plain
            && match others.len() {
                2 => matches!(factors, (1, 1) | (2, 1) | (1, 2) | (2, 2) | (4, 1)),
                _ => factors == (1, 1),
            }
    }

    pub(super) fn is_progressive(&self) -> bool {
        matches!(self.marker, 0xC2 | 0xCA)
    }

    pub(super) fn is_arithmetic(&self) -> bool {
        matches!(self.marker, 0xC9 | 0xCA)
    }

    pub(super) fn h_max(&self) -> usize {
        self.components.iter().map(|component| component.h).max().unwrap_or(1)
    }

    pub(super) fn v_max(&self) -> usize {
        self.components.iter().map(|component| component.v).max().unwrap_or(1)
    }

    /// Columns and rows of MCUs where components are interleaved.
    pub(super) fn mcus(&self) -> [usize; 2] {
        [self.width.div_ceil(8 * self.h_max()), self.height.div_ceil(8 * self.v_max())]
    }

    /// Columns and rows of samples that a component has, without padding (A.1.1).
    pub(super) fn samples(&self, component: &Component) -> [usize; 2] {
        let columns = (self.width * component.h).div_ceil(self.h_max());
        [columns, (self.height * component.v).div_ceil(self.v_max())]
    }

    /// Columns and rows of blocks of a component in a scan of its own.
    pub(super) fn blocks(&self, component: &Component) -> [usize; 2] {
        self.samples(component).map(|side| side.div_ceil(8))
    }

    /// Number of MCUs of a scan of these components.
    pub(super) fn mcus_of(&self, components: &[usize]) -> [usize; 2] {
        match components {
            &[alone] => self.blocks(&self.components[alone]),
            _ => self.mcus(),
        }
    }

    pub(super) fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Samples of all components, padded to whole MCUs.
    pub(super) fn padded_samples(&self) -> u64 {
        let [columns, rows] = self.mcus();
        let blocks: usize = self.components.iter().map(|component| component.h * component.v).sum();
        columns as u64 * rows as u64 * 64 * blocks as u64
    }

    /// Upper bound of what decoders keep beside planes, coefficients and pixels, in bytes.
    pub(super) fn row_memory(&self) -> u64 {
        let row = 8 * self.h_max() * self.v_max() * self.mcus()[0] * 8 * self.components.len();
        row as u64 * ROW_BYTES_PER_SAMPLE + (256 << 10)
    }
}
