use std::{
    io::{self, Write},
    path::Path,
};

use planet::map::{Region, partition_map};
use planet_data::table::{self, OutputFile, STANDARD_STREAM};
use planet_geo::Partition;

use crate::failure::Failure;

/// Reads a partition from a file, also compressed, or from standard input.
pub fn read(path: &Path) -> Result<Partition, Failure> {
    let reader = table::open_text(path).map_err(Failure::new)?;
    Partition::read(reader, &path.to_string_lossy()).map_err(Failure::new)
}

/// What a partition is written as.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// Our own layout.
    Csv,
    /// Features with properties.
    GeoJson,
    /// Placemarks.
    Kml,
    /// A picture of lines.
    Svg,
    /// A picture of pixels.
    Png,
}

impl Format {
    /// The format that a file's name stands for; CSV on standard output. Asked before the work
    /// begins, so that a wrong name costs nothing.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let name = path.to_string_lossy().to_ascii_lowercase();
        let (_, bare) = table::Compression::of_name(&name);
        let known = [
            (".csv", Self::Csv),
            (".geojson", Self::GeoJson),
            (".json", Self::GeoJson),
            (".kml", Self::Kml),
            (".svg", Self::Svg),
            (".png", Self::Png),
        ];
        let found = known.iter().find(|(ending, _)| bare.ends_with(ending));
        match found {
            Some((_, format)) => Ok(*format),
            None if name == STANDARD_STREAM => Ok(Self::Csv),
            None => Err(Failure::usage(format!(
                "'{}' does not have the extension of a partition format",
                path.display()
            ))
            .hint("use the extension .csv, .geojson, .kml, .svg or .png")),
        }
    }

    /// Writes a partition; a region is what a picture shows.
    pub fn write(self, partition: &Partition, path: &Path, region: Region) -> Result<(), Failure> {
        let save = || -> io::Result<()> {
            let mut file = OutputFile::create(path)?;
            match self {
                Self::Csv => partition.write(&mut file)?,
                Self::GeoJson => partition.write_geojson(&mut file)?,
                Self::Kml => partition.write_kml(&mut file)?,
                Self::Svg => {
                    file.write_all(partition_map(partition, region).to_svg().as_bytes())?
                }
                Self::Png => {
                    let png = partition_map(partition, region).to_png();
                    file.write_all(&png.map_err(io::Error::other)?)?;
                }
            }
            file.finish()
        };
        save().map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::from(error),
            _ => Failure::new(format!("{}: {error}", path.display())),
        })
    }
}

/// Where a command says what it did: not among the data.
pub fn talk(path: &Path) -> Box<dyn Write> {
    if path.as_os_str() == STANDARD_STREAM {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    }
}
