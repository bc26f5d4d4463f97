//! Capture times: ISO 8601, without a zone where none is known.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

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
        let StatedTime { text, .. } = StatedTime::read(text, None)?;
        // Ours: a date of ten characters, or a date and a clock of nineteen and an offset.
        let time: DateTime = match text.get(..19) {
            Some(plain) => plain.parse().ok()?,
            None => text.parse::<Date>().ok()?.at(0, 0, 0, 0),
        };
        let clock = TimeZone::UTC.to_timestamp(time).ok()?.as_second();
        let instant = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
        Some(Self { clock, instant })
    }

    /// The time so many seconds later, as a manifest has it: with a zone in UTC, without one as a
    /// clock shows it. `None` beyond the year 9999.
    ///
    /// ```
    /// use planet_data::CaptureTime;
    ///
    /// let later = |text| CaptureTime::parse(text)?.later(5400);
    /// assert_eq!(later("2019-07-14T23:00:00").as_deref(), Some("2019-07-15T00:30:00"));
    /// assert_eq!(later("2019-07-14T23:00:00+01:00").as_deref(), Some("2019-07-14T23:30:00Z"));
    /// ```
    pub fn later(&self, seconds: i64) -> Option<String> {
        let (from, format) = match self.instant {
            Some(instant) => (instant, "%Y-%m-%dT%H:%M:%SZ"),
            None => (self.clock, "%Y-%m-%dT%H:%M:%S"),
        };
        let time = Timestamp::from_second(from.checked_add(seconds)?).ok()?;
        Some(TimeZone::UTC.to_datetime(time).strftime(format).to_string())
    }
}

/// No photo is older: Niépce's view from his window is of about 1826. Clocks that were never set
/// and programs without a value write the years 0 and 1.
const EARLIEST_YEAR: i16 = 1800;

/// Clocks on the earth are between these offsets from UTC, in minutes.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * 60..=14 * 60;

/// A capture time as its source states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatedTime {
    /// ISO 8601: with an offset where one is stated, a date alone where the source has no more.
    pub(crate) text: String,
    /// An offset that no clock has (`+25:00`), and that was left out.
    pub(crate) refused_offset: Option<String>,
}

impl StatedTime {
    /// Reads what EXIF, XMP and tables have: `2019:07:14 18:03:22`, `2019-07-14T18:03:22.5+02:00`,
    /// `2019/07/14 18:03`, `20190714T180322Z`, or a date alone. Fractions of seconds are dropped.
    /// `beside` is an offset in a field of its own; one behind the time goes first.
    ///
    /// `None` for blanks, zeros, impossible dates, and years that are not of four digits: which
    /// century is meant is not guessed.
    pub(crate) fn read(text: &str, beside: Option<&str>) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = match text.find(['T', 't', ' ']) {
            Some(at) => (&text[..at], text[at + 1..].trim_start()),
            None => (text, ""),
        };
        let [year, month, day] = date_parts(date)?;
        let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        if date.year() < EARLIEST_YEAR {
            return None;
        }
        // EXIF's way of saying that only the date is known: `  :  :  `.
        if !rest.contains(|c: char| c.is_ascii_digit()) {
            return Some(Self { text: date.to_string(), refused_offset: None });
        }
        let (clock, behind) = split_offset(rest);
        let [hour, minute, second] = clock_parts(clock)?;
        // A leap second is the last of its minute.
        let second = if second == 60 { 59 } else { second };
        let time = Time::new(hour, minute, second, 0).ok()?;
        let time = date.to_datetime(time).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let stated = Some(behind).filter(|behind| !behind.is_empty()).or(beside);
        // `6:03 PM` is another time than its digits say.
        if behind.trim().starts_with(['P', 'p', 'A', 'a']) {
            return None;
        }
        let stated = stated.map(str::trim).filter(|text| !is_blank(text));
        Some(match stated.map(|stated| offset(stated).ok_or(stated)) {
            None => Self { text: time, refused_offset: None },
            Some(Ok(offset)) => Self { text: time + &offset, refused_offset: None },
            Some(Err(none)) => Self { text: time, refused_offset: Some(none.to_owned()) },
        })
    }
}

