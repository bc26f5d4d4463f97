use std::{fmt, str::FromStr};

use crate::{
    WorldError,
    cue::{
        Cue, DrivingSide, Emblem, Facade, Fauna, Furniture, Ground, Kerb, Lane, Parasol, Plate,
        Relief, Roof, Sand, Scene, Script, Sea, Sun, Taxi, Vegetation, Window,
    },
};

/// Declares [`Cues`] and [`CueKind`] from one list, so that no cue is forgotten in one of them.
macro_rules! cues {
    ($($(#[$doc:meta])* $field:ident: $kind:ident = [$($scene:ident)*],)+) => {
        /// All cues to the place in a photo. A cue that is `None` is not in the picture.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Cues {
            /// What the photo shows.
            pub scene: Scene,
            $($(#[$doc])* pub $field: Option<$kind>,)+
        }

        /// The name of a cue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CueKind { $($(#[$doc])* $kind,)+ }

        impl CueKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// How many values it has.
            pub const fn values(self) -> usize {
                match self { $(Self::$kind => <$kind as Cue>::COUNT,)+ }
            }

            /// Its name in files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($field),)+ }
            }

            /// Whether it is in a picture of that scene. The sun may still hide.
            pub const fn is_shown_in(self, scene: Scene) -> bool {
                match self { $(Self::$kind => matches!(scene, $(Scene::$scene)|*),)+ }
            }
        }

        impl Cues {
            /// A photo of that scene, without any cue.
            pub const fn bare(scene: Scene) -> Self {
                Self { scene, $($field: None,)+ }
            }

            /// The number of a cue's value, if the cue is in the picture.
            pub fn get(&self, kind: CueKind) -> Option<usize> {
                match kind { $(CueKind::$kind => self.$field.map(Cue::index),)+ }
            }

            /// The same photo without one of its cues. It cannot be
            /// painted.
            pub fn without(mut self, kind: CueKind) -> Self {
                match kind { $(CueKind::$kind => self.$field = None,)+ }
                self
            }

            /// Puts a cue into the picture, by the number of its value.
            ///
            /// # Panics
            /// When the cue has no value of that number.
            pub fn set(&mut self, kind: CueKind, value: usize) {
                match kind { $(CueKind::$kind => self.$field = Some($kind::from_index(value)),)+ }
            }
        }

        fn value_name(kind: CueKind, value: usize) -> String {
            match kind { $(CueKind::$kind => $kind::from_index(value).name(),)+ }
        }

        fn value_of_name(kind: CueKind, name: &str) -> Option<usize> {
            match kind { $(CueKind::$kind => $kind::from_name(name).map(Cue::index),)+ }
        }
    };
}

cues! {
    /// Where the sun stands; not to be seen under clouds.
    sun: Sun = [Landmark Street Landscape Beach Building Wildlife],
    /// What grows there.
    vegetation: Vegetation = [Landmark Street Landscape Beach Wildlife],
    /// What covers the ground.
    ground: Ground = [Landmark Landscape Wildlife],
    /// What stands on the horizon.
    relief: Relief = [Landscape],
    /// The side of the road that one drives on.
    side: DrivingSide = [Street],
    /// The script on signs.
    script: Script = [Street Building],
    /// Colour of number plates.
    plate: Plate = [Street],
    /// Paint on the kerb.
    kerb: Kerb = [Street],
    /// Paint in the middle of the road.
    lane: Lane = [Street],
    /// What stands at the roadside.
    furniture: Furniture = [Street],
    /// Colour of taxis.
    taxi: Taxi = [Street],
    /// Shape and colour of roofs.
    roof: Roof = [Street Building],
    /// Colour of walls.
    facade: Facade = [Building],
    /// Shape of windows.
    window: Window = [Building],
    /// An animal of the country.
    fauna: Fauna = [Wildlife],
    /// Colour of the sea.
    sea: Sea = [Beach],
    /// Colour of the beach.
    sand: Sand = [Beach],
    /// Colours of the parasols.
    parasol: Parasol = [Beach],
    /// The city's landmark.
    emblem: Emblem = [Landmark],
}

impl Cues {
    /// The cues in the picture: kind and number of the value.
    pub fn visible(&self) -> impl Iterator<Item = (CueKind, usize)> {
        CueKind::ALL.iter().filter_map(|&kind| Some((kind, self.get(kind)?)))
    }
}

/// `street;sun=right-high;side=left`, the form in `truth.csv`.
impl fmt::Display for Cues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scene)?;
        for (kind, value) in self.visible() {
            write!(f, ";{}={}", kind.name(), value_name(kind, value))?;
        }
        Ok(())
    }
}

impl FromStr for Cues {
    type Err = WorldError;

    fn from_str(text: &str) -> Result<Self, WorldError> {
        let bad = |part: &str| WorldError::Cues(part.chars().take(60).collect());
        let mut parts = text.split(';');
        let scene = parts.next().unwrap_or_default();
        let mut cues = Self::bare(Scene::from_name(scene).ok_or_else(|| bad(scene))?);
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| bad(part))?;
            let kind = CueKind::ALL.iter().find(|kind| kind.name() == name);
            let kind =
                *kind.filter(|kind| kind.is_shown_in(cues.scene)).ok_or_else(|| bad(part))?;
            if cues.get(kind).is_some() {
                return Err(bad(part));
            }
            cues.set(kind, value_of_name(kind, value).ok_or_else(|| bad(part))?);
        }
        let missing = CueKind::ALL.iter().find(|&&kind| {
            kind != CueKind::Sun && kind.is_shown_in(cues.scene) && cues.get(kind).is_none()
        });
        missing.map_or(Ok(cues), |kind| Err(bad(kind.name())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_are_read_as_they_were_written() {
        let text = "wildlife;sun=left-low;vegetation=heath;ground=scree;fauna=penguin";
        let cues: Cues = text.parse().expect("cues");
        assert_eq!(cues.fauna, Some(Fauna::Penguin));
        assert_eq!(cues.to_string(), text);
        let hidden: Cues =
            "wildlife;vegetation=heath;ground=scree;fauna=cow".parse().expect("no sun");
        assert_eq!(hidden.sun, None);
    }

    #[test]
    fn cues_that_no_photo_shows_are_refused() {
        for text in [
            "",
            "attic",
            "street",
            "portrait;sun=left-low",
            "landscape;sun=left-low;sun=left-low",
            "wildlife;vegetation=heath;ground=scree;fauna=yeti",
            "wildlife;vegetation",
            "wildlife;vegetation=heath;ground=scree",
        ] {
            assert!(text.parse::<Cues>().is_err(), "{text:?}");
        }
    }
}
