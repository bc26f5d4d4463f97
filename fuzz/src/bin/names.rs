//! What people type: tokens, tables' names, regions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use planet_data::table::{Format, TableSource};

fuzz_target!(|text: &str| {
    if let Ok(cell) = text.parse::<planet_geo::CellId>() {
        assert_eq!(cell.token().parse(), Ok(cell));
        cell.outline().cut_at_antimeridian();
    }
    let source = TableSource::parse(text);
    assert_eq!(source.to_string(), text);
    let _ = Format::of(&source.path);
    let _ = text.parse::<planet::map::Region>();
});
