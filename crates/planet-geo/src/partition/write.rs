use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{FORMAT, read::SCATTER};
use crate::{Class, ClassKind, LatLng, Partition};

impl Partition {
    /// Writes the partition as CSV: metadata lines, a header, one row a class, in class order.
    /// Degrees are written so that reading gives the same numbers.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write(&self, mut writer: impl Write) -> io::Result<()> {
        let info = self.info();
        // A value stands on one line, whatever it holds.
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(writer, "# format={FORMAT}")?;
        writeln!(writer, "# scheme={}", line(&info.scheme))?;
        let numbers = [
            ("split_above", info.split_above),
            ("keep_from", info.keep_from),
            ("keep_more_than", info.keep_more_than),
            ("min_level", info.min_level.map(u64::from)),
            ("max_level", info.max_level.map(u64::from)),
            ("photos_outside", info.photos_outside),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                writeln!(writer, "# {key}={value}")?;
            }
        }
        writeln!(writer, "# point={}", info.point.name())?;
        if !info.source.is_empty() {
            writeln!(writer, "# source={}", line(&info.source))?;
        }
        writeln!(writer, "# fingerprint={}", self.fingerprint())?;
        write!(writer, "cell,photos,lat,lng,centre_lat,centre_lng")?;
        let scattered = self.classes().iter().any(|class| class.scatter.is_some());
        if scattered {
            write!(writer, ",{}", SCATTER.join(","))?;
        }
        writeln!(writer)?;
        let mut row = String::new();
        for class in self.classes() {
            row.clear();
            write_row(&mut row, class);
            if scattered {
                write_scatter(&mut row, class);
            }
            row.push('\n');
            writer.write_all(row.as_bytes())?;
        }
        Ok(())
    }

    /// Names the classes and their points: 32 hexadecimal digits of a hash over all rows and the
    /// choice of point, without how photos scatter about it. Equal fingerprints mean that a model
    /// of one fits the other.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.info().point.name().as_bytes());
        hasher.update(b"\n");
        let mut row = String::new();
        for class in self.classes() {
            row.clear();
            write_row(&mut row, class);
            row.push('\n');
            hasher.update(row.as_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

fn write_row(row: &mut String, class: &Class) {
    let mut put = |text: std::fmt::Arguments<'_>| {
        row.write_fmt(text).expect("a string takes whatever is written");
    };
    match &class.kind {
        ClassKind::Other => put(format_args!("other")),
        ClassKind::PointOnly => {}
        ClassKind::Cells(cells) => {
            for (index, cell) in cells.iter().enumerate() {
                put(format_args!("{}{cell}", if index == 0 { "" } else { " " }));
            }
        }
    }
    put(format_args!(",{}", class.photos));
    let mut point = |point: Option<LatLng>| match point {
        Some(point) => put(format_args!(",{},{}", point.lat(), point.lng())),
        None => put(format_args!(",,")),
    };
    point(class.mean);
    point(class.centre);
}

/// The columns behind those of the fingerprint; empty where unknown.
fn write_scatter(row: &mut String, class: &Class) {
    match class.scatter {
        Some(scatter) => scatter.shares().iter().for_each(|share| {
            write!(row, ",{share}").expect("a string takes whatever is written");
        }),
        None => row.push_str(&",".repeat(SCATTER.len())),
    }
}
