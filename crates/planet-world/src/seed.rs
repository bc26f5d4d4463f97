use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for; streams of two purposes never meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Which places there are and how popular.
    Places = 1,
    /// Facts that are drawn because no real ones exist.
    Facts = 2,
    /// One photo: its place, cues and position.
    Photo = 3,
    /// One author of single photos.
    Author = 5,
    /// One author of albums: home and camera.
    AlbumAuthor = 6,
    /// One album: its journey, its times, its photos.
    Album = 7,
    /// What a real library holds besides: copies, non-photos, withheld positions.
    Corruption = 8,
    /// The views of one scene, for retrieval.
    Scenes = 9,
    /// How far an author's clock is wrong.
    Clock = 10,
    /// An author's way between their photos.
    Tracks = 11,
    /// When an author's receiver is off.
    Receiver = 12,
}

/// The random numbers of one thing, whichever thread asks for them and whatever was asked before.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}
