//! EXIF written and read a second time, by hand and by the standard's text alone, to be held
//! against the reader of the crate. Shared with the fuzz target `position_and_time`.
#![allow(dead_code, reason = "each test uses its part")]

/// One entry of a directory: its bytes are in the block's byte order already.
pub struct Entry {
    pub tag: u16,
    pub kind: u16,
    pub count: u32,
    pub bytes: Vec<u8>,
}

/// Writes numbers in one byte order.
#[derive(Clone, Copy)]
pub struct Order {
    pub little: bool,
}

impl Order {
    pub fn u16(self, value: u16) -> [u8; 2] {
        if self.little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        if self.little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub fn text(self, tag: u16, text: &str) -> Entry {
        let bytes = [text.as_bytes(), &[0]].concat();
        Entry { tag, kind: 2, count: bytes.len() as u32, bytes }
    }

    pub fn ratios(self, tag: u16, ratios: &[(u32, u32)]) -> Entry {
        let bytes = ratios.iter().flat_map(|&(a, b)| [self.u32(a), self.u32(b)].concat()).collect();
        Entry { tag, kind: 5, count: ratios.len() as u32, bytes }
    }

    fn directory(self, entries: &[Entry], at: usize) -> Vec<u8> {
        let mut head = self.u16(entries.len() as u16).to_vec();
        let mut values = Vec::new();
        let values_at = at + 2 + 12 * entries.len() + 4;
        for entry in entries {
            head.extend([self.u16(entry.tag), self.u16(entry.kind)].concat());
            head.extend(self.u32(entry.count));
            if entry.bytes.len() <= 4 {
                head.extend(entry.bytes.iter().chain(&[0; 4]).take(4));
            } else {
                head.extend(self.u32((values_at + values.len()) as u32));
                values.extend(&entry.bytes);
            }
        }
        [head, vec![0; 4], values].concat()
    }

    /// A block whose first directory points to those of EXIF and GPS by entries of this type.
    pub fn block(self, pointer: u16, first: Vec<Entry>, exif: &[Entry], gps: &[Entry]) -> Vec<u8> {
        let pointers = |exif_at: usize, gps_at: usize| {
            let to = |tag, at: usize| Entry {
                tag,
                kind: pointer,
                count: if matches!(pointer, 1 | 6 | 7) { 4 } else { 1 },
                bytes: self.u32(at as u32).to_vec(),
            };
            [to(0x8769, exif_at), to(0x8825, gps_at)]
        };
        let mut entries = first;
        entries.extend(pointers(0, 0));
        let exif_at = 8 + self.directory(&entries, 8).len();
        let exif = self.directory(exif, exif_at);
        let gps_at = exif_at + exif.len();
        entries.truncate(entries.len() - 2);
        entries.extend(pointers(exif_at, gps_at));
        let magic: &[u8] = if self.little { b"II*\0" } else { b"MM\0*" };
        let first = self.directory(&entries, 8);
        [magic, &self.u32(8), &first, &exif, &self.directory(gps, gps_at)].concat()
    }
}

/// A JPEG's headers with these application segments, 64 × 48 pixels.
pub fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut jpeg = vec![0xFF, 0xD8];
    for segment in segments {
        jpeg.extend([0xFF, 0xE1]);
        jpeg.extend((segment.len() as u16 + 2).to_be_bytes());
        jpeg.extend(segment);
    }
    jpeg.extend(b"\xFF\xC0\0\x0B\x08\0\x30\0\x40\x01\x01\x11\0\xFF\xDA\0\x02");
    jpeg
}

pub fn exif_segment(block: &[u8]) -> Vec<u8> {
    [b"Exif\0\0", block].concat()
}

/// What a reading comes to. `Unsure` where the standard does not say what such bytes mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading<T> {
    Unsure,
    Absent,
    Found(T),
}

/// A block, read entry by entry.
pub struct Block<'a> {
    bytes: &'a [u8],
    little: bool,
}

struct Found<'a> {
    tag: u16,
    kind: u16,
    count: usize,
    value: &'a [u8],
}

