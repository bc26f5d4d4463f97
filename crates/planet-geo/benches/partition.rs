//! How fast positions become leaf ids, leaf ids classes, and photos partitions.
//!
//! `cargo bench -p planet-geo`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use planet_geo::{Adaptive, CellId, Keep, LatLng, Partition, PhotoLeaves, PhotoLeavesBuilder};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PHOTOS: usize = 1_000_000;

/// Photos round 2,000 places, as photos are.
fn photos() -> Vec<LatLng> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut place = (0.0, 0.0);
    (0..PHOTOS)
        .map(|photo| {
            if photo % 500 == 0 {
                let lat = (rng.random::<f64>() * 2.0 - 1.0).asin().to_degrees();
                place = (lat, rng.random::<f64>() * 360.0 - 180.0);
            }
            // Most near the middle of their place, some far away.
            let reach = 0.5 * rng.random::<f64>().powi(4);
            let turn = rng.random::<f64>() * std::f64::consts::TAU;
            let lat = (place.0 + reach * turn.sin()).clamp(-90.0, 90.0);
            LatLng::new(lat, place.1 + reach * turn.cos()).expect("in range")
        })
        .collect()
}

fn partition_of(leaves: &PhotoLeaves) -> Partition {
    let rules = Adaptive { split_above: 60, keep: Keep::From(5), ..Adaptive::default() };
    rules.build(leaves).expect("photos enough")
}

fn benches(criterion: &mut Criterion) {
    let photos = photos();
    let leaves: PhotoLeaves = photos.iter().copied().collect();
    let partition = partition_of(&leaves);
    // In the order of arrival, which no cache foresees.
    let arriving: Vec<u64> = photos.iter().map(|&photo| CellId::leaf(photo).id()).collect();
    let mut group = criterion.benchmark_group("partition");
    group.sample_size(20).throughput(Throughput::Elements(PHOTOS as u64));
    group.bench_function("positions to leaf ids, one thread", |bencher| {
        bencher.iter(|| {
            photos.iter().map(|&photo| CellId::leaf(photo).id()).fold(0, u64::wrapping_add)
        });
    });
    group.bench_function("positions to leaf ids, all threads", |bencher| {
        bencher.iter(|| {
            let mut builder = PhotoLeavesBuilder::new();
            builder.extend(black_box(&photos));
            builder
        });
    });
    group.bench_function(format!("leaf ids to {} classes", partition.len()), |bencher| {
        bencher.iter(|| arriving.iter().filter_map(|&leaf| partition.class_of_leaf(leaf)).count());
    });
    group.bench_function("sort and build", |bencher| {
        let mut builder = PhotoLeavesBuilder::new();
        builder.extend(&photos);
        bencher.iter(|| partition_of(&builder.clone().finish()));
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
