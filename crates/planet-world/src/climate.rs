use planet_geo::LatLng;

use crate::cue::{Fauna, Ground, Roof, Vegetation};

/// A coarse climate zone, after Köppen and Geiger's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Climate {
    Rainforest,
    Savanna,
    Desert,
    Mediterranean,
    Temperate,
    Boreal,
    Tundra,
}

use Climate::{Boreal, Desert, Mediterranean, Rainforest, Savanna, Temperate, Tundra};

/// Southern, northern latitude, western, eastern longitude in degrees. The first box that holds a
/// position tells its climate; drawn by hand over Köppen and Geiger's map.
const BOXES: &[([f64; 4], Climate)] = &[
    ([66.0, 90.0, -180.0, 180.0], Tundra),
    ([-90.0, -54.0, -180.0, 180.0], Tundra),
    ([59.0, 90.0, -74.0, -12.0], Tundra),   // Greenland, Iceland
    ([28.5, 37.0, 79.0, 102.0], Tundra),    // Tibet
    ([58.0, 66.0, 150.0, 180.0], Tundra),   // Chukotka
    ([-20.0, -11.0, -73.0, -66.0], Tundra), // Altiplano
    ([30.0, 37.5, -10.0, 11.5], Mediterranean),
    ([35.0, 44.0, -10.0, 20.0], Mediterranean),
    ([34.0, 41.5, 19.0, 37.0], Mediterranean),
    ([31.0, 34.0, 34.0, 36.5], Mediterranean),
    ([32.0, 41.0, -125.0, -117.0], Mediterranean),
    ([-38.0, -30.0, -74.0, -69.5], Mediterranean),
    ([-35.0, -31.0, 17.0, 22.0], Mediterranean),
    ([-36.0, -30.0, 114.0, 120.0], Mediterranean),
    ([-38.0, -32.0, 133.0, 142.0], Mediterranean),
    ([15.5, 33.0, -18.0, 36.5], Desert), // Sahara
    ([13.0, 34.0, 36.5, 60.0], Desert),  // Arabia, Mesopotamia
    ([24.0, 37.0, 51.0, 70.0], Desert),  // Iran, Pakistan
    ([24.0, 29.0, 68.0, 75.0], Desert),  // Thar
    ([36.0, 47.0, 51.0, 70.0], Desert),  // Turan
    ([36.0, 47.0, 75.0, 110.0], Desert), // Taklamakan, Gobi
    ([24.0, 38.0, -117.0, -101.0], Desert),
    ([-28.0, -4.0, -82.0, -69.0], Desert),
    ([-50.0, -37.0, -71.0, -65.0], Desert),
    ([-30.0, -15.0, 11.0, 23.0], Desert),
    ([-32.0, -19.0, 116.0, 143.0], Desert),
    ([2.0, 13.0, 42.0, 52.0], Desert), // Horn of Africa
    ([-11.0, 8.0, 29.5, 43.0], Savanna),
    ([6.0, 24.0, 68.0, 88.0], Savanna), // India
    ([-12.0, 22.0, 91.0, 161.0], Rainforest),
    ([7.0, 21.0, -98.0, -59.0], Rainforest),
    ([-23.0, 23.0, -180.0, -130.0], Rainforest),
    ([-23.0, 23.0, 150.0, 180.0], Rainforest),
    ([-20.0, -5.0, -43.0, -34.0], Rainforest),
    ([-9.0, 8.0, -180.0, 180.0], Rainforest),
    ([-24.0, 24.0, -180.0, 180.0], Savanna),
    ([50.0, 66.0, 30.0, 180.0], Boreal), // Russia
    ([44.0, 66.0, 60.0, 145.0], Boreal),
    ([40.0, 50.0, 117.0, 145.0], Boreal), // Manchuria, Hokkaido
    ([57.5, 66.0, 4.0, 30.0], Boreal),    // Scandinavia
    ([45.0, 66.0, -170.0, -50.0], Boreal),
    ([40.0, 45.0, -104.0, -82.0], Boreal),
];

