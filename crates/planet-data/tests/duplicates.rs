//! Near-duplicates by their hashes, against comparing all pairs, and by what photos show.

use rand::{RngExt, SeedableRng};

use planet_data::{
    Code, Edit, GREATEST_DISTANCE, NearPair, NoMonitor, Photo, PhotoError, PhotoList, PhotoRecord,
    PhotoStore, near_pairs, near_photos, redundant,
};

fn random_hashes(count: usize, seed: u64) -> Vec<Code> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| Code::from_words(random.random())).collect()
}

fn with_bits_turned(hash: Code, bits: usize, seed: u64) -> Code {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut words = hash.words();
    let mut turned = 0;
    while turned < bits {
        let bit = random.random_range(0..256);
        if (words[bit / 64] ^ hash.words()[bit / 64]) >> (bit % 64) & 1 == 0 {
            words[bit / 64] ^= 1 << (bit % 64);
            turned += 1;
        }
    }
    Code::from_words(words)
}

#[test]
fn the_search_finds_exactly_what_comparing_all_pairs_finds() {
    let a = random_hashes(400, 1);
    for distance in [0, 7, 16, 24, 40, GREATEST_DISTANCE] {
        let near = |n: usize| with_bits_turned(a[n], n % 70, n as u64);
        let b: Vec<Code> = (0..300).map(near).collect();
        let mut wanted = Vec::new();
        for (at_b, &hash) in b.iter().enumerate() {
            for (at_a, &other) in a.iter().enumerate() {
                if hash.distance(other) <= distance {
                    let distance = hash.distance(other);
                    wanted.push(NearPair { a: at_a, b: at_b, distance });
                }
            }
        }
        assert!(wanted.len() >= 4);
        assert_eq!(near_pairs(&a, &b, distance, &NoMonitor).expect("found"), wanted);
    }
}

#[test]
fn of_a_group_the_largest_photo_is_kept() {
    let base = random_hashes(2, 3);
    let far = with_bits_turned(with_bits_turned(base[0], 8, 1), 8, 2);
    let hashes = [base[0], with_bits_turned(base[0], 8, 1), far, base[1], base[1]];
    let record =
        |width| PhotoRecord { width: Some(width), height: Some(10), ..PhotoRecord::default() };
    let records = [record(10), record(30), record(20), record(5), record(5)];
    let pairs = near_pairs(&hashes, &hashes, 10, &NoMonitor).expect("found");
    let kept = redundant(&records, pairs.iter().map(|pair| [pair.a, pair.b]));
    assert_eq!(kept, [[1, 0], [1, 2], [3, 4]]);
}

#[test]
fn thousands_of_equal_photos_are_one_group_and_not_millions_of_pairs() {
    let hashes = vec![random_hashes(1, 5)[0]; 20_000];
    let records = vec![PhotoRecord::default(); hashes.len()];
    let pairs = near_pairs(&hashes, &hashes, 16, &NoMonitor).expect("found");
    let pairs = redundant(&records, pairs.iter().map(|pair| [pair.a, pair.b]));
    assert_eq!(pairs.len(), 19_999);
    assert!(pairs.iter().all(|[kept, _]| *kept == 0));
}

#[test]
fn a_hash_and_its_text_are_each_others_name() {
    let hash = random_hashes(1, 7)[0];
    assert_eq!(hash.to_string().parse::<Code>(), Ok(hash));
    for text in ["", "00", &"g".repeat(64), &"ü".repeat(32)] {
        assert!(text.parse::<Code>().is_err(), "{text}");
    }
}

/// Photos by name; "damaged" is none.
struct Drawn;

impl PhotoStore for Drawn {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let [number, edit] = id.split_once('-').map_or([id, ""], |(number, edit)| [number, edit]);
        let seed = number.parse().map_err(|_| PhotoError::Empty)?;
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let colours: Vec<[u8; 3]> = (0..20 * 15).map(|_| random.random()).collect();
        let colour = |x: u32, y: u32| colours[(y / 16 * 20 + x / 16) as usize];
        let pixels = (0..240).flat_map(|y| (0..320).flat_map(move |x| colour(x, y))).collect();
        let photo = Photo::from_rgb(320, 240, pixels)?;
        Ok(match edit {
            "crop" => Edit::Crop.apply(&photo, 0.4, 1),
            "blur" => Edit::Blur.apply(&photo, 0.02, 1),
            _ => photo,
        })
    }
}

#[test]
fn near_photos_are_found_by_what_they_show_in_either_order_and_within_one_list() {
    let ids = |ids: &[&str]| ids.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let list = |photos| PhotoList { store: &Drawn, photos };
    let all = ids(&["0", "1", "damaged", "2", "3", "4", "5"]);
    let copies = ids(&["9", "3-crop", "damaged", "5-blur"]);
    let mut failed = Vec::new();
    let found = near_photos(list(&all), Some(list(&copies)), 47, &NoMonitor, &mut failed);
    let found = found.expect("not cancelled");
    let pairs: Vec<[usize; 2]> = found.iter().map(|it| [it.a, it.b]).collect();
    assert_eq!(pairs, [[4, 1], [6, 3]]);
    // A crop has a hash of its own, and blur leaves the hash.
    assert!(found[0].share.is_some_and(|it| it > 0.9) && found[0].distance > 63, "{found:?}");
    assert!(found[1].distance <= 47, "{found:?}");
    assert_eq!(failed.len(), 2);
    let turned = near_photos(list(&copies), Some(list(&all)), 47, &NoMonitor, &mut failed);
    let pairs: Vec<[usize; 2]> =
        turned.expect("not cancelled").iter().map(|it| [it.a, it.b]).collect();
    assert_eq!(pairs, [[1, 4], [3, 6]]);
    let one = ids(&["0-crop", "damaged", "7", "0", "7"]);
    let within = near_photos(list(&one), None, 47, &NoMonitor, &mut failed).expect("found");
    let pairs: Vec<[usize; 2]> = within.iter().map(|it| [it.a, it.b]).collect();
    assert_eq!(pairs, [[0, 3], [2, 4]]);
    assert_eq!(within[1].distance, 0);
    assert_eq!(near_photos(list(&[]), None, 47, &NoMonitor, &mut failed).expect("found"), []);
}
