//! A JPEG's markers and scans, whether the file is whole or damaged. Entropy-coded data is cut
//! at its restart markers, so that decoding can go on behind a damaged place.

use super::frame::Frame;

/// Scans beyond these are not read: real progressive files have about ten.
const MOST_SCANS: usize = 100;

/// One piece of a file.
pub(super) enum Part<'a> {
    /// Marker and content of a segment.
    Segment(u8, &'a [u8]),
    /// A scan: its header and its data.
    Scan(ScanHeader, Vec<Interval<'a>>),
}

impl Part<'_> {
    pub(super) fn scan(&self) -> Option<&ScanHeader> {
        match self {
            Self::Scan(header, _) => Some(header),
            Self::Segment(..) => None,
        }
    }
}

/// A scan's header (B.2.3).
#[derive(Clone, Debug)]
pub(super) struct ScanHeader {
    pub(super) slots: Vec<Slot>,
    /// First coefficient in zigzag order.
    pub(super) first: usize,
    /// Last coefficient.
    pub(super) last: usize,
    /// Bit that was sent before; 0 in a first pass.
    pub(super) high: u8,
    /// Lowest bit that is sent now.
    pub(super) low: u8,
}

/// One component of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Its place in the frame.
    pub(super) component: usize,
    /// Number of the DC table or conditioning, 0..=3.
    pub(super) dc: usize,
    /// Number of the AC table or conditioning, 0..=3.
    pub(super) ac: usize,
}

impl ScanHeader {
    fn parse(segment: &[u8], frame: &Frame) -> Result<Self, String> {
        let senseless = || "a scan's header is invalid".to_owned();
        let (&count, rest) = segment.split_first().ok_or_else(senseless)?;
        let count = usize::from(count);
        if !(1..=4).contains(&count) || rest.len() < 2 * count + 3 {
            return Err(senseless());
        }
        let (slots, [first, last, bits, ..]) = rest.split_at(2 * count) else {
            return Err(senseless());
        };
        let slot = |pair: &[u8; 2]| {
            let component = frame.components.iter().position(|component| component.id == pair[0]);
            let (dc, ac) = (usize::from(pair[1] >> 4), usize::from(pair[1] & 15));
            component.filter(|_| dc <= 3 && ac <= 3).map(|component| Slot { component, dc, ac })
        };
        let slots: Vec<_> = slots
            .as_chunks::<2>()
            .0
            .iter()
            .map(slot)
            .collect::<Option<_>>()
            .ok_or_else(senseless)?;
        let (first, last) = (usize::from(*first), usize::from(*last));
        let (high, low) = (bits >> 4, bits & 15);
        let header = if frame.is_progressive() {
            let sound = first <= last && last <= 63 && high <= 13 && low <= 13;
            if !sound || first == 0 && last != 0 || first > 0 && slots.len() > 1 {
                return Err(senseless());
            }
            Self { slots, first, last, high, low }
        } else {
            Self { slots, first: 0, last: 63, high: 0, low: 0 }
        };
        let twice = |at: usize| {
            header.slots[..at].iter().any(|slot| slot.component == header.slots[at].component)
        };
        if (0..header.slots.len()).any(twice) {
            return Err(senseless());
        }
        Ok(header)
    }

    /// Places of the components in the frame.
    pub(super) fn components(&self) -> Vec<usize> {
        self.slots.iter().map(|slot| slot.component).collect()
    }
}

/// Entropy-coded data between two restart markers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval<'a> {
    /// Its number within the scan.
    pub(super) number: usize,
    pub(super) data: &'a [u8],
    /// A marker that may not stand there, or the end of the file, cut it off.
    pub(super) is_cut: bool,
}

