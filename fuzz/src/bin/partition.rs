//! Whatever a partition's file holds: read or refused, and what was read is written and read
//! back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use planet_geo::Partition;

fuzz_target!(|bytes: &[u8]| {
    let Ok(partition) = Partition::read(bytes, "fuzz.csv") else { return };
    let mut written = Vec::new();
    partition.write(&mut written).expect("memory takes it");
    let back = Partition::read(&written[..], "written.csv").expect("our own file");
    assert_eq!(back.classes(), partition.classes());
    partition.write_geojson(std::io::sink()).expect("nothing fails");
    partition.write_kml(std::io::sink()).expect("nothing fails");
});
