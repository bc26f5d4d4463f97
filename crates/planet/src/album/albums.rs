use std::collections::HashMap;

use planet_data::{CaptureTime, PhotoRecord};

/// Seconds between two photos of an author beyond which a new album begins, where the manifest
/// names no albums (ours: a day without a photo ends a trip or an outing).
const GAP: i64 = 24 * 3600;

/// Photos that are located together, in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Album {
    /// Who took the photos, where that is known.
    pub author: Option<String>,
    /// The manifest's name; `None` where the album was formed from times.
    pub name: Option<String>,
    /// Rows of its photos in the list of records.
    pub rows: Vec<usize>,
    /// Each photo's time in seconds on a clock that is the same for the whole album; `None`
    /// where it is unknown.
    pub times: Vec<Option<i64>>,
}

/// The albums of a manifest; every record is in exactly one.
///
/// - A record with an `album` stands in the album of that name and author, whatever its time.
/// - The others of one author (those without an author count as one) are put in order of time,
///   and a new album begins wherever more than 24 hours lie between two of them.
/// - Times are compared in the world where all times of the group have a zone, else by what
///   the clocks showed. Equal times keep the manifest's order.
/// - A photo without a time stands behind the photo before it in the manifest. Where no photo
///   of an author has a time and none has an album, each stands alone: nothing ties them.
/// - A clock that is years off puts its photos at an end of their album, or, where albums are
///   formed from times, into albums of their own.
///
/// Albums come in the order of their first record.
pub fn albums(records: &[PhotoRecord]) -> Vec<Album> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<(Option<&str>, Option<&str>), usize> = HashMap::new();
    for (row, record) in records.iter().enumerate() {
        let key = (record.author.as_deref(), record.album.as_deref());
        let group = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(row);
    }
    let mut albums: Vec<Album> =
        groups.into_iter().flat_map(|rows| in_time(records, rows)).collect();
    albums.sort_by_key(|album| album.rows.iter().min().copied());
    albums
}

/// The album of a group's rows, or several where it has no name.
fn in_time(records: &[PhotoRecord], rows: Vec<usize>) -> Vec<Album> {
    let times = seconds(records, &rows);
    // What a photo without a time is sorted by: the time of the one before it.
    let mut last = times.iter().copied().flatten().next();
    let mut keyed: Vec<(Option<i64>, usize, Option<i64>)> = Vec::with_capacity(rows.len());
    for (&row, &time) in rows.iter().zip(&times) {
        last = time.or(last);
        keyed.push((last, row, time));
    }
    keyed.sort_by_key(|(key, row, _)| (*key, *row));

    let PhotoRecord { author, album: name, .. } = &records[rows[0]];
    let mut albums: Vec<Album> = Vec::new();
    let mut before = None;
    for (key, row, time) in keyed {
        let near = matches!((before, key), (Some(a), Some(b)) if b - a <= GAP);
        match albums.last_mut().filter(|_| name.is_some() || near) {
            Some(album) => {
                album.rows.push(row);
                album.times.push(time);
            }
            None => albums.push(Album {
                author: author.clone(),
                name: name.clone(),
                rows: vec![row],
                times: vec![time],
            }),
        }
        before = key;
    }
    albums
}

/// Times of some rows on one clock.
fn seconds(records: &[PhotoRecord], rows: &[usize]) -> Vec<Option<i64>> {
    let parse = |row: &usize| records[*row].time.as_deref().and_then(CaptureTime::parse);
    let times: Vec<Option<CaptureTime>> = rows.iter().map(parse).collect();
    let zones = times.iter().flatten().all(|time| time.instant.is_some());
    let second = |time: CaptureTime| time.instant.filter(|_| zones).unwrap_or(time.clock);
    times.into_iter().map(|time| time.map(second)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(author: &str, album: &str, time: &str) -> PhotoRecord {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PhotoRecord {
            author: some(author),
            album: some(album),
            time: some(time),
            ..PhotoRecord::default()
        }
    }

    fn rows(records: &[(&str, &str, &str)]) -> Vec<Vec<usize>> {
        let records: Vec<_> =
            records.iter().map(|(author, album, time)| record(author, album, time)).collect();
        albums(&records).into_iter().map(|album| album.rows).collect()
    }

    #[test]
    fn named_albums_are_put_in_order_of_time_and_kept_apart_by_author() {
        let found = rows(&[
            ("eva", "1", "2019-07-14T18:00:00"),
            ("tom", "1", "2019-07-14T18:00:00"),
            ("eva", "1", "2019-07-14T17:00:00"),
            ("eva", "1", "1990-01-01T00:00:00"),
        ]);
        assert_eq!(found, [vec![3, 2, 0], vec![1]]);
    }

    #[test]
    fn photos_without_an_album_are_parted_where_a_day_passes() {
        let found = rows(&[
            ("", "", "2019-07-16T18:00:01"),
            ("", "", "2019-07-14T18:00:00"),
            ("", "", "2019-07-15T18:00:00"),
        ]);
        assert_eq!(found, [vec![0], vec![1, 2]]);
    }

    #[test]
    fn a_photo_without_a_time_stands_behind_the_one_before_it() {
        let found = rows(&[
            ("eva", "", ""),
            ("eva", "", "2019-07-14T18:00:00"),
            ("eva", "", ""),
            ("eva", "", "2019-07-14T17:00:00"),
            ("eva", "", "yesterday"),
        ]);
        assert_eq!(found, [vec![3, 4, 0, 1, 2]]);
        assert_eq!(rows(&[("eva", "", ""), ("eva", "", "")]), [vec![0], vec![1]]);
        assert_eq!(rows(&[("eva", "2", ""), ("eva", "2", "")]), [vec![0, 1]]);
    }

    #[test]
    fn zones_count_only_where_every_time_has_one() {
        let zoned =
            [("", "a", "2019-07-14T18:00:00+09:00"), ("", "a", "2019-07-14T10:00:00+00:00")];
        assert_eq!(rows(&zoned), [vec![0, 1]]);
        let mixed = [zoned[0], zoned[1], ("", "a", "2019-07-14T12:00:00")];
        assert_eq!(rows(&mixed), [vec![1, 2, 0]]);
    }

    #[test]
    fn equal_times_keep_the_manifests_order_and_unknown_ones_stay_unknown() {
        let same = "2019-07-14T18:00:00";
        let records = [record("", "a", same), record("", "a", ""), record("", "a", same)];
        let found = albums(&records);
        assert_eq!(found[0].rows, [0, 1, 2]);
        assert_eq!(found[0].times.iter().filter(|time| time.is_none()).count(), 1);
        assert!(albums(&[]).is_empty());
    }
}
