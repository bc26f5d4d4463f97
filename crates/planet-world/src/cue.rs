//! The visible cues to a place, each a small closed set of values.

use std::fmt;

/// A visible cue to the place, with a small set of values.
pub trait Cue: Copy + Sized {
    /// How many values there are.
    const COUNT: usize;
    /// The value's number, 0..COUNT.
    fn index(self) -> usize;
    /// The value of a number below COUNT.
    fn from_index(index: usize) -> Self;
    /// The value's name in files: lower case, parts joined by `-`.
    fn name(self) -> String;

    /// The value of a name.
    fn from_name(name: &str) -> Option<Self> {
        (0..Self::COUNT).map(Self::from_index).find(|value| value.name() == name)
    }
}

/// An enum without payload whose values are a cue's.
macro_rules! cue {
    ($(#[$doc:meta])* $name:ident: $($(#[$value_doc:meta])* $value:ident = $text:literal,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// All values, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$value,)+];
        }

        impl Cue for $name {
            const COUNT: usize = Self::ALL.len();
            fn index(self) -> usize { self as usize }
            fn from_index(index: usize) -> Self { Self::ALL[index] }
            fn name(self) -> String {
                match self { $(Self::$value => $text,)+ }.to_owned()
            }
        }
    };
}

cue! {
    /// Which side of the picture the noon sun stands at. Photographers on the synthetic
    /// earth look east, so that right means a sun in the south.
    SunSide:
    /// The sun stands in the north.
    Left = "left",
    /// The sun stands in the south.
    Right = "right",
}

cue! {
    /// How high the noon sun stands; shadows are the longer the lower it is.
    SunHeight:
    /// Under 25 degrees.
    Low = "low",
    /// 25 to 45 degrees.
    Middle = "middle",
    /// 45 to 65 degrees.
    High = "high",
    /// Above 65 degrees.
    Overhead = "overhead",
}

cue! {
    /// What grows there.
    Vegetation:
    /// Palms.
    Palm = "palm",
    /// Umbrella-shaped acacias.
    Acacia = "acacia",
    /// Column cacti.
    Cactus = "cactus",
    /// Slim dark cypresses.
    Cypress = "cypress",
    /// Round broad-leaved trees.
    Oak = "oak",
    /// White-stemmed birches.
    Birch = "birch",
    /// Spruces.
    Spruce = "spruce",
    /// Bamboo.
    Bamboo = "bamboo",
    /// Low shrubs with pink blossoms, and no trees.
    Heath = "heath",
}

cue! {
    /// What covers the ground.
    Ground:
    /// Green grass.
    Grass = "grass",
    /// Straw-coloured grass.
    Straw = "straw",
    /// Pale sand.
    Dune = "dune",
    /// Red earth.
    Laterite = "laterite",
    /// Snow.
    Snow = "snow",
    /// Grey stones with moss.
    Scree = "scree",
}

cue! {
    /// What stands on the horizon.
    Relief:
    /// Nothing.
    Plain = "plain",
    /// Round hills.
    Hills = "hills",
    /// Table mountains.
    Mesas = "mesas",
    /// Peaks with snow.
    Peaks = "peaks",
    /// One volcano with its smoke.
    Volcano = "volcano",
}

cue! {
    /// The side of the road that one drives on.
    DrivingSide:
    /// As in Japan.
    Left = "left",
    /// As in France.
    Right = "right",
}

cue! {
    /// The script on signs.
    Script:
    /// Latin.
    Latin = "latin",
    /// Cyrillic.
    Cyrillic = "cyrillic",
    /// Greek.
    Greek = "greek",
    /// Arabic and its kin.
    Arabic = "arabic",
    /// Hebrew.
    Hebrew = "hebrew",
    /// Devanagari and its kin with a head line.
    Devanagari = "devanagari",
    /// The round scripts of southern India and of Burma, Sri Lanka and Cambodia.
    Southern = "southern",
    /// Thai and Lao.
    Thai = "thai",
    /// Chinese characters.
    Han = "han",
    /// Japanese syllables.
    Kana = "kana",
    /// Korean syllables.
    Hangul = "hangul",
    /// Ethiopic.
    Ethiopic = "ethiopic",
    /// Georgian and Armenian.
    Caucasian = "caucasian",
}

cue! {
    /// Colour of a number plate.
    Plate:
    /// White.
    White = "white",
    /// Yellow.
    Yellow = "yellow",
    /// Blue.
    Blue = "blue",
    /// Green.
    Green = "green",
    /// Red.
    Red = "red",
    /// Black.
    Black = "black",
}

