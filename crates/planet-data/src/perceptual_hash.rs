use image_hasher::{HashAlg, HasherConfig};

use crate::{Code, Filter, Fit, Photo, Preprocess};

/// Side of the small picture that the hash is made of, in pixels.
const SIDE: usize = 64;

/// The hash of a photo: signs of the 16 × 16 lowest frequencies of its brightness around
/// their median (pHash), which survive recompression, resizing, tone and slight crops.
pub fn perceptual_hash(photo: &Photo) -> Code {
    let small =
        Preprocess { fit: Fit::Squash, filter: Filter::Bilinear, ..Preprocess::inception(SIDE) };
    let side = SIDE as u32;
    let pixels = small.fitted(photo).pixels;
    let picture = image::RgbImage::from_raw(side, side, pixels)
        .expect("a fitted photo has three bytes a pixel");
    let hasher = HasherConfig::with_bytes_type::<[u8; 32]>()
        .hash_size(16, 16)
        .hash_alg(HashAlg::Median)
        .preproc_dct()
        .to_hasher();
    let bytes = hasher.hash_image(&picture).into_inner();
    let (words, _) = bytes.as_chunks::<8>();
    Code::from_words(std::array::from_fn(|word| u64::from_be_bytes(words[word])))
}
