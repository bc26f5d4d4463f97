//! How fast the synthetic earth is: photos painted and encoded, posteriors, albums.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use planet_world::{Journeys, PictureSize, World, WorldParameters};

fn benches(criterion: &mut Criterion) {
    let world = World::draw(WorldParameters::new(0)).expect("a world");
    let mut group = criterion.benchmark_group("world");
    group.throughput(Throughput::Elements(1));
    for pixels in [96, 128, 320] {
        let size = PictureSize::new(pixels).expect("a size");
        let mut number = 0;
        group.bench_function(format!("painted-and-encoded-{pixels}"), |bencher| {
            bencher.iter(|| {
                number += 1;
                black_box(world.photo(1, number).jpeg(size).expect("a photo"))
            });
        });
    }
    let size = PictureSize::new(128).expect("a size");
    let mut number = 0;
    group.bench_function("painted-128", |bencher| {
        bencher.iter(|| {
            number += 1;
            black_box(world.photo(1, number).picture(size))
        });
    });
    group.bench_function("posterior", |bencher| {
        bencher.iter(|| {
            number += 1;
            black_box(world.posterior(&world.photo(1, number).cues))
        });
    });
    let journeys = Journeys::new(&world);
    let cues: Vec<_> =
        (0..).flat_map(|album| journeys.album(1, album)).map(|photo| photo.cues).take(35).collect();
    group.sample_size(10);
    group.bench_function("album-of-35", |bencher| {
        bencher.iter(|| black_box(journeys.posteriors(&cues, None)));
    });
    group.finish();
}

criterion_group!(world, benches);
criterion_main!(world);