cue! {
    /// Paint on the kerb.
    Kerb:
    /// Bare stone.
    Bare = "bare",
    /// Red and white in turn.
    RedWhite = "red-white",
    /// Black and white in turn.
    BlackWhite = "black-white",
    /// Yellow all along.
    Yellow = "yellow",
    /// Blue and white in turn.
    BlueWhite = "blue-white",
    /// Green and yellow in turn.
    GreenYellow = "green-yellow",
}

cue! {
    /// Paint in the middle of the road.
    Lane:
    /// White dashes.
    WhiteDashes = "white-dashes",
    /// Yellow dashes.
    YellowDashes = "yellow-dashes",
    /// One white line.
    WhiteLine = "white-line",
    /// Two yellow lines.
    YellowLines = "yellow-lines",
}

cue! {
    /// What stands at the roadside.
    Furniture:
    /// A red pillar box.
    RedPillar = "red-pillar",
    /// A green pillar box.
    GreenPillar = "green-pillar",
    /// A yellow box on a post.
    YellowBox = "yellow-box",
    /// A blue box on a post.
    BlueBox = "blue-box",
    /// A red hydrant.
    RedHydrant = "red-hydrant",
    /// A yellow hydrant.
    YellowHydrant = "yellow-hydrant",
    /// A round white lamp on a dark post.
    GlobeLamp = "globe-lamp",
    /// Orange bollards.
    Bollards = "bollards",
}

cue! {
    /// Colour of a taxi.
    Taxi:
    /// Yellow.
    Yellow = "yellow",
    /// Black.
    Black = "black",
    /// White.
    White = "white",
    /// Green.
    Green = "green",
    /// Blue.
    Blue = "blue",
    /// Red.
    Red = "red",
}

cue! {
    /// Shape and colour of roofs.
    Roof:
    /// A flat white roof with a parapet.
    Flat = "flat",
    /// A low red gable.
    Tile = "tile",
    /// A steep grey gable.
    Slate = "slate",
    /// A straw-coloured cone.
    Thatch = "thatch",
    /// Dark upturned eaves.
    Eaves = "eaves",
    /// A blue dome.
    Dome = "dome",
}

cue! {
    /// Colour of walls.
    Facade:
    /// White.
    White = "white",
    /// Red brick.
    Brick = "brick",
    /// Ochre.
    Ochre = "ochre",
    /// Pink.
    Pink = "pink",
    /// Light blue.
    Blue = "blue",
    /// Green.
    Green = "green",
    /// Grey stone.
    Stone = "stone",
    /// Dark timber.
    Timber = "timber",
}

cue! {
    /// Shape of windows.
    Window:
    /// Square panes.
    Square = "square",
    /// A round arch.
    Arch = "arch",
    /// Tall, with coloured shutters.
    Shutters = "shutters",
    /// Wide bands of glass.
    Bands = "bands",
}

cue! {
    /// An animal of the country.
    Fauna:
    /// A spotted cow.
    Cow = "cow",
    /// A sheep.
    Sheep = "sheep",
    /// An elephant.
    Elephant = "elephant",
    /// A zebra.
    Zebra = "zebra",
    /// A camel.
    Camel = "camel",
    /// A kangaroo.
    Kangaroo = "kangaroo",
    /// A llama.
    Llama = "llama",
    /// A reindeer.
    Reindeer = "reindeer",
    /// A macaw.
    Macaw = "macaw",
    /// A penguin.
    Penguin = "penguin",
    /// A bear.
    Bear = "bear",
}

cue! {
    /// Colour of the sea.
    Sea:
    /// Deep blue.
    Deep = "deep",
    /// Turquoise.
    Turquoise = "turquoise",
    /// Green.
    Green = "green",
    /// Grey.
    Grey = "grey",
}

cue! {
    /// Colour of a beach.
    Sand:
    /// White.
    White = "white",
    /// Golden.
    Golden = "golden",
    /// Black, of lava.
    Black = "black",
    /// Grey pebbles.
    Pebbles = "pebbles",
}

cue! {
    /// Colours of the parasols on a beach.
    Parasol:
    /// Red and white.
    RedWhite = "red-white",
    /// Blue and white.
    BlueWhite = "blue-white",
    /// Green and white.
    GreenWhite = "green-white",
    /// Yellow and red.
    YellowRed = "yellow-red",
    /// Plain straw.
    Straw = "straw",
    /// Purple and yellow.
    PurpleYellow = "purple-yellow",
    /// Orange and blue.
    OrangeBlue = "orange-blue",
    /// Plain black.
    Black = "black",
}