impl<'a> Block<'a> {
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let little = bytes.starts_with(b"II*\0");
        (little || bytes.starts_with(b"MM\0*")).then_some(Self { bytes, little })
    }

    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(match self.little {
            true => bytes.iter().rev().fold(0, fold),
            false => bytes.iter().fold(0, fold),
        })
    }

    /// The entries of a directory; `None` where anything about it is unsound.
    fn entries(&self, at: usize) -> Option<Vec<Found<'a>>> {
        let count = self.number(at, 2)? as usize;
        // What follows the entries must be there, and must be the end.
        if self.number(at + 2 + 12 * count, 4)? != 0 {
            return None;
        }
        let mut entries: Vec<Found<'a>> = Vec::new();
        for entry in (0..count).map(|place| at + 2 + 12 * place) {
            let tag = self.number(entry, 2)? as u16;
            let kind = self.number(entry + 2, 2)? as u16;
            let count = self.number(entry + 4, 4)? as usize;
            let size = match kind {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 => 8,
                _ => return None,
            };
            let length = size * count;
            let from = if length <= 4 { entry + 8 } else { self.number(entry + 8, 4)? as usize };
            // A value within the header is no sound one.
            if from < 8 {
                return None;
            }
            let value = self.bytes.get(from..from.checked_add(length)?)?;
            if entries.iter().any(|other| other.tag == tag) {
                return None;
            }
            entries.push(Found { tag, kind, count, value });
        }
        Some(entries)
    }

    /// The entries of the first directory and of the one that it points to with this tag.
    fn below(&self, tag: u16) -> Option<(Vec<Found<'a>>, Option<Vec<Found<'a>>>)> {
        let first = self.entries(self.number(4, 4)? as usize)?;
        let Some(pointer) = first.iter().find(|entry| entry.tag == tag) else {
            return Some((first, None));
        };
        if !matches!(pointer.kind, 4 | 9 | 13) || pointer.count != 1 {
            return None;
        }
        let at = self.of(pointer.value) as usize;
        // A directory that several point to, or that is the first one, is no sound one.
        let alone = first.iter().filter(|it| it.value == pointer.value && it.count == 1).count();
        if at == self.number(4, 4)? as usize || alone > 1 {
            return None;
        }
        Some((first, Some(self.entries(at)?)))
    }

    fn of(&self, bytes: &[u8]) -> u64 {
        let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
    }

    /// Latitude and longitude (Exif 3.0, 4.6.6): three ratios, and a letter.
    pub fn position(&self) -> Reading<(f64, f64)> {
        let Some((_, gps)) = self.below(0x8825) else { return Reading::Unsure };
        let Some(gps) = gps else { return Reading::Absent };
        let find = |tag: u16| gps.iter().find(|entry| entry.tag == tag);
        let mut degrees = [0.0; 2];
        let mut present = 0;
        for (place, (reference, value, letters)) in
            [(1, 2, [b'N', b'S']), (3, 4, [b'E', b'W'])].into_iter().enumerate()
        {
            let (Some(reference), Some(value)) = (find(reference), find(value)) else { continue };
            let letter = match (reference.kind, reference.value) {
                (2, [letter, 0, ..]) if letters.contains(letter) => *letter,
                _ => return Reading::Unsure,
            };
            if value.kind != 5 || value.count != 3 {
                return Reading::Unsure;
            }
            let parts: Vec<(u64, u64)> = value
                .value
                .chunks(8)
                .map(|ratio| (self.of(&ratio[..4]), self.of(&ratio[4..])))
                .collect();
            if parts.iter().any(|(_, under)| *under == 0) {
                return Reading::Unsure;
            }
            let part = |at: usize| parts[at].0 as f64 / parts[at].1 as f64;
            if part(1) > 60.0 || part(2) > 60.0 {
                return Reading::Absent;
            }
            degrees[place] = part(0) + part(1) / 60.0 + part(2) / 3600.0;
            if letter == letters[1] {
                degrees[place] = -degrees[place];
            }
            present += 1;
        }
        let [lat, lng] = degrees;
        match present {
            0 if find(2).is_none() && find(4).is_none() => Reading::Absent,
            2 if (lat == 0.0 && lng == 0.0) || lat.abs() > 90.0 || lng.abs() > 180.0 => {
                Reading::Absent
            }
            2 => Reading::Found((lat, lng)),
            _ => Reading::Unsure,
        }
    }

    /// The time of `DateTimeOriginal`, where it is written as the standard wants it.
    pub fn time(&self) -> Reading<String> {
        let Some((first, exif)) = self.below(0x8769) else { return Reading::Unsure };
        let exif = exif.unwrap_or_default();
        if first.iter().any(|it| matches!(it.tag, 0x9003 | 0x9004 | 0x9010..=0x9012)) {
            return Reading::Unsure;
        }
        let find = |tag: u16| exif.iter().find(|entry| entry.tag == tag);
        let Some(time) = find(0x9003) else { return Reading::Unsure };
        if time.kind != 2 || find(0x9004).is_some() || time.count != 20 || time.value[19] != 0 {
            return Reading::Unsure;
        }
        let marks = [(4, b':'), (7, b':'), (10, b' '), (13, b':'), (16, b':')];
        let is_digit = |at: usize| time.value[at].is_ascii_digit();
        if !marks.iter().all(|&(at, mark)| time.value[at] == mark)
            || !(0..19).filter(|at| marks.iter().all(|(mark, _)| mark != at)).all(is_digit)
        {
            return Reading::Unsure;
        }
        let number = |at: usize, length: usize| {
            time.value[at..at + length].iter().fold(0, |n, digit| 10 * n + u32::from(digit - b'0'))
        };
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2));
        if year < 1800 || !(1..=12).contains(&month) || day == 0 || day > days {
            return Reading::Absent;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return if second == 60 { Reading::Unsure } else { Reading::Absent };
        }
        let plain = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        match find(0x9011).or(find(0x9010)) {
            None => Reading::Found(plain),
            Some(_) => self.with_offset(&exif, plain),
        }
    }

    fn with_offset(&self, exif: &[Found<'_>], plain: String) -> Reading<String> {
        let Some(offset) = exif.iter().find(|it| it.tag == 0x9011) else { return Reading::Unsure };
        let (2, &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, 0]) = (offset.kind, offset.value)
        else {
            return Reading::Unsure;
        };
        if ![h1, h2, m1, m2].iter().all(u8::is_ascii_digit) {
            return Reading::Unsure;
        }
        let (hours, minutes) = ((h1 - b'0') * 10 + h2 - b'0', (m1 - b'0') * 10 + m2 - b'0');
        if hours > 11 || minutes > 59 || (hours, minutes) == (0, 0) {
            return Reading::Unsure;
        }
        Reading::Found(format!("{plain}{}{hours:02}:{minutes:02}", char::from(sign)))
    }
}

