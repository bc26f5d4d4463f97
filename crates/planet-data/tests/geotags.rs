//! Positions from tables of every kind, and every way in which a table can be bad.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use planet_data::{
    DataError, GeotagCount, GeotagOptions, Monitor, NoMonitor, SkipReason, read_geotags,
    table::TableSource,
};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
        let path = self.0.path().join(name);
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let file = std::fs::File::create(&path).expect("created");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        path
    }
}

type Positions = Vec<(f64, f64)>;

fn read(path: &Path, options: &GeotagOptions) -> Result<(Positions, GeotagCount), DataError> {
    read_source(&path.to_string_lossy(), options)
}

fn read_source(text: &str, options: &GeotagOptions) -> Result<(Positions, GeotagCount), DataError> {
    let mut positions = Vec::new();
    let source = TableSource::parse(text);
    let count = read_geotags(&[source], options, &NoMonitor, |batch| {
        positions.extend(batch.iter().map(|position| (position.lat(), position.lng())));
    })?;
    Ok((positions, count))
}

fn plainly(path: &Path) -> Positions {
    read(path, &GeotagOptions::default()).expect("readable").0
}

fn refusal(path: &Path, options: &GeotagOptions) -> String {
    read(path, options).expect_err("refused").to_string()
}

#[test]
fn columns_are_found_by_their_usual_names_in_any_case_and_order() {
    let folder = Folder::new();
    for header in ["lat,lng,x", "LAT,LON,x", "Latitude,Longitude,x", "gt_lat,gt_long,x"] {
        let path = folder.file("a.csv", format!("{header}\n10.5, -20 ,z\n"));
        assert_eq!(plainly(&path), [(10.5, -20.0)], "{header}");
    }
    let path = folder.file("a.tsv", "x\tlong\tlatitude\n,\t-20\t10.5\n");
    assert_eq!(plainly(&path), [(10.5, -20.0)]);
}

#[test]
fn parquet_columns_may_be_doubles_floats_or_text_in_any_order() {
    let folder = Folder::new();
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(-20.0), None]));
    let floats: ArrayRef = Arc::new(Float32Array::from(vec![10.5, 11.5]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["10.5", "north"]));
    let path = folder.parquet(
        "a.parquet",
        vec![("lng", Arc::clone(&doubles)), ("id", Arc::clone(&text)), ("lat", floats)],
    );
    let (positions, count) = read(&path, &GeotagOptions::default()).expect("readable");
    assert_eq!(positions, [(10.5, -20.0)]);
    assert_eq!(count.skipped.of(SkipReason::NoPosition), 1);
    let path = folder.parquet("a.parquet", vec![("lng", doubles), ("lat", text)]);
    let (positions, count) = read(&path, &GeotagOptions::default()).expect("readable");
    assert_eq!(positions, [(10.5, -20.0)]);
    assert_eq!(count.skipped.of(SkipReason::NotANumber), 1);
}

#[test]
fn columns_said_by_name_or_number_are_taken_and_a_header_may_be_missing() {
    let folder = Folder::new();
    let say = |lat: &str, lng: &str| GeotagOptions {
        lat_column: Some(lat.to_owned()),
        lng_column: Some(lng.to_owned()),
        strict: true,
    };
    let path = folder.file("a.tsv", "7\tx\t-20\t10.5\n8\ty\t-21\t11.5\n");
    let both = [(10.5, -20.0), (11.5, -21.0)];
    assert_eq!(read(&path, &say("4", "3")).expect("readable").0, both);
    let path = folder.file("a.csv", "breadth,length\n10.5,-20\n11.5,-21\n");
    assert_eq!(read(&path, &say("breadth", "length")).expect("readable").0, both);
    assert_eq!(read(&path, &say("1", "2")).expect("readable").0, both);
    assert!(
        refusal(&path, &say("depth", "length"))
            .ends_with("no column 'depth' among breadth, length")
    );
    assert!(refusal(&path, &say("3", "2")).contains("no column '3'"));
    assert!(refusal(&path, &say("1", "breadth")).contains("same column"));
}

#[test]
fn rows_without_a_valid_position_are_counted_and_named() {
    let folder = Folder::new();
    let text = "lat,lng\n91.3,0\n1,2\nNaN,0\n,\n1,400\nnorth,3\n1,2,3\n5,6\n7,8\n";
    let path = folder.file("a.csv", text);
    let (positions, count) = read(&path, &GeotagOptions::default()).expect("readable");
    assert_eq!(positions, [(1.0, 2.0), (5.0, 6.0), (7.0, 8.0)]);
    assert_eq!((count.positions, count.skipped.total()), (3, 6));
    let reasons: Vec<(SkipReason, u64, String)> = count
        .skipped
        .reasons()
        .map(|(reason, count, first)| {
            (reason, count, first.rsplit_once("a.csv").expect("the file").1.to_owned())
        })
        .collect();
    let named = |line_and_what: &str| line_and_what.to_owned();
    assert_eq!(
        reasons,
        [
            (SkipReason::NoPosition, 1, named(":5: the row has no position")),
            (SkipReason::NotANumber, 2, named(":4: the position is not a number (NaN)")),
            (SkipReason::Latitude, 1, named(":2: latitude 91.3 is not within -90..=90")),
            (SkipReason::Longitude, 1, named(":6: longitude 400 is not within -360..=360")),
            (SkipReason::Columns, 1, named(":8: the row has 3 cells, the first row 2")),
        ]
    );
}

