use image::DynamicImage;

/// Eight-bit RGB, transparent parts over white.
pub(super) fn on_white(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_alpha() {
        return image.into_rgb8().into_raw();
    }
    let rgba = image.into_rgba8();
    let blend = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    rgba.pixels().flat_map(|p| [p[0], p[1], p[2]].map(|value| blend(value, p[3]))).collect()
}