/// As [`StatedTime::read`], without a note of a refused offset.
pub(crate) fn from_iso(text: &str) -> Option<String> {
    StatedTime::read(text, None).map(|stated| stated.text)
}

/// Whether text names a year, or a year and a month, but no day.
pub(crate) fn is_partial(text: &str) -> bool {
    let date = text.trim().split([' ', 'T']).next().unwrap_or_default();
    let mut parts = date.split([':', '-', '/', '.']);
    let year = parts.next().is_some_and(|year| year.len() == 4 && number::<u32>(year) > Some(0));
    let rest: Vec<&str> = parts.collect();
    let given =
        rest.iter().filter(|part| number::<u32>(part).is_some_and(|number| number > 0)).count();
    year && rest.len() <= 2 && given < 2 && rest.iter().all(|part| part.len() <= 2)
}

/// Year, month and day, separated, or as eight digits.
fn date_parts(date: &str) -> Option<[i16; 3]> {
    if date.len() == 8 && number::<u32>(date).is_some() {
        return Some([number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?]);
    }
    let mut parts = date.split([':', '-', '/', '.']);
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or_default()];
    match parts {
        [year, month, day, ""] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            Some([number(year)?, number(month)?, number(day)?])
        }
        _ => None,
    }
}

/// Hour, minute and second; what is missing at the end is zero.
fn clock_parts(clock: &str) -> Option<[i8; 3]> {
    let clock = clock.trim_end();
    let whole = clock.split(['.', ',']).next().unwrap_or_default();
    if matches!(whole.len(), 4 | 6) && number::<u32>(whole).is_some() {
        let seconds = if whole.len() == 6 { &whole[4..] } else { "0" };
        return Some([small(&whole[..2])?, small(&whole[2..4])?, small(seconds)?]);
    }
    let mut parts = whole.split(':');
    let mut next = |default| match parts.next() {
        Some(part) => small(part),
        None => default,
    };
    let read = [next(None)?, next(Some(0))?, next(Some(0))?];
    parts.next().is_none().then_some(read)
}

/// A number of one or two digits.
fn small(digits: &str) -> Option<i8> {
    number(digits).filter(|_| digits.len() <= 2)
}

/// A number of digits alone: no sign, no space.
fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The clock and what stands behind its digits: an offset, if it is one.
fn split_offset(clock: &str) -> (&str, &str) {
    let end = |c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','));
    clock.split_at(clock.find(end).unwrap_or(clock.len()))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || matches!(c, ':' | '\0'))
}