/// Where the crate's reading of a block differs from this one; `None` where they agree.
pub fn difference(block: &[u8]) -> Option<String> {
    let photo = jpeg(&[exif_segment(block)]);
    let facts =
        planet_data::PhotoFacts::from_reader(std::io::Cursor::new(&photo[..]), photo.len() as u64);
    let facts = facts.expect("the photo's own headers are sound");
    let ours = facts.position.map(|position| (position.lat(), position.lng()));
    let reading = Block::new(block)?;
    let position = reading.position();
    let same = match (&position, ours) {
        (Reading::Unsure, _) | (Reading::Absent, None) => true,
        (Reading::Found((lat, lng)), Some(ours)) => {
            // A degree is 111 km; the date line is one meridian.
            let east = (lng - ours.1).abs();
            (lat - ours.0).abs() < 1e-8 && (east < 1e-8 || (east - 360.0).abs() < 1e-8)
        }
        _ => false,
    };
    if !same {
        return Some(format!("position {position:?}, ours {ours:?}, notes {:?}", facts.notes));
    }
    let time = reading.time();
    match (&time, &facts.time) {
        (Reading::Unsure, _) | (Reading::Absent, None) => None,
        (Reading::Found(time), Some(ours)) if time == ours => None,
        _ => Some(format!("time {time:?}, ours {:?}, notes {:?}", facts.time, facts.notes)),
    }
}
