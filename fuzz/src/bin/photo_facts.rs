//! Headers, EXIF and XMP: the bytes as a photo, as an EXIF block and as an XMP packet.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use planet_data::PhotoFacts;

/// A JPEG of one pixel's headers with this application segment.
fn with_segment(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (name.len() + content.len() + 2) as u16;
    let mut jpeg = vec![0xFF, 0xD8, 0xFF, 0xE1];
    jpeg.extend(length.to_be_bytes());
    jpeg.extend(name);
    jpeg.extend(content);
    jpeg.extend(b"\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0\xFF\xDA\0\x02");
    jpeg
}

fuzz_target!(|bytes: &[u8]| {
    let read = |bytes: &[u8]| PhotoFacts::from_reader(Cursor::new(bytes), bytes.len() as u64);
    let _ = read(bytes);
    if bytes.len() < 60_000 {
        for name in [&b"Exif\0\0"[..], b"http://ns.adobe.com/xap/1.0/\0"] {
            let facts = read(&with_segment(name, bytes)).expect("the headers are sound");
            assert_eq!((facts.width, facts.height), (1, 1));
        }
    }
});