/// `Z` or `±hh:mm` of `-5:00`, `+0530`, `+02` and the like; `None` for what no clock has.
fn offset(text: &str) -> Option<String> {
    // A place may follow: `+02:00[Europe/Rome]`.
    let text = text.split('[').next().unwrap_or_default().trim();
    if ["Z", "UTC", "GMT"].iter().any(|zulu| zulu.eq_ignore_ascii_case(text)) {
        return Some("Z".to_owned());
    }
    let (sign, digits) = match text.chars().next()? {
        '+' => (1, &text[1..]),
        '-' => (-1, &text[1..]),
        '−' => (-1, &text['−'.len_utf8()..]),
        _ => return None,
    };
    let mut parts = digits.splitn(3, ':');
    let (hours, minutes) = match (parts.next()?, parts.next(), parts.next()) {
        (hours, Some(minutes), None | Some("00")) if minutes.len() == 2 => (hours, minutes),
        (all, None, None) if matches!(all.len(), 3 | 4) => all.split_at_checked(all.len() - 2)?,
        (hours, None, None) => (hours, "0"),
        _ => return None,
    };
    let (hours, minutes) = (i32::from(small(hours)?), i32::from(small(minutes)?));
    let offset = sign * (60 * hours + minutes);
    if minutes > 59 || !OFFSETS.contains(&offset) {
        return None;
    }
    let sign = if offset < 0 { '-' } else { '+' };
    Some(format!("{sign}{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, beside: Option<&str>) -> Option<String> {
        StatedTime::read(text, beside).map(|stated| stated.text)
    }

    #[test]
    fn exif_times_become_iso_times_with_the_offset_that_is_stated() {
        let at = "2019:07:14 18:03:22";
        let cases = [
            (None, "2019-07-14T18:03:22"),
            (Some("+02:00"), "2019-07-14T18:03:22+02:00"),
            (Some("-5:00"), "2019-07-14T18:03:22-05:00"),
            (Some("+0530"), "2019-07-14T18:03:22+05:30"),
            (Some("-930"), "2019-07-14T18:03:22-09:30"),
            (Some("+2"), "2019-07-14T18:03:22+02:00"),
            (Some("Z"), "2019-07-14T18:03:22Z"),
            (Some("-00:00"), "2019-07-14T18:03:22+00:00"),
            (Some("   :  "), "2019-07-14T18:03:22"),
        ];
        for (beside, wanted) in cases {
            let stated = StatedTime::read(at, beside).expect(at);
            assert_eq!((stated.text.as_str(), stated.refused_offset), (wanted, None));
        }
    }

    #[test]
    fn offsets_that_no_clock_has_are_left_out_and_named() {
        for none in ["+25:00", "+14:30", "-13:00", "+02:60", "summer", "+:", "02:00", "+1:2", "+é9"]
        {
            let stated = StatedTime::read("2019:07:14 18:03:22", Some(none)).expect("a time");
            assert_eq!(stated.text, "2019-07-14T18:03:22", "{none}");
            assert_eq!(stated.refused_offset.as_deref(), Some(none));
        }
        let behind = StatedTime::read("2019-07-14T18:03:22+25:00", None).expect("a time");
        assert_eq!(behind.refused_offset.as_deref(), Some("+25:00"));
        assert_eq!(behind.text, "2019-07-14T18:03:22");
    }

    #[test]
    fn an_offset_behind_the_time_goes_before_one_beside_it() {
        let wanted = Some("2020-02-03T04:05:06-07:00");
        assert_eq!(read("2020:02:03 04:05:06-07:00", Some("+01:00")).as_deref(), wanted);
        assert_eq!(read("2020:02:03 04:05:06.25 -0700", None).as_deref(), wanted);
        assert_eq!(read("2020-02-03T04:05:06-07:00[America/Denver]", None).as_deref(), wanted);
    }

    #[test]
    fn impossible_times_are_unknown() {
        let none = [
            "0000:00:00 00:00:00",
            "    :  :     :  :  ",
            "2019:13:40 25:61:61",
            "",
            "20:02:03 04:05:06",
            "0001-01-01T00:00:00",
            "2019",
            "2019-07",
            "2019:07:00 00:00:00",
            "2019:07:14 6:03:22 PM",
            "2019:07:14:18:03:22",
            "2019:07:14 18:03:22:01",
            "+2019:07:14 18:03:22",
            "２０１９:07:14 18:03:22",
        ];
        for time in none {
            assert_eq!(StatedTime::read(time, None), None, "{time:?}");
        }
    }

    #[test]
    fn years_and_months_alone_are_told_from_nonsense() {
        for partial in ["2019", "2019-07", "2019:07", "2019:00:00 00:00:00", "2019:07:00 00:00:00"]
        {
            assert!(is_partial(partial), "{partial}");
        }
        for other in
            ["2019-07-14", "yesterday", "20", "0000", "0000:00:00 00:00:00", "", "2019-0700"]
        {
            assert!(!is_partial(other), "{other}");
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
            ("2019:07:14", Some("2019-07-14")),
            ("2019:07:14   :  :  ", Some("2019-07-14")),
            ("2021:08:19 18:48:53", Some("2021-08-19T18:48:53")),
            ("2021/8/9 8:48", Some("2021-08-09T08:48:00")),
            ("20190714T180322Z", Some("2019-07-14T18:03:22Z")),
            ("2019-07-14T23:59:60Z", Some("2019-07-14T23:59:59Z")),
            ("yesterday", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(from_iso(text).as_deref(), wanted, "{text}");
        }
    }
}
