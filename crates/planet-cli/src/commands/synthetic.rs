//! Photos of a synthetic earth among others.

pub use planet::package::Warnings;
pub use planet::package::is_world;
use planet_data::table::TableSource;

/// Whether a manifest is that of a synthetic earth: `world.json` lies beside it.
pub fn is_manifest_of_world(source: &TableSource) -> bool {
    source.path.parent().is_some_and(is_world)
}
