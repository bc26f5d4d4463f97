use tiny_skia::Color;

/// Red, green, blue and cover, each 0..=255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour([u8; 4]);

impl Colour {
    /// From `0xRRGGBB`, opaque.
    pub(super) const fn hex(rgb: u32) -> Self {
        Self([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8, 255])
    }

    /// Black that lets through what is below, but for a share.
    pub(super) fn shade(share: f32) -> Self {
        Self::hex(0x101020).cover(share)
    }

    /// The same colour, covering what is below only to a share.
    pub(super) fn cover(self, share: f32) -> Self {
        let [red, green, blue, _] = self.0;
        Self([red, green, blue, (share * 255.0).round() as u8])
    }

    /// On the way to another colour: 0 is this one, 1 the other.
    pub(super) fn towards(self, other: Self, share: f32) -> Self {
        Self(std::array::from_fn(|channel| {
            let (from, to) = (f32::from(self.0[channel]), f32::from(other.0[channel]));
            (from + (to - from) * share).round() as u8
        }))
    }

    /// Darker by a share.
    pub(super) fn dark(self, share: f32) -> Self {
        self.towards(Self::hex(0x0c0c18), share)
    }

    /// Lighter by a share.
    pub(super) fn light(self, share: f32) -> Self {
        self.towards(Self::hex(0xffffff), share)
    }

    pub(super) fn to_skia(self) -> Color {
        let [red, green, blue, alpha] = self.0;
        Color::from_rgba8(red, green, blue, alpha)
    }
}

pub(super) const WHITE: Colour = Colour::hex(0xf8f8f4);
pub(super) const BLACK: Colour = Colour::hex(0x1c1c22);
pub(super) const RED: Colour = Colour::hex(0xd82020);
pub(super) const YELLOW: Colour = Colour::hex(0xf8cc10);
pub(super) const BLUE: Colour = Colour::hex(0x1850d0);
pub(super) const GREEN: Colour = Colour::hex(0x189040);
pub(super) const ORANGE: Colour = Colour::hex(0xf47c10);
pub(super) const PURPLE: Colour = Colour::hex(0x8030b0);
pub(super) const WOOD: Colour = Colour::hex(0x6a4428);