#[test]
fn strict_reading_ends_at_the_first_bad_row_and_names_it() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "lat,lng\n1,2\n91.3,0\n");
    let strict = GeotagOptions { strict: true, ..GeotagOptions::default() };
    let error = refusal(&path, &strict);
    assert!(error.ends_with("a.csv:3: latitude 91.3 is not within -90..=90"), "{error}");
}

#[test]
fn swapped_columns_are_recognised() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "lat,lng\n139.7,35.6\n135.5,34.7\n12.3,45.4\n");
    let error = refusal(&path, &GeotagOptions::default());
    assert!(error.contains("2 of 3 latitudes are beyond ±90"), "{error}");
    assert!(error.contains("--lat-column"), "{error}");
}

#[test]
fn a_split_takes_only_its_rows() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "lat,lng,split\n1,2,train\n3,4,test\n5,6,train\n");
    let train = format!("{}:train", path.display());
    let (positions, _) = read_source(&train, &GeotagOptions::default()).expect("readable");
    assert_eq!(positions, [(1.0, 2.0), (5.0, 6.0)]);
    let text = |cells: &[&str]| -> ArrayRef { Arc::new(StringArray::from(cells.to_vec())) };
    let columns = vec![
        ("split", text(&["train", "test"])),
        ("lat", text(&["1", "3"])),
        ("lng", text(&["2", "4"])),
    ];
    let path = folder.parquet("a.parquet", columns);
    let test = format!("{}:test", path.display());
    let (positions, _) = read_source(&test, &GeotagOptions::default()).expect("readable");
    assert_eq!(positions, [(3.0, 4.0)]);
    let path = folder.file("b.csv", "lat,lng\n1,2\n");
    let error = read_source(&format!("{}:test", path.display()), &GeotagOptions::default());
    assert!(error.expect_err("no split").to_string().contains("has no column 'split'"));
}

#[test]
fn a_cut_off_parquet_file_is_refused_with_the_cure() {
    let folder = Folder::new();
    let column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..5000).map(f64::from)));
    let path = folder.parquet("a.parquet", vec![("lat", Arc::clone(&column)), ("lng", column)]);
    let whole = std::fs::read(&path).expect("read");
    for length in [0, 3, 4, 100, whole.len() / 2, whole.len() - 1] {
        let path = folder.file("cut.parquet", &whole[..length]);
        let error = refusal(&path, &GeotagOptions::default());
        assert!(error.contains("get or write it again"), "{length}: {error}");
    }
}

#[test]
fn columns_that_are_missing_or_not_numbers_are_refused_by_name() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "photo,lat\na.jpg,1\n");
    let error = refusal(&path, &GeotagOptions::default());
    let cure = "no column for the longitude among photo, lat; name it with --lng-column";
    assert!(error.ends_with(cure), "{error}");
    let flags: ArrayRef = Arc::new(arrow_array::BooleanArray::from(vec![true]));
    let path = folder.parquet("a.parquet", vec![("lat", Arc::clone(&flags)), ("lng", flags)]);
    let error = refusal(&path, &GeotagOptions::default());
    assert!(error.contains("column 'lat' is Boolean"), "{error}");
}

#[test]
fn a_missing_file_a_folder_and_a_picture_are_refused() {
    let folder = Folder::new();
    let options = GeotagOptions::default();
    assert!(refusal(&folder.0.path().join("none.csv"), &options).contains("none.csv"));
    assert!(refusal(&folder.file("a.jpg", [0xff, 0xd8]), &options).contains(".parquet"));
    let inner = folder.0.path().join("f.csv");
    std::fs::create_dir(&inner).expect("a folder");
    assert!(refusal(&inner, &options).contains("is a folder"));
}

#[test]
fn reading_ends_when_the_user_says_so() {
    struct Impatient;
    impl Monitor for Impatient {
        fn expect(&self, _: u64) {}
        fn advance(&self, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let path = Folder::new();
    let path = path.file("a.csv", "lat,lng\n1,2\n");
    let source = [TableSource::parse(&path.to_string_lossy())];
    let error = read_geotags(&source, &GeotagOptions::default(), &Impatient, |_| ());
    assert!(matches!(error, Err(DataError::Cancelled)), "{error:?}");
}
