//! Times of tracks: ISO 8601, read fast, since a track has millions of them.

/// A time as a track states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    /// Seconds since 1970-01-01T00:00:00Z; a time without a zone is read as UTC.
    pub seconds: i64,
    /// Whether a zone is stated.
    pub has_zone: bool,
}

/// Reads `2024-03-01T10:00:00.5+01:00` and the like; `None` for what is no time.
pub(super) fn parse(text: &str) -> Option<Stated> {
    let text = text.trim().as_bytes();
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|it| it.len() <= 4)?;
        digits.iter().try_fold(0i64, |value, byte| {
            byte.is_ascii_digit().then(|| 10 * value + i64::from(byte - b'0'))
        })
    };
    let is = |at: usize, wanted: &[u8]| text.get(at).is_some_and(|byte| wanted.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let clock = 86_400 * days(year, month, day) + 3_600 * hour + 60 * minute + second;
    let mut at = 19;
    if is(at, b".,") {
        at += 1;
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
    }
    let (offset, has_zone) = match text.get(at) {
        None => (0, false),
        Some(b'Z' | b'z') if at + 1 == text.len() => (0, true),
        Some(sign @ (b'+' | b'-')) => {
            let minutes = if is(at + 3, b":") { at + 4 } else { at + 3 };
            let rest = if text.len() > at + 3 { number(minutes, text.len())? } else { 0 };
            let size = 3_600 * number(at + 1, at + 3)? + 60 * rest;
            (if *sign == b'-' { -size } else { size }, true)
        }
        Some(_) => return None,
    };
    Some(Stated { seconds: clock - offset, has_zone })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant's algorithm).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + 365 * of_era + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use planet_data::CaptureTime;

    use super::*;

    #[test]
    fn times_are_those_that_capture_times_are() {
        for text in [
            "2024-02-29T23:59:59Z",
            "2023-12-31T00:00:00+05:30",
            "1999-03-01T12:00:00-08:00",
            "2100-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
        ] {
            let wanted = CaptureTime::parse(text).and_then(|it| it.instant);
            assert_eq!(parse(text).map(|it| it.seconds), wanted, "{text}");
        }
        let same =
            ["2024-03-01T10:00:00.123Z", "2024-03-01T11:00:00+01", "2024-03-01T11:00:00+0100"];
        for text in same {
            let wanted = Stated { seconds: 1_709_287_200, has_zone: true };
            assert_eq!(parse(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_told_and_nonsense_is_none() {
        assert_eq!(parse("2024-03-01 10:00:00").map(|it| it.has_zone), Some(false));
        for none in [
            "",
            "2024-03-01",
            "2024-13-01T00:00:00Z",
            "2024-03-01T10:00:00 noon",
            "é",
            "2024-03-01T10:00:00+01:99999999999999999999",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
