//! Reads the dates of cookies as browsers read them (RFC 6265 §5.1.1): a time, a day, a month and a year, in any order and
//! between any signs. The weekday and the time zone do not count.

use std::ops::RangeInclusive;

/// The first letters by which a month is known.
const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// The number of days before each month of a year that is no leap year, and before the next year.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// The number of days from the first of January of the year 1 to that of the year 1970.
const DAYS_BEFORE_1970: i64 = 719_162;

const FIRST_YEAR: i64 = 1601;

/// The seconds from the Unix epoch to this date, negative before it. `None` when browsers ignore the date.
pub(crate) fn seconds(date: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in date.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        // The first token that can be a part is that part, and no other one.
        let _is_part = find(&mut time, token, time_of_day)
            || find(&mut day, token, |token| number(token, 1..=2))
            || find(&mut month, token, month_of_year)
            || find(&mut year, token, |token| number(token, 2..=4));
    }
    let days = days(whole_year(year?), month?, day?)?;
    days.checked_mul(86_400)?.checked_add(second_of_day(time?)?)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// Takes the token for a part that is not found yet. Returns true if it is that part.
fn find<T>(part: &mut Option<T>, token: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> bool {
    if part.is_some() {
        return false;
    }
    *part = read(token);
    part.is_some()
}

/// The hour, the minute and the second of a token like `08:49:37`, whether there is such a time or not.
fn time_of_day(token: &[u8]) -> Option<[i64; 3]> {
    let (hour, rest) = leading_number(token, 1..=2)?;
    let (minute, rest) = leading_number(rest.strip_prefix(b":")?, 1..=2)?;
    let (second, _) = leading_number(rest.strip_prefix(b":")?, 1..=2)?;
    Some([hour, minute, second])
}

/// The second of the day at this time. `None` when there is no such time.
fn second_of_day([hour, minute, second]: [i64; 3]) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)
}

/// The month, from 0, of a token like `Nov`, `november` or `NOVEMBRE`.
fn month_of_year(token: &[u8]) -> Option<usize> {
    let start = token.get(..3)?;
    MONTHS.iter().position(|month| month.eq_ignore_ascii_case(start))
}

/// The number of so many digits at the start of a token.
fn number(token: &[u8], digits: RangeInclusive<usize>) -> Option<i64> {
    leading_number(token, digits).map(|(number, _)| number)
}

/// The number of so many digits at the start of a token, and the rest of the token.
fn leading_number(token: &[u8], digits: RangeInclusive<usize>) -> Option<(i64, &[u8])> {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = token.split_at_checked(count).filter(|_| digits.contains(&count))?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

/// The year that is meant by a year of two digits.
fn whole_year(year: i64) -> i64 {
    match year {
        70..=99 => year.saturating_add(1900),
        0..=69 => year.saturating_add(2000),
        year => year,
    }
}

/// The days from the Unix epoch to a day of the calendar. `month` counts from 0. `None` when there is no such day.
fn days(year: i64, month: usize, day: i64) -> Option<i64> {
    let is_leap_year = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (before, after) = (*DAYS_BEFORE.get(month)?, *DAYS_BEFORE.get(month.checked_add(1)?)?);
    let length = after.checked_sub(before)?.checked_add((is_leap_year && month == 1).into())?;
    if year < FIRST_YEAR || !(1..=length).contains(&day) {
        return None;
    }
    let years = year.checked_sub(1)?;
    let leap_days = (years / 4).checked_sub(years / 100)?.checked_add(years / 400)?;
    years
        .checked_mul(365)?
        .checked_add(leap_days)?
        .checked_sub(DAYS_BEFORE_1970)?
        .checked_add(before)?
        .checked_add((is_leap_year && month > 1).into())?
        .checked_add(day)?
        .checked_sub(1)
}

#[cfg(test)]
mod tests;
