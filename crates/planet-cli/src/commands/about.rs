use std::{
    io::{self, Write},
    process::Command,
};

use crate::failure::Failure;

/// The data of third parties and its licences.
const NOTICE: &str = include_str!("../../../../NOTICE");

/// `planet about`: version, the features of this build, data licences.
pub fn run() -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "planet {} (MIT OR Apache-2.0)", env!("CARGO_PKG_VERSION"))?;
    let heif = if cfg!(feature = "heif") { ", HEIC, AVIF" } else { "" };
    writeln!(out, "photos   JPEG, PNG, WebP, TIFF, GIF{heif}")?;
    writeln!(out, "tables   CSV, TSV, Parquet, plain or with gzip or zstd")?;
    let exiftool = exiftool().unwrap_or_else(|| "not installed".to_owned());
    writeln!(out, "exiftool {exiftool} (writes positions into photos: planet library write)")?;
    writeln!(out, "network  none: no command opens a connection")?;
    writeln!(out, "\n{}", NOTICE.trim_end())?;
    Ok(())
}

/// The version of the exiftool that is installed.
fn exiftool() -> Option<String> {
    let output = Command::new("exiftool").arg("-ver").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| version.trim().to_owned())
}
