//! Every foreign layout, and what is wrong in it.

use std::{io::Write, path::Path};

use planet_data::{ImportFormat, ImportOptions, PhotoRecord, PositionSource};

fn import(format: ImportFormat, path: &Path) -> Vec<Result<PhotoRecord, String>> {
    import_with(format, path, &ImportOptions::default())
}

fn import_with(
    format: ImportFormat,
    path: &Path,
    options: &ImportOptions,
) -> Vec<Result<PhotoRecord, String>> {
    let read = format.read(path, options).expect("a file of this layout");
    read.map(|record| record.map_err(|error| error.to_string())).collect()
}

fn file(name: &str, text: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    (folder, path)
}

#[test]
fn a_table_is_read_by_the_usual_names_of_its_columns() {
    let text = "File,Latitude,LON,user,date_taken,mood\nx/a.jpg,1.5,-2,me,2019:07:14 18:03:22,\n\
                b.jpg,91,0,,,sad\nc.jpg,,,you,1563127402000,\n";
    let (_folder, path) = file("t.csv", text);
    let records = import(ImportFormat::Table, &path);
    let first = records[0].as_ref().expect("a row");
    assert_eq!((first.photo.as_str(), first.author.as_deref()), ("x/a.jpg", Some("me")));
    assert_eq!(first.position.map(|at| (at.lat(), at.lng())), Some((1.5, -2.0)));
    assert_eq!(first.position_source, Some(PositionSource::Table));
    assert_eq!(first.time.as_deref(), Some("2019-07-14T18:03:22"));
    let error = records[1].as_ref().expect_err("latitude 91");
    assert!(error.ends_with("t.csv:3: latitude 91 is not within -90..=90"), "{error}");
    let third = records[2].as_ref().expect("a row");
    assert_eq!((third.position, third.time.as_deref()), (None, Some("2019-07-14T18:03:22Z")));
}

#[test]
fn im2gps_and_osv5m_tables_become_photos() {
    let (_folder, path) = file("t.csv", "IMG_ID,LAT,LON\n1_2_3.jpg,10,20\n");
    let records = import(ImportFormat::Im2gps, &path);
    assert_eq!(records[0].as_ref().expect("a row").photo, "1_2_3.jpg");
    let text = "id,latitude,longitude,country,sequence,captured_at,quadtree\n77,10,20,FR,s1,1563127402000,9\n";
    let (_folder, path) = file("t.csv", text);
    let record = import(ImportFormat::Osv5m, &path).remove(0).expect("a row");
    assert_eq!((record.photo.as_str(), record.album.as_deref()), ("77.jpg", Some("s1")));
    assert_eq!(record.other.get("quadtree").map(String::as_str), Some("9"));
}

#[test]
fn foreign_columns_with_names_of_the_manifest_are_kept_under_another_name() {
    let (_folder, path) = file("t.csv", "IMG_ID,LAT,LON,Country,city\n1.jpg,10,20,France,Paris\n");
    let record = import(ImportFormat::Im2gps, &path).remove(0).expect("a row");
    let others: Vec<_> =
        record.other.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(others, [("city", "Paris"), ("original_country", "France")]);
    assert_eq!(record.country, None);
}

#[test]
fn a_table_without_photos_or_with_half_a_position_is_refused() {
    for (text, wanted) in [
        ("lat,lng\n1,2\n", "no column with the id of the photo"),
        ("photo,lat\na,2\n", "only one coordinate"),
    ] {
        let (_folder, path) = file("t.csv", text);
        let error = ImportFormat::Table.read(&path, &ImportOptions::default()).err();
        let error = error.expect("not a dataset").to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

fn yfcc_line(id: &str, tags: &str, lng: &str, lat: &str, video: &str) -> String {
    let mut cells = vec![""; 23];
    (cells[0], cells[1], cells[3], cells[5]) = (id, "42@N00", "2010-05-06 07:08:09.0", "Canon+EOS");
    (cells[8], cells[10], cells[11], cells[12], cells[22]) = (tags, lng, lat, "16", video);
    cells.join("\t")
}

#[test]
fn yfcc_photos_are_selected_by_their_number_of_tags() {
    let lines = [
        yfcc_line("1", "a,b", "2.35", "48.85", "0"),
        yfcc_line("2", "", "2.35", "48.85", "0"),
        yfcc_line("3", "a,b,c,d,e,f", "2.35", "48.85", "0"),
        yfcc_line("4", "a", "2.35", "48.85", "1"),
        yfcc_line("5", "a", "", "", "0"),
        yfcc_line("6", "a", "x", "1", "0"),
        format!("7\t{}", yfcc_line("7", "a", "1", "2", "0")),
        "too\tshort".to_owned(),
    ];
    let (_folder, path) = file("yfcc100m_dataset", lines.join("\n"));
    let options = ImportOptions { tags: Some((1, 5)), ..ImportOptions::default() };
    let records = import_with(ImportFormat::Yfcc100m, &path, &options);
    let ids: Vec<_> = records.iter().flatten().map(|record| record.photo.as_str()).collect();
    assert_eq!(ids, ["1.jpg", "5.jpg", "7.jpg"]);
    let first = records[0].as_ref().expect("a row");
    assert_eq!(first.position.map(|at| at.lat()), Some(48.85));
    assert_eq!(first.time.as_deref(), Some("2010-05-06T07:08:09"));
    let errors: Vec<_> = records.iter().filter_map(|record| record.as_ref().err()).collect();
    assert!(errors[0].contains("dataset:6: a coordinate is not a number"), "{errors:?}");
    assert!(errors[1].contains("dataset:8: has 2 tab-separated columns"), "{errors:?}");
    assert!(ImportFormat::Im2gps.read(&path, &options).is_err());
}

fn tar_with(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).expect("written to memory");
    }
    archive.into_inner().expect("written to memory")
}

