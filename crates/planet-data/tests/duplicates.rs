//! Near-duplicates by their hashes, against comparing all pairs.

use rand::{RngExt, SeedableRng};

use planet_data::{
    Code, GREATEST_DISTANCE, NearPair, NoMonitor, PhotoRecord, near_pairs, redundant,
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
    let pairs = redundant(&records, &hashes, 10, &NoMonitor).expect("found");
    let kept: Vec<(usize, usize)> = pairs.iter().map(|pair| (pair.a, pair.b)).collect();
    assert_eq!(kept, [(1, 0), (1, 2), (3, 4)]);
}

#[test]
fn thousands_of_equal_photos_are_one_group_and_not_millions_of_pairs() {
    let hashes = vec![random_hashes(1, 5)[0]; 20_000];
    let records = vec![PhotoRecord::default(); hashes.len()];
    let pairs = redundant(&records, &hashes, 16, &NoMonitor).expect("found");
    assert_eq!(pairs.len(), 19_999);
    assert!(pairs.iter().all(|pair| pair.a == 0));
}

#[test]
fn a_hash_and_its_text_are_each_others_name() {
    let hash = random_hashes(1, 7)[0];
    assert_eq!(hash.to_string().parse::<Code>(), Ok(hash));
    for text in ["", "00", &"g".repeat(64), &"ü".repeat(32)] {
        assert!(text.parse::<Code>().is_err(), "{text}");
    }
}
