//! Capture times: ISO 8601, without a zone where none is known.

use jiff::{Timestamp, civil::DateTime, fmt::temporal::DateTimeParser, tz::TimeZone};

/// A manifest's `time`, to be counted with: seconds by the camera's clock, and in the world
/// where the zone is known. A date alone is its midnight.
///
/// ```
/// use planet_data::CaptureTime;
///
/// let time = CaptureTime::parse("2019-07-14T18:03:22+02:00").expect("a time");
/// assert_eq!(time.clock - time.instant.expect("a zone"), 2 * 3600);
/// assert_eq!(CaptureTime::parse("2019-07-14T18:03:22").expect("a time").instant, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureTime {
    /// Seconds from 1970-01-01T00:00:00 to what the clock showed, whatever its zone.
    pub clock: i64,
    /// Seconds since 1970-01-01T00:00:00Z; `None` without a zone.
    pub instant: Option<i64>,
}

impl CaptureTime {
    /// Reads ISO 8601, with or without a zone; `None` for text that is no time.
    pub fn parse(text: &str) -> Option<Self> {
        let text = from_iso(text)?;
        let (plain, _) = split_zone(&text);
        let time = PARSER.parse_datetime(plain).ok()?;
        let clock = TimeZone::UTC.to_timestamp(time).ok()?.as_second();
        let instant = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
        Some(Self { clock, instant })
    }
}

static PARSER: DateTimeParser = DateTimeParser::new();

/// EXIF's `2019:07:14 18:03:22`, with an offset such as `+02:00` if there is one.
/// All zeros, spaces and impossible dates are unknown; a nonsensical offset is dropped.
pub(crate) fn from_exif(time: &str, offset: Option<&str>) -> Option<String> {
    let (date, clock) = time.trim().split_once([' ', 'T'])?;
    let time = DateTime::strptime("%Y:%m:%d %H:%M:%S", format!("{date} {}", whole_seconds(clock)))
        .or_else(|_| {
            DateTime::strptime("%Y-%m-%d %H:%M:%S", format!("{date} {}", whole_seconds(clock)))
        });
    let time = time.ok().filter(|time| time.year() > 0)?;
    let text = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let with_offset = offset.map(|offset| format!("{text}{}", offset.trim()));
    match with_offset {
        Some(whole) if whole.parse::<Timestamp>().is_ok() => Some(whole),
        _ => Some(text),
    }
}

/// ISO 8601 as XMP and tables have it: `2019-07-14T18:03:22+02:00`, with a space for the `T`,
/// with fractions of seconds (dropped), without seconds, or a date alone, which stays one.
pub(crate) fn from_iso(text: &str) -> Option<String> {
    let text = text.trim();
    let (text, zone) = split_zone(text);
    let time = PARSER.parse_datetime(text).ok().filter(|time| time.year() > 0)?;
    if !text.contains([':', 'T', 't']) {
        return Some(time.strftime("%Y-%m-%d").to_string());
    }
    let plain = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let whole = format!("{plain}{zone}");
    Some(if zone.is_empty() || whole.parse::<Timestamp>().is_ok() { whole } else { plain })
}

fn whole_seconds(clock: &str) -> &str {
    clock.split_once(['.', ',', '+', 'Z']).map_or(clock, |(seconds, _)| seconds)
}

/// The time and its `Z` or `±hh:mm`; a sign within the date is none.
fn split_zone(text: &str) -> (&str, &str) {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return (time, "Z");
    }
    match text.rfind(['+', '-']) {
        Some(at) if at > 10 => text.split_at(at),
        _ => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exif_times_become_iso_times_with_the_offset_that_is_stated() {
        let at = "2019:07:14 18:03:22";
        assert_eq!(from_exif(at, None).as_deref(), Some("2019-07-14T18:03:22"));
        let east = from_exif(at, Some("+02:00"));
        assert_eq!(east.as_deref(), Some("2019-07-14T18:03:22+02:00"));
        assert_eq!(from_exif(at, Some("summer")).as_deref(), Some("2019-07-14T18:03:22"));
    }

    #[test]
    fn impossible_times_are_unknown() {
        for time in ["0000:00:00 00:00:00", "    :  :     :  :  ", "2019:13:40 25:61:61", ""] {
            assert_eq!(from_exif(time, None), None, "{time:?}");
        }
    }

    #[test]
    fn times_count_seconds_by_the_clock_and_in_the_world() {
        let read = |text| CaptureTime::parse(text).map(|time| (time.clock, time.instant));
        assert_eq!(read("1970-01-02T00:00:10"), Some((86_410, None)));
        assert_eq!(read("1970-01-02"), Some((86_400, None)));
        assert_eq!(read("1970-01-01T02:00:00+02:00"), Some((7200, Some(0))));
        assert_eq!(read("1970-01-01T00:00:01Z"), Some((1, Some(1))));
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn iso_times_keep_their_zone_and_dates_stay_dates() {
        let cases = [
            ("2019-07-14T18:03:22.55+02:00", Some("2019-07-14T18:03:22+02:00")),
            ("2019-07-14 18:03:22Z", Some("2019-07-14T18:03:22Z")),
            ("2019-07-14T18:03", Some("2019-07-14T18:03:00")),
            ("2019-07-14", Some("2019-07-14")),
            ("yesterday", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(from_iso(text).as_deref(), wanted, "{text}");
        }
    }
}