#[test]
fn webdataset_shards_pair_photos_with_their_facts() {
    let folder = tempfile::tempdir().expect("a folder");
    let shard = tar_with(&[
        ("a/0001.jpg", b"photo"),
        ("a/0001.json", br#"{"LAT": 1.5, "LON": "2", "author": "me", "tags": ["x"], "n": 3}"#),
        ("a/0002.json", br#"{"lat": 95, "lon": 2}"#),
        ("a/0002.jpg", b"photo"),
        ("a/0003.jpg", b"photo"),
        ("a/0004.json", b"{}"),
        ("a/0005.jpg", b"photo"),
        ("a/0005.json", b"not json"),
    ]);
    std::fs::write(folder.path().join("s0.tar"), &shard).expect("written");
    std::fs::write(folder.path().join("s1.tar"), &shard[..700]).expect("written");
    let records = import(ImportFormat::WebDataset, folder.path());
    let first = records[0].as_ref().expect("a photo");
    assert_eq!(first.photo, "s0.tar!a/0001.jpg");
    assert_eq!(first.position.map(|at| (at.lat(), at.lng())), Some((1.5, 2.0)));
    assert_eq!(first.other.get("n").map(String::as_str), Some("3"));
    let photos = records.iter().flatten().map(|record| record.photo.as_str());
    assert!(photos.clone().any(|photo| photo == "s0.tar!a/0003.jpg"));
    let errors = records.iter().filter_map(|r| r.as_ref().err()).cloned().collect::<String>();
    for wanted in
        ["latitude 95", "0004.json has no photo", "0005.json", "s1.tar: the shard is truncated"]
    {
        assert!(errors.contains(wanted), "{wanted}: {errors}");
    }
}

/// A map of text fields and one image, as MP-16's download script packs them.
fn packed(id: &str, image: &[u8], facts: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[0xd9, text.len() as u8], text.as_bytes()].concat();
    let mut bytes = vec![0x80 | (facts.len() + 2) as u8];
    bytes.extend([text("image"), vec![0xc4, image.len() as u8], image.to_vec()].concat());
    bytes.extend([text("id"), text(id)].concat());
    for (name, value) in facts {
        bytes.extend([text(name), text(value)].concat());
    }
    bytes
}

#[test]
fn msgpack_shards_take_positions_and_authors_from_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let shards = folder.path().join("mp16");
    std::fs::create_dir(&shards).expect("a folder");
    let first = [packed("34/8d/1.jpg", b"one", &[]), packed("aa/bb/2.jpg", b"two", &[])].concat();
    std::fs::write(shards.join("shard_0.msg"), &first).expect("written");
    std::fs::write(shards.join("shard_1.msg"), &first[..first.len() - 9]).expect("written");
    let own = packed("c.jpg", b"three", &[("latitude", "1.5"), ("longitude", "2"), ("n", "7")]);
    std::fs::write(shards.join("shard_2.msg"), own).expect("written");
    let table = folder.path().join("mp16_places365.csv");
    let text = "IMG_ID,AUTHOR,LAT,LON,S3_Label\n34/8d/1.jpg,me@N00,10,20,2\nbad.jpg,me@N00,91,0,1\n\
                gone.jpg,you@N00,3,4,1\nc.jpg,me@N00,50,60,0\n";
    std::fs::write(&table, text).expect("written");
    let options = ImportOptions { positions: Some(table.clone()), ..ImportOptions::default() };
    let records = import_with(ImportFormat::Msgpack, &shards, &options);
    let photos: Vec<_> = records.iter().flatten().collect();
    let ids: Vec<_> = photos.iter().map(|photo| photo.photo.as_str()).collect();
    let wanted = [
        "shard_0.msg!34/8d/1.jpg",
        "shard_0.msg!aa/bb/2.jpg",
        "shard_1.msg!34/8d/1.jpg",
        "shard_2.msg!c.jpg",
    ];
    assert_eq!(ids, wanted);
    let positions: Vec<_> =
        photos.iter().map(|photo| photo.position.map(|at| (at.lat(), at.lng()))).collect();
    assert_eq!(positions, [Some((10.0, 20.0)), None, Some((10.0, 20.0)), Some((1.5, 2.0))]);
    assert_eq!(photos[0].position_source, Some(PositionSource::Table));
    assert_eq!((photos[3].author.as_deref(), photos[1].author.as_deref()), (Some("me@N00"), None));
    assert_eq!(photos[3].other.get("n").map(String::as_str), Some("7"));
    let errors: Vec<_> = records.iter().filter_map(|record| record.as_ref().err()).collect();
    assert!(errors[0].contains("mp16_places365.csv:3: latitude 91"), "{errors:?}");
    assert!(errors[1].ends_with("shard_1.msg: the shard is truncated"), "{errors:?}");
    assert!(errors[2].ends_with("1 of 3 rows have no photo in the shards"), "{errors:?}");
    let bytes = planet_data::DiskStore::new(&shards).bytes(ids[1]).expect("read");
    assert_eq!(bytes, b"two");
    assert!(ImportFormat::WebDataset.read(&shards, &options).is_err());
}