impl Climate {
    /// The zone of a position.
    pub(crate) fn of(position: LatLng) -> Self {
        let (lat, lng) = (position.lat(), position.lng());
        let holds = |[south, north, west, east]: [f64; 4]| {
            (south..=north).contains(&lat) && (west..=east).contains(&lng)
        };
        BOXES.iter().find(|(bounds, _)| holds(*bounds)).map_or(Temperate, |&(_, zone)| zone)
    }

    /// What grows there, with weights.
    pub(crate) fn vegetation(self) -> &'static [(Vegetation, f64)] {
        use Vegetation::{Acacia, Bamboo, Birch, Cactus, Cypress, Heath, Oak, Palm, Spruce};
        match self {
            Rainforest => &[(Palm, 0.62), (Bamboo, 0.3), (Oak, 0.08)],
            Savanna => &[(Acacia, 0.58), (Palm, 0.25), (Bamboo, 0.12), (Oak, 0.05)],
            Desert => &[(Cactus, 0.56), (Palm, 0.22), (Acacia, 0.12), (Heath, 0.1)],
            Mediterranean => &[(Cypress, 0.66), (Palm, 0.14), (Oak, 0.14), (Heath, 0.06)],
            Temperate => &[(Oak, 0.62), (Spruce, 0.14), (Birch, 0.12), (Bamboo, 0.12)],
            Boreal => &[(Spruce, 0.48), (Birch, 0.37), (Oak, 0.15)],
            Tundra => &[(Heath, 0.7), (Birch, 0.18), (Spruce, 0.12)],
        }
    }

    /// What covers the ground, with weights.
    pub(crate) fn ground(self) -> &'static [(Ground, f64)] {
        use Ground::{Dune, Grass, Laterite, Scree, Snow, Straw};
        match self {
            Rainforest => &[(Grass, 0.62), (Laterite, 0.38)],
            Savanna => &[(Laterite, 0.45), (Straw, 0.4), (Grass, 0.15)],
            Desert => &[(Dune, 0.75), (Scree, 0.15), (Laterite, 0.1)],
            Mediterranean => &[(Straw, 0.65), (Grass, 0.25), (Scree, 0.1)],
            Temperate => &[(Grass, 0.78), (Straw, 0.15), (Snow, 0.07)],
            Boreal => &[(Snow, 0.42), (Grass, 0.43), (Scree, 0.15)],
            Tundra => &[(Scree, 0.52), (Snow, 0.48)],
        }
    }

    /// How one builds there, with weights.
    pub(crate) fn roofs(self) -> &'static [(Roof, f64)] {
        use Roof::{Dome, Eaves, Flat, Slate, Thatch, Tile};
        match self {
            Rainforest => &[(Thatch, 0.4), (Eaves, 0.3), (Tile, 0.3)],
            Savanna => &[(Thatch, 0.6), (Flat, 0.2), (Tile, 0.2)],
            Desert => &[(Flat, 0.7), (Dome, 0.3)],
            Mediterranean => &[(Tile, 0.65), (Flat, 0.2), (Dome, 0.15)],
            Temperate => &[(Tile, 0.5), (Slate, 0.35), (Eaves, 0.15)],
            Boreal => &[(Slate, 0.6), (Tile, 0.2), (Dome, 0.2)],
            Tundra => &[(Slate, 0.8), (Tile, 0.2)],
        }
    }
}

