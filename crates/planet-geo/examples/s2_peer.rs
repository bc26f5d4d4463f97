//! Our part of bench/s2.py: positions and ranges from files, times and checksums to stdout.

use std::{env, fs, time::Instant};

use planet_geo::{CellId, Class, ClassKind, LatLng, Partition, PartitionInfo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(positions), Some(ranges)) = (arguments.next(), arguments.next()) else {
        return Err("name a file of positions and one of ranges".into());
    };
    let doubles = words(&positions)?.map(f64::from_le_bytes).collect::<Vec<_>>();
    let positions: Result<Vec<LatLng>, _> =
        doubles.chunks_exact(2).map(|pair| LatLng::new(pair[0], pair[1])).collect();
    let positions = positions?;
    let partition = partition(&words(&ranges)?.map(u64::from_le_bytes).collect::<Vec<_>>())?;

    let start = Instant::now();
    let ids: Vec<u64> = positions.iter().map(|&position| CellId::leaf(position).id()).collect();
    let converting = start.elapsed();
    let start = Instant::now();
    let classes: Vec<u64> = ids
        .iter()
        .map(|&id| partition.class_of_leaf(id).map_or(0, |class| u64::from(class.0) + 1))
        .collect();
    let looking = start.elapsed();
    let sum = |total: u64, value: u64| total.wrapping_mul(31).wrapping_add(value);
    let id_sum = ids.iter().fold(0, |total, &id| sum(total, id.wrapping_add(1)));
    let class_sum = classes.iter().fold(0, |total, &row| sum(total, row));
    #[allow(clippy::print_stdout, reason = "this program's answer")]
    {
        println!("{} {} {id_sum} {class_sum}", converting.as_secs_f64(), looking.as_secs_f64());
    }
    Ok(())
}

fn words(path: &str) -> std::io::Result<impl Iterator<Item = [u8; 8]>> {
    let bytes = fs::read(path)?;
    let words: Vec<[u8; 8]> =
        bytes.chunks_exact(8).map(|word| word.try_into().expect("8 bytes")).collect();
    Ok(words.into_iter())
}

/// From first leaf, last leaf and class of every cell; class numbers run in any order.
fn partition(ranges: &[u64]) -> Result<Partition, Box<dyn std::error::Error>> {
    let mut classes = vec![Vec::new(); ranges.len() / 3];
    for range in ranges.chunks_exact(3) {
        // The cell's id lies halfway between its first and its last leaf.
        classes[range[2] as usize].push(CellId::new(range[0].midpoint(range[1]))?);
    }
    let class = |cells: Vec<CellId>| {
        let centre = cells.first().map(|cell| cell.centre());
        Class { kind: ClassKind::Cells(cells), photos: 0, mean: centre, centre, scatter: None }
    };
    Ok(Partition::new(PartitionInfo::default(), classes.into_iter().map(class).collect())?)
}