#[test]
fn rows_of_a_table_of_positions_without_a_photo_are_counted() {
    let (folder, path) = file("shard_0.msg", packed("1.jpg", b"one", &[]));
    let table = folder.path().join("t.csv");
    std::fs::write(&table, "IMG_ID,LAT,LON\n1.jpg,1,2\n2.jpg,1,2\n3.jpg,1,2\n").expect("written");
    let options = ImportOptions { positions: Some(table), ..ImportOptions::default() };
    let records = import_with(ImportFormat::Msgpack, &path, &options);
    let last = records.last().expect("a record").as_ref().expect_err("two are missing");
    assert!(last.ends_with("2 of 3 rows have no photo in the shards"), "{last}");
}

#[test]
fn osv5m_photos_are_found_in_their_numbered_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("images/train");
    for photo in ["00/11.jpg", "01/22.jpg"] {
        let path = root.join(photo);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, b"photo").expect("written");
    }
    let path = folder.path().join("train.csv");
    std::fs::write(&path, "id,latitude,longitude\n22,1,2\n11,1,2\n33,1,2\n").expect("written");
    let options = ImportOptions { root: Some(root), ..ImportOptions::default() };
    let records = import_with(ImportFormat::Osv5m, &path, &options);
    let ids: Vec<_> = records.iter().flatten().map(|record| record.photo.as_str()).collect();
    assert_eq!(ids, ["01/22.jpg", "00/11.jpg"]);
    let error = records[2].as_ref().expect_err("33.jpg is nowhere");
    assert!(error.starts_with("33.jpg: is in no numbered folder of"), "{error}");
}

#[test]
fn holidays_photos_are_grouped_by_their_numbers() {
    let (_folder, path) = file("holidays_images.dat", "100000.jpg\n100001.jpg 7\n\nx.jpg\n");
    let records = import(ImportFormat::Holidays, &path);
    let first = records[0].as_ref().expect("a photo");
    assert_eq!((first.album.as_deref(), first.category.as_deref()), (Some("1000"), Some("query")));
    assert_eq!(records[1].as_ref().expect("a photo").category.as_deref(), Some("database"));
    assert!(records[2].as_ref().expect_err("no number").contains(":4: the name 'x.jpg'"));
}

#[test]
fn a_line_without_end_is_an_error_and_ends_the_reading() {
    let (_folder, path) = file("endless.dat", "");
    let mut file = std::fs::File::create(&path).expect("made");
    for _ in 0..3 {
        file.write_all(&[b'7'; 1 << 20]).expect("written");
    }
    let records = import(ImportFormat::Yfcc100m, &path);
    assert_eq!(records.len(), 1);
    assert!(records[0].as_ref().expect_err("endless").contains("longer than 1 MiB"));
}