/// Goes through a file.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    scans: usize,
    restart_interval: usize,
    pub(super) frame: Option<Frame>,
    pub(super) has_end: bool,
    /// The first damage that was met.
    pub(super) damage: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 2,
            scans: 0,
            restart_interval: 0,
            frame: None,
            has_end: false,
            damage: None,
        }
    }

    /// MCUs between two restart markers; `None` where there are none.
    pub(super) fn restart_interval(&self) -> Option<usize> {
        (self.restart_interval > 0).then_some(self.restart_interval)
    }

    fn harm(&mut self, reason: impl Into<String>) {
        self.damage.get_or_insert_with(|| reason.into());
    }

    /// The next piece; `None` at the end of the image, of the file, or of what makes sense.
    pub(super) fn part(&mut self) -> Option<Part<'a>> {
        loop {
            let Some((marker, behind)) = next_marker(self.bytes, self.at) else {
                self.harm("the end of the image is missing");
                return None;
            };
            self.at = behind;
            match marker {
                0xD9 => {
                    self.has_end = true;
                    return None;
                }
                // Markers without a segment: restart, start of image, temporary.
                0xD0..=0xD8 | 0x01 => continue,
                _ => {}
            }
            let Some(segment) = segment(self.bytes, behind) else {
                self.harm("a segment is truncated");
                return None;
            };
            self.at = behind + 2 + segment.len();
            match self.take(marker, segment) {
                Ok(part) => return Some(part),
                Err(reason) => {
                    self.harm(reason);
                    return None;
                }
            }
        }
    }

    fn take(&mut self, marker: u8, segment: &'a [u8]) -> Result<Part<'a>, String> {
        match marker {
            _ if Frame::is_start(marker) => {
                if self.frame.is_some() {
                    return Err("a second frame".to_owned());
                }
                self.frame = Some(Frame::parse(marker, segment)?);
            }
            0xDD => {
                let number = segment.first_chunk().map(|&number| u16::from_be_bytes(number));
                self.restart_interval = usize::from(number.ok_or("a truncated restart interval")?);
            }
            0xDA => return self.scan(segment),
            _ => {}
        }
        Ok(Part::Segment(marker, segment))
    }

    fn scan(&mut self, segment: &[u8]) -> Result<Part<'a>, String> {
        self.scans += 1;
        if self.scans > MOST_SCANS {
            return Err(format!("more than {MOST_SCANS} scans"));
        }
        let frame = self.frame.as_ref().ok_or("a scan before the frame")?;
        let header = ScanHeader::parse(segment, frame)?;
        let [columns, rows] = frame.mcus_of(&header.components());
        let whole = !frame.is_progressive() && header.slots.len() == frame.components.len();
        let needed = match self.restart_interval {
            0 => 1,
            interval => (columns * rows).div_ceil(interval),
        };
        let (intervals, end) = self.intervals(needed);
        self.at = end;
        // Behind the one scan of a sequential file only the end may follow.
        let follows = next_marker(self.bytes, end).map(|(marker, _)| marker);
        if whole && !matches!(follows, None | Some(0xD9)) {
            self.harm("a marker at an invalid place");
        }
        Ok(Part::Scan(header, intervals))
    }

    /// Cuts entropy-coded data at its restart markers; also where the data ends. Where a restart
    /// marker is missing the next one's number tells how many intervals are lost (F.2.1.3.1's
    /// count modulo 8).
    fn intervals(&mut self, needed: usize) -> (Vec<Interval<'a>>, usize) {
        let mut intervals = Vec::new();
        let (mut begin, mut from, mut number) = (self.at, self.at, 0);
        // Data that belongs to no interval any more: behind a restart marker out of its turn.
        let mut is_stray = false;
        let mut cut_at = None;
        loop {
            let found = next_marker(self.bytes, from);
            let (marker, at, behind) = match found {
                Some((marker, behind)) => (Some(marker), marker_begin(self.bytes, behind), behind),
                None => (None, self.bytes.len(), self.bytes.len()),
            };
            let is_restart = matches!(marker, Some(0xD0..=0xD7));
            let is_inside = !is_restart
                && number + 1 < needed
                && next_marker(self.bytes, behind).is_some_and(|(next, _)| next & 0xF8 == 0xD0);
            if is_inside {
                // One bad marker; the next restart marker is where decoding goes on.
                self.harm("a marker at an invalid place");
                cut_at.get_or_insert(at);
                from = behind;
                continue;
            }
            if !is_stray {
                let end = cut_at.unwrap_or(at);
                let is_cut = cut_at.is_some() || marker.is_none();
                intervals.push(Interval { number, data: &self.bytes[begin..end], is_cut });
            }
            let Some(restart) = marker.filter(|_| is_restart && needed > 1) else {
                if is_restart || number + 1 < needed {
                    self.harm("restart markers are missing or too many");
                }
                return (intervals, at);
            };
            let ahead = (usize::from(restart & 7) + 8 - number % 8) % 8;
            (is_stray, number) = match ahead {
                0 => (false, number + 1),
                1 | 2 => (false, number + 1 + ahead),
                // It has come before.
                6 | 7 => (true, number),
                _ => (false, number + 1),
            };
            if ahead != 0 {
                self.harm("restart markers out of order");
            }
            if number >= needed {
                self.harm("restart markers are missing or too many");
                return (intervals, at);
            }
            (begin, from, cut_at) = (behind, behind, None);
        }
    }
}

/// The next marker's second byte and the place behind it. Stuffed and fill bytes are passed over.
fn next_marker(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from;
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)?;
        while bytes.get(at) == Some(&0xFF) {
            at += 1;
        }
        match bytes.get(at)? {
            0 => {}
            &marker => return Some((marker, at + 1)),
        }
    }
}

/// Where a marker begins of which the place behind it is known: at the first of its fill bytes.
fn marker_begin(bytes: &[u8], behind: usize) -> usize {
    let mut at = behind - 1;
    while at > 0 && bytes[at - 1] == 0xFF {
        at -= 1;
    }
    at
}

fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    bytes.get(at + 2..at + usize::from(length))
}
