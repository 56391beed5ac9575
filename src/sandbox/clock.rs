//! Civil time: the texts of `created_at`, of the date filter and of HTTP dates.
//!
//! What lives here: conversions between texts and seconds since 1970, proleptic Gregorian, years 1 to 9999. Written
//! anew rather than shared with the client, so that a mistake there cannot hide behind the same mistake here.
//! What this file must not know: what time it is.

pub(super) const DAY: i64 = 86_400;

/// Days since 1970-01-01 of a civil date (Hinnant, chrono-compatible low-level date algorithms).
pub(super) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(super) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// A point in time as read from a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Milliseconds since 1970, after an offset was applied.
    pub(super) millis: i64,
    /// The text named a day and no time.
    pub(super) date_only: bool,
}

/// Reads `YYYY-MM-DD`, then optionally `T` or a space, `HH:MM`, `:SS`, a fraction and `Z` or an offset.
///
/// A space is taken for the sign of a positive offset, because that is what an unescaped `+` becomes in a query.
pub(super) fn parse(text: &str) -> Option<Moment> {
    let mut rest = text.trim().as_bytes();
    let year = digits(&mut rest, 4)?;
    literal(&mut rest, b"-")?;
    let month = digits(&mut rest, 2)?;
    literal(&mut rest, b"-")?;
    let day = digits(&mut rest, 2)?;
    if year == 0 || !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * DAY;
    if rest.is_empty() {
        return Some(Moment { millis: midnight * 1000, date_only: true });
    }
    literal(&mut rest, b"Tt ")?;
    let hour = digits(&mut rest, 2)?;
    literal(&mut rest, b":")?;
    let minute = digits(&mut rest, 2)?;
    let second = if literal(&mut rest, b":").is_some() { digits(&mut rest, 2)? } else { 0 };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut thousandths = 0;
    if literal(&mut rest, b".,").is_some() {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, after) = rest.split_at_checked(length)?;
        if length == 0 {
            return None;
        }
        rest = after;
        for place in 0..3 {
            thousandths = thousandths * 10 + fraction.get(place).map_or(0, |digit| i64::from(digit - b'0'));
        }
    }
    let offset = offset(&mut rest)?;
    if !rest.is_empty() {
        return None;
    }
    let seconds = midnight + hour * 3600 + minute * 60 + second - offset;
    Some(Moment { millis: seconds * 1000 + thousandths, date_only: false })
}

/// Appends `YYYY-MM-DDTHH:MM:SS`, the text of `created_at` (seen in published replies).
pub(super) fn write(seconds: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    two(year / 100, out);
    two(year % 100, out);
    out.push(b'-');
    two(month, out);
    out.push(b'-');
    two(day, out);
    out.push(b'T');
    two(time / 3600, out);
    out.push(b':');
    two(time / 60 % 60, out);
    out.push(b':');
    two(time % 60, out);
}

/// The text of an HTTP date (RFC 9110, IMF-fixdate).
pub(super) fn http_date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = seconds.div_euclid(DAY);
    let time = seconds.rem_euclid(DAY);
    let (year, month, day) = civil_from_days(days);
    let name = |names: &[&'static str], place: i64| {
        usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or("")
    };
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

/// The day of the week of a number of days since 1970-01-01, Monday as 0.
pub(super) const fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn two(number: i64, out: &mut Vec<u8>) {
    let digit = |value: i64| b'0' + u8::try_from(value % 10).unwrap_or(0);
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, after) = rest.split_at_checked(count)?;
    let mut number = 0;
    for byte in head {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    *rest = after;
    Some(number)
}

fn literal(rest: &mut &[u8], accepted: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    if !accepted.contains(first) {
        return None;
    }
    *rest = after;
    Some(*first)
}

fn offset(rest: &mut &[u8]) -> Option<i64> {
    if rest.is_empty() || literal(rest, b"Zz").is_some() {
        return Some(0);
    }
    let sign = if literal(rest, b"+- ")? == b'-' { -1 } else { 1 };
    let hours = digits(rest, 2)?;
    let minutes = match literal(rest, b":") {
        Some(_) => digits(rest, 2)?,
        None if rest.is_empty() => 0,
        None => digits(rest, 2)?,
    };
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64) -> String {
        let mut out = Vec::new();
        write(seconds, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn civil_days_agree_with_another_implementation() {
        for days in (-719_162..2_932_896).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            let other = chrono::NaiveDate::from_epoch_days(i32::try_from(days).unwrap()).unwrap();
            assert_eq!(format!("{year:04}-{month:02}-{day:02}"), other.to_string());
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn reads_every_form_the_documentation_shows() {
        let at = |text: &str| parse(text).map(|moment| moment.millis);
        assert_eq!(at("2018-08-01"), Some(1_533_081_600_000));
        assert_eq!(at("2018-08-01T10:00:00"), Some(1_533_117_600_000));
        assert_eq!(at("2018-08-01T10:00:00Z"), Some(1_533_117_600_000));
        assert_eq!(at("2018-08-01T10:00:00.25Z"), Some(1_533_117_600_250));
        assert_eq!(at("2018-08-01T12:00:00+02:00"), Some(1_533_117_600_000));
        assert_eq!(at("2018-08-01T07:00:00-0300"), Some(1_533_117_600_000));
        assert!(parse("2018-08-01").unwrap().date_only);
        assert!(!parse("2018-08-01T00:00:00").unwrap().date_only);
        for bad in ["", "2018-02-29", "2018-8-1", "2018-08-01T25:00:00", "0000-01-01", "2018-08-01T10:00:00x"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for known in
            ["0001-01-01T00:00:00", "1969-12-31T23:59:59", "2024-02-29T12:34:56", "9999-12-31T23:59:59"]
        {
            assert_eq!(text(parse(known).unwrap().millis.div_euclid(1000)), known);
        }
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(weekday(0), 3);
    }
}
