//! Position and time of an EXIF block, by the crate and by an independent reading of the same bytes:
//! the bytes as a block, and as a recipe for a block that is sound but for its values.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../crates/planet-data/tests/independent/mod.rs"]
mod independent;

use independent::{Order, difference};

/// A block made of the bytes: order, type of pointers, letters, ratios, a time.
fn made(bytes: &[u8]) -> Option<Vec<u8>> {
    let (&[flags, north, east], rest) = bytes.split_first_chunk::<3>()?;
    let order = Order { little: flags & 1 == 0 };
    let pointer = [4, 9, 13, 7][usize::from(flags >> 1) % 4];
    let (numbers, text) = rest.split_at_checked(12)?;
    let ratio = |at: usize| {
        let under = u32::from(numbers[at + 1]);
        (u32::from(numbers[at]) * 2, if under > 250 { 0 } else { under % 7 + 1 })
    };
    let text = String::from_utf8_lossy(text);
    let (at, offset) = text.split_once('|').unwrap_or((&text, ""));
    let letter = |byte: u8| char::from(b"NSEWns?"[usize::from(byte) % 7]).to_string();
    let gps = [
        order.text(1, &letter(north)),
        order.ratios(2, &[ratio(0), ratio(2), ratio(4)]),
        order.text(3, &letter(east)),
        order.ratios(4, &[ratio(6), ratio(8), ratio(10)]),
    ];
    let mut exif = vec![order.text(0x9003, at)];
    if !offset.is_empty() {
        exif.push(order.text(0x9011, offset));
    }
    Some(order.block(pointer, Vec::new(), &exif, &gps))
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > 60_000 {
        return;
    }
    assert_eq!(difference(bytes), None);
    if let Some(block) = made(bytes) {
        assert_eq!(difference(&block), None);
    }
});