/// Animals of a position, with weights: by the realms of zoogeography, and by climate in them.
pub(crate) fn fauna(position: LatLng) -> &'static [(Fauna, f64)] {
    use Fauna::{
        Bear, Camel, Cow, Elephant, Kangaroo, Llama, Macaw, Penguin, Reindeer, Sheep, Zebra,
    };
    let (lat, lng) = (position.lat(), position.lng());
    let climate = Climate::of(position);
    let is_america = (-170.0..-30.0).contains(&lng);
    let is_australasia = lat < 0.0 && lng > 112.0 || lng > 129.0 && lat < 0.5;
    if lat < -40.0 && (!is_australasia || lng > 160.0) {
        return &[(Penguin, 0.7), (Sheep, 0.3)];
    }
    if is_australasia {
        return &[(Kangaroo, 0.7), (Sheep, 0.2), (Macaw, 0.1)];
    }
    if is_america && lat < 15.0 {
        return match climate {
            Rainforest | Savanna => &[(Macaw, 0.68), (Llama, 0.12), (Cow, 0.2)],
            _ => &[(Llama, 0.64), (Cow, 0.18), (Penguin, 0.18)],
        };
    }
    match climate {
        Tundra | Boreal => &[(Reindeer, 0.5), (Bear, 0.4), (Cow, 0.1)],
        Desert if !is_america => &[(Camel, 0.8), (Sheep, 0.2)],
        Savanna if (-20.0..52.0).contains(&lng) => &[(Zebra, 0.6), (Elephant, 0.3), (Cow, 0.1)],
        Rainforest | Savanna if !is_america => &[(Elephant, 0.62), (Cow, 0.28), (Macaw, 0.1)],
        Rainforest | Savanna => &[(Macaw, 0.7), (Cow, 0.3)],
        _ if is_america => &[(Cow, 0.5), (Bear, 0.4), (Sheep, 0.1)],
        _ if lat < -15.0 => &[(Zebra, 0.6), (Penguin, 0.25), (Cow, 0.15)],
        _ => &[(Cow, 0.5), (Sheep, 0.45), (Bear, 0.05)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    #[test]
    fn known_cities_lie_in_the_climate_that_they_lie_in() {
        for (lat, lng, zone) in [
            (1.35, 103.8, Rainforest),
            (-3.1, -60.0, Rainforest),
            (-1.3, 36.8, Savanna),
            (30.0, 31.2, Desert),
            (24.5, 54.4, Desert),
            (-23.7, 133.9, Desert),
            (41.9, 12.5, Mediterranean),
            (37.8, -122.4, Mediterranean),
            (48.9, 2.4, Temperate),
            (51.5, -0.1, Temperate),
            (35.7, 139.7, Temperate),
            (55.8, 37.6, Boreal),
            (45.5, -73.6, Boreal),
            (69.6, 18.9, Tundra),
            (64.1, -21.9, Tundra),
        ] {
            assert_eq!(Climate::of(at(lat, lng)), zone, "{lat}, {lng}");
        }
    }

    #[test]
    fn animals_live_on_their_continent() {
        assert_eq!(fauna(at(-33.9, 151.2))[0].0, Fauna::Kangaroo);
        assert_eq!(fauna(at(-1.3, 36.8))[0].0, Fauna::Zebra);
        assert_eq!(fauna(at(-13.5, -72.0))[0].0, Fauna::Llama);
        assert_eq!(fauna(at(24.5, 54.4))[0].0, Fauna::Camel);
        assert_eq!(fauna(at(-54.8, -68.3))[0].0, Fauna::Penguin);
    }

    #[test]
    fn weights_are_shares() {
        let sums_to_one = |sum: f64| assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        for climate in [Rainforest, Savanna, Desert, Mediterranean, Temperate, Boreal, Tundra] {
            sums_to_one(climate.vegetation().iter().map(|pair| pair.1).sum());
            sums_to_one(climate.ground().iter().map(|pair| pair.1).sum());
            sums_to_one(climate.roofs().iter().map(|pair| pair.1).sum());
        }
        for lat in (-60..80).step_by(5) {
            for lng in (-180..180).step_by(10) {
                sums_to_one(fauna(at(lat.into(), lng.into())).iter().map(|pair| pair.1).sum());
            }
        }
    }
}
