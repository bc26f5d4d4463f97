//! What holds for every partition that is built, whatever the photos.

use std::collections::BTreeMap;

use planet_geo::{Adaptive, CellId, ClassId, Keep, LatLng, Level, Partition, PhotoLeaves, Uniform};
use proptest::prelude::*;

/// Photos as there are: clusters at a few places, one coordinate many times, some anywhere.
fn photos() -> impl Strategy<Value = Vec<LatLng>> {
    let anywhere = (-90.0..=90.0f64, -180.0..180.0f64);
    let cluster = (anywhere.clone(), 0.0..3.0f64, 1..60usize);
    let clusters = prop::collection::vec(cluster, 1..8);
    (clusters, prop::collection::vec(anywhere, 0..60)).prop_map(|(clusters, lonely)| {
        let mut photos = Vec::new();
        for ((lat, lng), spread, count) in clusters {
            for i in 0..count {
                // A spiral: near points and far ones, and the same one again for no spread.
                let turn = i as f64 * 2.4;
                let reach = spread * (i as f64 / count as f64);
                photos.push((
                    (lat + reach * turn.sin()).clamp(-90.0, 90.0),
                    lng + reach * turn.cos(),
                ));
            }
        }
        photos.extend(lonely);
        photos.into_iter().map(|(lat, lng)| LatLng::new(lat, lng).expect("in range")).collect()
    })
}

fn rules(split_above: u64, keep: Keep, min: u8, max: u8) -> Adaptive {
    let level = |level| Level::new(level).expect("a level");
    let (min_level, max_level) = (level(min), level(max));
    Adaptive { split_above, keep, min_level, max_level, ..Adaptive::default() }
}

/// The paper's rule as it reads, one photo at a time.
fn naively(photos: &[LatLng], rules: &Adaptive) -> BTreeMap<u64, u64> {
    let mut open: Vec<(CellId, Vec<LatLng>)> =
        CellId::faces().into_iter().map(|face| (face, photos.to_vec())).collect();
    let mut kept = BTreeMap::new();
    while let Some((cell, mut inside)) = open.pop() {
        inside.retain(|&photo| cell.contains(CellId::leaf(photo)));
        let count = inside.len() as u64;
        let splits = cell.level() < rules.min_level
            || (count > rules.split_above && cell.level() < rules.max_level);
        match cell.children() {
            Some(children) if splits && count > 0 => {
                open.extend(children.map(|child| (child, inside.clone())));
            }
            _ if rules.keep.keeps(count) => {
                kept.insert(cell.id(), count);
            }
            _ => {}
        }
    }
    kept
}

fn text(partition: &Partition) -> String {
    let mut bytes = Vec::new();
    partition.write(&mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("text")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_adaptive_partition_is_what_the_papers_rule_says(
        photos in photos(), split_above in 1..60u64, keep in 1..20u64, min in 0..5u8, more in any::<bool>(),
    ) {
        let keep = keep.min(split_above);
        let keep = if more { Keep::MoreThan(keep - 1) } else { Keep::From(keep) };
        let rules = rules(split_above, keep, min, 12);
        let expected = naively(&photos, &rules);
        let leaves: PhotoLeaves = photos.iter().copied().collect();
        match rules.build(&leaves) {
            Err(_) => prop_assert!(expected.is_empty()),
            Ok(partition) => {
                let found: Vec<(u64, u64)> = partition
                    .classes()
                    .iter()
                    .map(|class| (class.cells()[0].id(), class.photos))
                    .collect();
                prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
                let kept: u64 = partition.classes().iter().map(|class| class.photos).sum();
                let outside = partition.info().photos_outside.expect("counted");
                prop_assert_eq!(kept + outside, photos.len() as u64);
            }
        }
    }

    #[test]
    fn every_photo_is_looked_up_where_it_was_counted(photos in photos(), level in 0..16u8) {
        let leaves: PhotoLeaves = photos.iter().copied().collect();
        let rules = Uniform {
            level: Level::new(level).expect("a level"),
            keep: Keep::From(2),
            point: planet_geo::Point::Mean,
            source: String::new(),
        };
        let Ok(partition) = rules.build(&leaves) else { return Ok(()) };
        let mut counted = vec![0; partition.len()];
        let mut outside = 0;
        for &photo in &photos {
            match partition.class_of(photo) {
                Some(ClassId(class)) => counted[class as usize] += 1,
                None => outside += 1,
            }
        }
        let said: Vec<u64> = partition.classes().iter().map(|class| class.photos).collect();
        prop_assert_eq!(counted, said);
        prop_assert_eq!(Some(outside), partition.info().photos_outside);
    }

    #[test]
    fn a_partition_is_the_same_for_every_order_of_the_photos_and_number_of_threads(
        photos in photos(), turn in 0..1000usize,
    ) {
        let rules = rules(20, Keep::From(2), 0, 30);
        let build = |photos: &[LatLng], threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| rules.build(&photos.iter().copied().collect()).map(|p| text(&p)))
        };
        let mut turned = photos.clone();
        turned.rotate_left(turn % photos.len());
        turned.reverse();
        prop_assert_eq!(build(&photos, 1), build(&turned, 3));
    }

    #[test]
    fn what_is_written_is_read_back(photos in photos()) {
        let leaves: PhotoLeaves = photos.into_iter().collect();
        let mut rules = rules(20, Keep::From(2), 0, 30);
        rules.source = "a, \"b\" # c=d".to_owned();
        let Ok(partition) = rules.build(&leaves) else { return Ok(()) };
        let text = text(&partition);
        let back = Partition::read(text.as_bytes(), "p.csv").expect("our own file");
        prop_assert_eq!(back.info(), partition.info());
        prop_assert_eq!(back.classes(), partition.classes());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,300}", cut in 0..400usize) {
        let whole = "# format=planet-partition-1\ncell,photos,lat,lng,centre_lat,centre_lng\n\
                     1,5,1,2,0,0\nother,0,,,,\n,1,4,5,,\n3,7,,,,\n";
        let cut = &whole[..cut.min(whole.len())];
        for text in [&text, cut, &format!("{cut}{text}")] {
            if let Ok(partition) = Partition::read(text.as_bytes(), "p.csv") {
                prop_assert!(partition.len() > 0);
            }
        }
    }
}