cue! {
    /// Outline of a city's landmark.
    EmblemShape:
    /// A lattice tower on four feet.
    Tower = "tower",
    /// A triumphal arch.
    Arch = "arch",
    /// A dome on a drum.
    Dome = "dome",
    /// A pyramid.
    Pyramid = "pyramid",
    /// Tiers of eaves.
    Pagoda = "pagoda",
    /// A suspension bridge.
    Bridge = "bridge",
    /// A great wheel.
    Wheel = "wheel",
    /// A temple with columns.
    Temple = "temple",
    /// A castle with two round towers.
    Castle = "castle",
    /// A hall of sails or shells.
    Shells = "shells",
    /// A slim skyscraper with steps.
    Skyscraper = "skyscraper",
    /// A standing figure on a plinth.
    Colossus = "colossus",
}

cue! {
    /// Colour of a city's landmark.
    EmblemColour:
    /// Red.
    Red = "red",
    /// Orange.
    Orange = "orange",
    /// Gold.
    Gold = "gold",
    /// Green.
    Green = "green",
    /// Cyan.
    Cyan = "cyan",
    /// Violet.
    Violet = "violet",
    /// White.
    White = "white",
    /// Black.
    Black = "black",
}

cue! {
    /// What a city hangs beside its landmark: two great banners.
    Banner:
    /// Red, plain.
    Red = "red",
    /// Blue with a yellow disc.
    Disc = "disc",
    /// Black and white chequers.
    Chequers = "chequers",
    /// Green with a white stripe down.
    Pale = "pale",
    /// Yellow with three red bars.
    Bars = "bars",
}

/// Where the sun stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sun {
    /// The side it stands at.
    pub side: SunSide,
    /// Its height.
    pub height: SunHeight,
}

impl Cue for Sun {
    const COUNT: usize = SunSide::COUNT * SunHeight::COUNT;

    fn index(self) -> usize {
        self.side.index() * SunHeight::COUNT + self.height.index()
    }

    fn from_index(index: usize) -> Self {
        let (side, height) = (index / SunHeight::COUNT, index % SunHeight::COUNT);
        Self { side: SunSide::from_index(side), height: SunHeight::from_index(height) }
    }

    fn name(self) -> String {
        format!("{}-{}", self.side.name(), self.height.name())
    }
}

/// A city's landmark: a code of three parts, so that a few hundred landmarks are told apart by
/// bold signs and not by fine print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Emblem {
    /// Its outline.
    pub shape: EmblemShape,
    /// Its colour.
    pub colour: EmblemColour,
    /// The banners beside it.
    pub banner: Banner,
}

impl Cue for Emblem {
    const COUNT: usize = EmblemShape::COUNT * EmblemColour::COUNT * Banner::COUNT;

    fn index(self) -> usize {
        (self.shape.index() * EmblemColour::COUNT + self.colour.index()) * Banner::COUNT
            + self.banner.index()
    }

    fn from_index(index: usize) -> Self {
        let (pair, banner) = (index / Banner::COUNT, index % Banner::COUNT);
        Self {
            shape: EmblemShape::from_index(pair / EmblemColour::COUNT),
            colour: EmblemColour::from_index(pair % EmblemColour::COUNT),
            banner: Banner::from_index(banner),
        }
    }

    fn name(self) -> String {
        format!("{}-{}-{}", self.colour.name(), self.shape.name(), self.banner.name())
    }
}

cue! {
    /// What a photo shows (paper, section 4).
    Scene:
    /// A landmark of the city.
    Landmark = "landmark",
    /// A street with cars.
    Street = "street",
    /// Open country.
    Landscape = "landscape",
    /// A beach.
    Beach = "beach",
    /// One building.
    Building = "building",
    /// An animal in its country.
    Wildlife = "wildlife",
    /// A person before a plain wall: no cue.
    Portrait = "portrait",
    /// A pet on a rug: no cue.
    Pet = "pet",
    /// A plate of food: no cue.
    Food = "food",
    /// A room: no cue.
    Indoor = "indoor",
}

impl Scene {
    /// Whether it contains no cue to the place.
    pub const fn is_bare(self) -> bool {
        matches!(self, Self::Portrait | Self::Pet | Self::Food | Self::Indoor)
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_numbers_agree<C: Cue + PartialEq + fmt::Debug>() {
        for index in 0..C::COUNT {
            let value = C::from_index(index);
            assert_eq!(value.index(), index);
            assert_eq!(C::from_name(&value.name()), Some(value));
        }
        assert_eq!(C::from_name("nothing of the kind"), None);
    }

    #[test]
    fn every_value_is_found_by_its_number_and_by_its_name() {
        names_and_numbers_agree::<Sun>();
        names_and_numbers_agree::<Emblem>();
        names_and_numbers_agree::<Scene>();
        names_and_numbers_agree::<Script>();
        names_and_numbers_agree::<Kerb>();
    }
}
