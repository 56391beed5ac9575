//! The coverage calendar: each month a small table, each day a mark that needs no colour; and the same as stretches.
//!
//! What lives here: that section. What this file must not know: how days are judged.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::Content;
use super::super::calendar::{Calendar, DAY, State, date};
use super::text::{Number, count};
use super::{close_table, open_table};
use crate::model::{Grid, Level, Timestamp};

/// Months that are drawn, the latest.
const MONTHS: usize = 120;
/// Stretches that are listed, the latest.
const STRETCHES: usize = 200;

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn write(out: &mut String, content: &Content<'_>) {
    let calendar = &content.calendar;
    let Some((from, to)) = calendar.range() else {
        out.push_str("<p>No commit is about any day.</p>\n");
        return;
    };
    let grid = content.overview.spec.grid;
    let _ = writeln!(
        out,
        "<p>What the log proves of each day from {} to {} (UTC), from {} of one {}. A day is only as well known as its \
         weakest window. Below each mark stands the number of events.</p>",
        date(from),
        date(to),
        count(calendar.windows, "window"),
        match grid {
            Grid::Day => "day",
            Grid::Hour => "hour",
        }
    );
    legend(out, calendar);
    months(out, calendar);
    stretches(out, calendar);
}

fn legend(out: &mut String, calendar: &Calendar) {
    let counts = calendar.counts();
    open_table(
        out,
        "t-levels",
        "Days by what is known of them",
        &[("Mark", false), ("State", false), ("Days", true), ("Meaning", false)],
    );
    for state in State::ALL {
        let _ = writeln!(
            out,
            "<tr><td><span class=\"mark {}\">{}</span></td><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td></tr>",
            class(state),
            state.mark(),
            state.name(),
            Number(counts.get(&state).copied().unwrap_or(0)),
            state.meaning()
        );
    }
    close_table(out);
}

fn class(state: State) -> &'static str {
    match state {
        State::Double => "double",
        State::Bracketed => "bracketed",
        State::Empty => "empty",
        State::Partial => "partial",
        State::Unproven => "unproven",
        State::Absent => "absent",
    }
}

/// Months with a day of which the log says something.
fn months(out: &mut String, calendar: &Calendar) {
    let mut months: BTreeMap<(i32, u32), ()> = BTreeMap::new();
    for day in calendar.days.keys() {
        let (year, month, _) = Timestamp::from_seconds(day.saturating_mul(DAY)).date();
        months.insert((year, month), ());
    }
    let skipped = months.len().saturating_sub(MONTHS);
    if skipped > 0 {
        let skipped = u64::try_from(skipped).unwrap_or(u64::MAX);
        let _ = writeln!(
            out,
            "<p class=\"note\">The latest {MONTHS} months with commits are drawn; {} before them stand in the table of \
             stretches alone.</p>",
            count(skipped, "month")
        );
    }
    out.push_str("<div class=\"months\">\n");
    for (year, month) in months.into_keys().skip(skipped) {
        draw(out, calendar, year, month);
    }
    out.push_str("</div>\n");
}

fn draw(out: &mut String, calendar: &Calendar, year: i32, month: u32) {
    let name = usize::try_from(month).ok().and_then(|month| NAMES.get(month.checked_sub(1)?)).unwrap_or(&"");
    let _ = write!(out, "<table class=\"month\"><caption>{name} {year}</caption>\n<thead><tr>");
    for (short, long) in [
        ("Mo", "Monday"),
        ("Tu", "Tuesday"),
        ("We", "Wednesday"),
        ("Th", "Thursday"),
        ("Fr", "Friday"),
        ("Sa", "Saturday"),
        ("Su", "Sunday"),
    ] {
        let _ = write!(out, "<th scope=\"col\"><abbr title=\"{long}\">{short}</abbr></th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n<tr>");
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let day = |year, month| Timestamp::from_date(year, month, 1).map(|at| at.seconds().div_euclid(DAY));
    let Some(first) = day(year, month) else { return };
    let end = day(next.0, next.1).unwrap_or(first + 31);
    // 1970-01-01 was a Thursday.
    let mut column = (first + 3).rem_euclid(7);
    for _ in 0..column {
        out.push_str("<td></td>");
    }
    let range = calendar.range();
    for day in first..end {
        if column == 7 {
            out.push_str("</tr>\n<tr>");
            column = 0;
        }
        column += 1;
        let number = day - first + 1;
        match calendar.days.get(&day) {
            Some(known) => {
                let level =
                    if known.state == State::Empty && known.level == Level::Double { ", double" } else { "" };
                let kept = match known.quarantined {
                    0 => String::new(),
                    kept => format!(", {} in quarantine", Number(kept)),
                };
                let _ = write!(
                    out,
                    "<td class=\"{}\"><span class=\"day\">{number}</span><span class=\"state\" aria-hidden=\"true\">{}</span>\
                     <span class=\"events\" aria-hidden=\"true\">{}</span><span class=\"sr\">{}{level}, {}{kept}</span></td>",
                    class(known.state),
                    known.state.mark(),
                    short(known.events),
                    known.state.name(),
                    count(known.events, "event"),
                );
            }
            None if range.is_some_and(|(from, to)| (from..=to).contains(&day)) => {
                let _ = write!(
                    out,
                    "<td class=\"absent\"><span class=\"day\">{number}</span><span class=\"state\" aria-hidden=\"true\">–</span>\
                     <span class=\"events\" aria-hidden=\"true\">&nbsp;</span><span class=\"sr\">absent</span></td>"
                );
            }
            None => {
                let _ = write!(
                    out,
                    "<td class=\"outside\"><span class=\"day\">{number}</span><span class=\"sr\">outside of the range</span></td>"
                );
            }
        }
    }
    for _ in column..7 {
        out.push_str("<td></td>");
    }
    out.push_str("</tr>\n</tbody></table>\n");
}

/// At most four characters, rounded down.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        1_000_000..1_000_000_000 => format!("{}M", number / 1_000_000),
        _ => format!("{}G", number / 1_000_000_000),
    }
}

fn stretches(out: &mut String, calendar: &Calendar) {
    let all = calendar.stretches();
    let skipped = all.len().saturating_sub(STRETCHES);
    if skipped > 0 {
        let skipped = u64::try_from(skipped).unwrap_or(u64::MAX);
        let _ = writeln!(
            out,
            "<p class=\"note\">{} before these are not listed.</p>",
            count(skipped, "stretch").replace("stretchs", "stretches")
        );
    }
    open_table(
        out,
        "t-stretches",
        "Stretches of days of which the same is known",
        &[("First day", false), ("Last day", false), ("State", false), ("Days", true), ("Events", true)],
    );
    for stretch in all.iter().skip(skipped) {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td><span class=\"mark {}\" aria-hidden=\"true\">{}</span> {}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            date(stretch.from),
            date(stretch.to),
            class(stretch.state),
            stretch.state.mark(),
            stretch.state.name(),
            Number(stretch.days()),
            Number(stretch.events)
        );
    }
    close_table(out);
}
