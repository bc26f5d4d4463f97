use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{CueKind, WorldError};

/// What a part of a picture is geometrically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Surface {
    /// Lies flat: earth, road, water, floor.
    Ground,
    /// Stands upright: walls, cars, animals, mountains.
    Vertical,
    /// Sky with all that is in it.
    Sky,
    /// Plants, their stems included.
    Foliage,
}

impl Surface {
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ground => "ground",
            Self::Vertical => "vertical",
            Self::Sky => "sky",
            Self::Foliage => "foliage",
        }
    }
}

/// Declares [`Layer`] from one table: what it is, its name in files, its surface, and the cues
/// that its pixels show.
macro_rules! layers {
    ($($(#[$doc:meta])* $layer:ident = $name:literal $surface:ident [$($cue:ident)*],)+) => {
        /// What a pixel of a synthetic photo shows: the thing that the painter put there last.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Layer { $($(#[$doc])* $layer,)+ }

        impl Layer {
            /// All layers, in the order of their indices.
            pub const ALL: &[Self] = &[$(Self::$layer,)+];

            /// Its name in files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$layer => $name,)+ }
            }

            /// What it is geometrically.
            pub const fn surface(self) -> Surface {
                match self { $(Self::$layer => Surface::$surface,)+ }
            }

            /// The cues that its pixels show; another value of one of them changes the pixels.
            pub const fn cues(self) -> &'static [CueKind] {
                match self { $(Self::$layer => &[$(CueKind::$cue),*],)+ }
            }
        }
    };
}

layers! {
    /// Clear sky, whose colours tell the sun's height.
    Sky = "sky" Sky [Sun],
    /// The sun and its glow.
    Sun = "sun" Sky [Sun],
    /// A clouded sky.
    Overcast = "overcast" Sky [],
    /// A cloud.
    Cloud = "cloud" Sky [],
    /// A shadow on the ground, thrown by the sun.
    Shadow = "shadow" Ground [Sun],
    /// The dark spot under a thing, whatever the sun.
    Spot = "spot" Ground [],
    /// Open ground with its tufts and stones.
    Ground = "ground" Ground [Ground],
    /// Mountains and hills on the horizon.
    Relief = "relief" Vertical [Relief],
    /// A plant.
    Plant = "plant" Foliage [Vegetation],
    /// Paved ground beside a road or before a building.
    Pavement = "pavement" Ground [],
    /// The surface of a road.
    Road = "road" Ground [],
    /// A kerb.
    Kerb = "kerb" Ground [Kerb],
    /// Paint in the middle of a road.
    Lane = "lane" Ground [Lane],
    /// Walls of a street, and a building's door.
    House = "house" Vertical [],
    /// The wall of a building.
    Facade = "facade" Vertical [Facade],
    /// A window of a building.
    Window = "window" Vertical [Window],
    /// A roof.
    Roof = "roof" Vertical [Roof],
    /// A sign with its letters.
    Sign = "sign" Vertical [Script],
    /// What stands at the roadside.
    Furniture = "furniture" Vertical [Furniture],
    /// A car without its plate; where it is tells the driving side.
    Car = "car" Vertical [DrivingSide],
    /// A taxi.
    Taxi = "taxi" Vertical [Taxi DrivingSide],
    /// A number plate.
    Plate = "plate" Vertical [Plate DrivingSide],
    /// An animal of the country.
    Animal = "animal" Vertical [Fauna],
    /// The sea with its surf.
    Sea = "sea" Ground [Sea],
    /// A beach.
    Sand = "sand" Ground [Sand],
    /// A parasol.
    Parasol = "parasol" Vertical [Parasol],
    /// A city's landmark with its banners.
    Landmark = "landmark" Vertical [Emblem],
    /// The wall of a room.
    Wall = "wall" Vertical [],
    /// A floor, a rug or a tablecloth.
    Floor = "floor" Ground [],
    /// A person, a pet, a plate or a piece of furniture, alike everywhere.
    Thing = "thing" Vertical [],
}

impl Layer {
    /// Its value in layer pictures.
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// A colour for eyes: hues a golden angle apart, so that neighbours in the table differ.
    fn colour(self) -> [u8; 3] {
        let hue = f64::from(self.index()) * 137.508 / 60.0;
        [5.0, 3.0, 1.0].map(|part: f64| {
            let place = (part + hue) % 6.0;
            let share = place.min(4.0 - place).clamp(0.0, 1.0);
            (235.0 * (1.0 - 0.65 * share)) as u8
        })
    }
}

/// What every pixel of a synthetic photo shows, upright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerMap {
    /// Width in pixels, the photo's.
    pub width: u32,
    /// Height in pixels, the photo's.
    pub height: u32,
    /// `[height, width]`
    pub layers: Vec<Layer>,
}

impl LayerMap {
    /// Which pixels show a cue, `[height, width]`.
    pub fn mask(&self, cue: CueKind) -> Vec<bool> {
        self.layers.iter().map(|layer| layer.cues().contains(&cue)).collect()
    }

    /// An indexed PNG file, whose pixels are [`Layer::index`].
    ///
    /// # Errors
    /// The encoder fails.
    pub fn to_png(&self) -> Result<Vec<u8>, WorldError> {
        let failed = |error: png::EncodingError| WorldError::Encode {
            photo: "layers".to_owned(),
            why: error.to_string(),
        };
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(Layer::ALL.iter().flat_map(|it| it.colour()).collect::<Vec<u8>>());
        let mut writer = encoder.write_header().map_err(failed)?;
        let indices: Vec<u8> = self.layers.iter().map(|layer| layer.index()).collect();
        writer.write_image_data(&indices).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    /// The part of the map between two columns and two rows, the second of each excluded.
    pub(crate) fn part(&self, [left, right]: [u32; 2], [top, bottom]: [u32; 2]) -> Self {
        let rows = self.layers.chunks_exact(self.width as usize);
        let rows = rows.skip(top as usize).take((bottom - top) as usize);
        let layers = rows.flat_map(|row| &row[left as usize..right as usize]).copied().collect();
        Self { width: right - left, height: bottom - top, layers }
    }
}

/// The table of all layers: index, name, geometric class, cues.
pub(crate) fn layer_table() -> Value {
    let row = |layer: &Layer| {
        let cues: Vec<&str> = layer.cues().iter().map(|cue| cue.name()).collect();
        json!({
            "index": layer.index(),
            "name": layer.name(),
            "class": layer.surface().name(),
            "cues": cues,
        })
    };
    let mut classes: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for layer in Layer::ALL {
        classes.entry(layer.surface().name()).or_default().push(layer.index());
    }
    json!({
        "format": "planet-layers-1",
        "classes": classes,
        "layers": Layer::ALL.iter().map(row).collect::<Vec<_>>(),
    })
}
