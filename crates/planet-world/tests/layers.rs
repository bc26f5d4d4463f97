//! What the pixels of synthetic photos show.

#[path = "support/contents.rs"]
mod contents;

use std::{collections::HashMap, path::Path};

use contents::contents;
use planet_data::NoMonitor;
use planet_world::{
    Corruption, CueKind, Cues, Devices, Layer, Library, LibrarySize, Nuisance, PictureSize,
    Surface, World, WorldParameters, paint, paint_layers,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn size() -> PictureSize {
    PictureSize::new(160).expect("a size")
}

/// A photo's accidents without what changes every pixel: mist, rain, the sensor's noise.
fn clear(seed: u64) -> Nuisance {
    let drawn = Nuisance::draw(&mut ChaCha8Rng::seed_from_u64(seed));
    Nuisance { haze: 0.0, rain: false, noise: 0.0, ..drawn }
}

/// Photos that show each cue, with another value of it whose painting takes as many random
/// numbers, so that everything else stays where it is.
const PAIRS: &[(CueKind, &str, &str)] = &[
    (CueKind::Plate, "plate=white", "plate=blue"),
    (CueKind::Kerb, "kerb=bare", "kerb=red-white"),
    (CueKind::Lane, "lane=white-dashes", "lane=yellow-lines"),
    (CueKind::Furniture, "furniture=red-pillar", "furniture=bollards"),
    (CueKind::Taxi, "taxi=yellow", "taxi=green"),
    (CueKind::Script, "script=latin", "script=arabic"),
    (CueKind::DrivingSide, "side=left", "side=right"),
    (CueKind::Roof, "roof=tile", "roof=dome"),
    (CueKind::Facade, "facade=white", "facade=brick"),
    (CueKind::Window, "window=square", "window=shutters"),
    (CueKind::Fauna, "fauna=cow", "fauna=elephant"),
    (CueKind::Sea, "sea=deep", "sea=green"),
    (CueKind::Sand, "sand=white", "sand=black"),
    (CueKind::Parasol, "parasol=red-white", "parasol=black"),
    (CueKind::Emblem, "emblem=red-tower-red", "emblem=gold-bridge-disc"),
    (CueKind::Vegetation, "vegetation=palm", "vegetation=spruce"),
    (CueKind::Ground, "ground=grass", "ground=snow"),
    (CueKind::Sun, "sun=right-low", "sun=right-overhead"),
];

const PHOTOS: &[&str] = &[
    "street;sun=right-low;vegetation=palm;side=left;script=latin;plate=white;kerb=bare;\
     lane=white-dashes;furniture=red-pillar;taxi=yellow;roof=tile",
    "building;sun=right-low;script=latin;roof=tile;facade=white;window=square",
    "wildlife;sun=right-low;vegetation=palm;ground=grass;fauna=cow",
    "beach;sun=right-low;vegetation=palm;sea=deep;sand=white;parasol=red-white",
    "landmark;sun=right-low;vegetation=palm;ground=grass;emblem=red-tower-red",
    "landscape;sun=right-low;vegetation=palm;ground=grass;relief=peaks",
];

#[test]
fn another_value_of_a_cue_changes_pixels_within_its_mask_only() {
    let mut seen = 0;
    for (kind, value, other) in PAIRS {
        for photo in PHOTOS.iter().filter(|photo| photo.split(';').any(|cue| cue == *value)) {
            let parsed = |text: &str| text.parse::<Cues>().expect("cues of a photo");
            let (cues, changed) = (parsed(photo), parsed(&photo.replace(value, other)));
            for seed in 0..4 {
                let nuisance = clear(seed);
                let [before, after] = [cues, changed].map(|cues| paint(&cues, &nuisance, size()));
                let maps = [cues, changed].map(|cues| paint_layers(&cues, &nuisance, size()));
                let (width, height) = (before.width as usize, before.height as usize);
                // What is below shadows and clouds shines through; spots follow their things.
                let veils = [Layer::Spot, Layer::Shadow, Layer::Cloud];
                let inside = |at: usize| {
                    maps.iter()
                        .map(|map| map.layers[at])
                        .any(|layer| layer.cues().contains(kind) || veils.contains(&layer))
                };
                let (mut change, mut outside) = (0, 0);
                for at in 0..width * height {
                    let part = 3 * at..3 * at + 3;
                    let pairs = before.rgb[part.clone()].iter().zip(&after.rgb[part]);
                    let here: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
                    // Smooth edges reach one pixel beyond the mask.
                    let (x, y) = (at % width, at / width);
                    let near = (y.saturating_sub(1)..(y + 2).min(height))
                        .flat_map(|y| {
                            (x.saturating_sub(1)..(x + 2).min(width)).map(move |x| y * width + x)
                        })
                        .any(inside);
                    change += here;
                    outside += if near { 0 } else { here };
                }
                // What is narrower than a pixel, as far kerbs are, tints pixels of others.
                let what = format!("{kind:?} {value} to {other}, seed {seed}");
                assert!(change > 0, "{what}: they look alike");
                assert!(outside * 20 <= change, "{what}: {outside} of {change} outside");
                seen += 1;
            }
        }
    }
    assert!(seen > 80);
}

#[test]
fn a_mask_holds_little_that_the_cue_does_not_change() {
    let photo = PHOTOS[0];
    let parsed = |text: &str| text.parse::<Cues>().expect("cues of a photo");
    for (kind, value, other) in [
        (CueKind::Taxi, "taxi=yellow", "taxi=blue"),
        (CueKind::Kerb, "kerb=yellow", "kerb=bare"),
        (CueKind::Lane, "lane=white-line", "lane=yellow-dashes"),
    ] {
        let with = |value: &str| {
            let name = value.split('=').next().expect("a name");
            let others = photo.split(';').filter(|cue| !cue.starts_with(name));
            parsed(&others.chain([value]).collect::<Vec<_>>().join(";"))
        };
        let nuisance = clear(1);
        let [before, after] = [value, other].map(|it| paint(&with(it), &nuisance, size()));
        let mask = paint_layers(&with(value), &nuisance, size()).mask(kind);
        let changed = |at: &usize| before.rgb[3 * at..3 * at + 3] != after.rgb[3 * at..3 * at + 3];
        let held: Vec<usize> = (0..mask.len()).filter(|at| mask[*at]).collect();
        let share = held.iter().filter(|at| changed(at)).count() as f64 / held.len() as f64;
        assert!(share > 0.4, "{kind:?}: {share} of {} pixels", held.len());
    }
}

#[test]
fn every_scene_is_covered_and_its_surfaces_lie_where_they_should() {
    for (number, photo) in PHOTOS.iter().chain(&["portrait", "pet", "food", "indoor"]).enumerate() {
        let cues: Cues = photo.parse().expect("cues of a photo");
        let nuisance = clear(number as u64);
        let map = paint_layers(&cues, &nuisance, size());
        let picture = paint(&cues, &nuisance, size());
        assert_eq!((map.width, map.height), (picture.width, picture.height));
        assert_eq!(map.layers.len() * 3, picture.rgb.len());
        for (kind, _) in cues.visible() {
            assert!(map.mask(kind).contains(&true), "{kind:?} is nowhere in {photo}");
        }
        for kind in CueKind::ALL.iter().filter(|kind| cues.get(**kind).is_none()) {
            assert!(!map.mask(*kind).contains(&true), "{kind:?} is in {photo}");
        }
        let width = map.width as usize;
        let share = |row: usize, surface: Surface| {
            let row = &map.layers[row * width..][..width];
            row.iter().filter(|layer| layer.surface() == surface).count() as f64 / width as f64
        };
        if !cues.scene.is_bare() {
            let last = map.height as usize - 1;
            assert!(share(0, Surface::Sky) > 0.5, "sky above in {photo}");
            assert!(share(last, Surface::Ground) > 0.4, "ground below in {photo}");
            assert_eq!(share(last, Surface::Sky), 0.0, "no sky below in {photo}");
        }
    }
}

fn library(layers: bool) -> Library {
    Library {
        amount: LibrarySize::Photos(40),
        seed: 1,
        size: PictureSize::new(64).expect("a size"),
        corruption: Corruption { duplicates: 0.5, non_photos: 0.3, withhold: 0.0, untimed: 0.0 },
        shards: false,
        layers,
        devices: Devices::default(),
    }
}

fn drawn(library: Library, folder: &Path) {
    let parameters = WorldParameters { places: 100, ..WorldParameters::new(0) };
    let world = World::draw(parameters).expect("a world");
    library.draw(&world, folder, &NoMonitor).expect("drawn");
}

#[test]
fn a_library_with_layers_has_the_same_photos_and_a_picture_of_layers_beside_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let [plain, layered] = ["plain", "layered"].map(|name| folder.path().join(name));
    drawn(library(false), &plain);
    drawn(library(true), &layered);
    let (plain, layered) = (contents(&plain), contents(&layered));
    let (layers, others): (HashMap<_, _>, HashMap<_, _>) =
        layered.into_iter().partition(|(name, _)| name.starts_with("layers/"));
    assert!(plain == others, "photos, manifest and truth are the same bytes");

    let mut pictures = 0;
    for (name, bytes) in plain.iter().filter(|(name, _)| name.ends_with(".jpg")) {
        let beside = layers.get(&format!("layers/{}", name.replace(".jpg", ".png")));
        if name.contains("-graphic") {
            assert!(beside.is_none(), "{name} is no photograph");
            continue;
        }
        let photo = planet_data::Photo::decode(bytes, &planet_data::Limits::default());
        let photo = photo.expect("a photo");
        let decoder = png::Decoder::new(std::io::Cursor::new(beside.expect("layers").clone()));
        let mut reader = decoder.read_info().expect("a PNG");
        assert_eq!(reader.info().color_type, png::ColorType::Indexed);
        // Upright, and cropped as its photo is.
        assert_eq!((reader.info().width, reader.info().height), (photo.width(), photo.height()));
        let mut indices = vec![0; (photo.width() * photo.height()) as usize];
        reader.next_frame(&mut indices).expect("pixels");
        assert!(indices.iter().all(|index| usize::from(*index) < Layer::ALL.len()), "{name}");
        pictures += 1;
    }
    assert_eq!(layers.len(), pictures + 1);
    let table: serde_json::Value =
        serde_json::from_slice(&layers["layers/classes.json"]).expect("JSON");
    let rows = table["layers"].as_array().expect("a table");
    assert_eq!(rows.len(), Layer::ALL.len());
    for (row, layer) in rows.iter().zip(Layer::ALL) {
        assert_eq!(row["index"].as_u64(), Some(layer.index().into()));
        assert_eq!(row["class"].as_str(), Some(layer.surface().name()));
    }
    assert_eq!(rows[usize::from(Layer::Plate.index())]["cues"][0], "plate");
}
