//! Events over time by category, who acted, and from where.
//!
//! What lives here: the charts, drawn as SVG of our own, each beside a table that says the same. Categories have a row
//! of their own instead of a colour. What this file must not know: how events are counted.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::Content;
use super::super::calendar::{DAY, date};
use super::super::summary::NO_CATEGORY;
use super::super::tally::{Counts, Tally};
use super::text::{NOTHING, Number, Plain, Value, count, percent};
use super::{close_table, open_table};
use crate::model::Timestamp;

/// Bars of a chart at most.
const BARS: i64 = 120;
/// Months of the table, the latest; what is before is one row.
const MONTHS: usize = 60;

/// Events in equal stretches of days.
struct Series {
    first: i64,
    step: i64,
    bars: Vec<u64>,
}

impl Series {
    /// Of one category, or of all.
    fn new(content: &Content<'_>, category: Option<&str>) -> Option<Self> {
        let (first, last) = content.summary.range()?;
        let days = last - first + 1;
        let step = (days + BARS - 1) / BARS;
        let mut bars = vec![0_u64; usize::try_from((days + step - 1) / step).ok()?];
        for (day, categories) in &content.summary.days {
            let events: u64 = match category {
                Some(category) => categories.get(category).copied().unwrap_or(0),
                None => categories.values().sum(),
            };
            let bar = usize::try_from((day - first) / step).ok().and_then(|place| bars.get_mut(place));
            if let Some(bar) = bar {
                *bar += events;
            }
        }
        Some(Self { first, step, bars })
    }

    fn most(&self) -> (u64, i64) {
        let mut most = (0, self.first);
        let mut day = self.first;
        for events in &self.bars {
            if *events > most.0 {
                most = (*events, day);
            }
            day += self.step;
        }
        most
    }

    fn unit(&self) -> String {
        if self.step == 1 { "a day".to_owned() } else { format!("in {} days", self.step) }
    }

    /// Bars in a box of this height; 8 units wide each.
    fn bars(&self, out: &mut String, height: u64) {
        let most = self.most().0.max(1);
        out.push_str("<path d=\"");
        for (place, events) in self.bars.iter().enumerate() {
            if *events == 0 {
                continue;
            }
            // In tenths of a unit; the smallest number is still to be seen.
            let tall = (u128::from(*events) * u128::from(height) * 10 / u128::from(most)).max(10);
            let _ = write!(
                out,
                "M{} {height}v-{}.{}h6v{}.{}z",
                place * 8 + 1,
                tall / 10,
                tall % 10,
                tall / 10,
                tall % 10
            );
        }
        out.push_str("\"/>");
    }
}

pub(super) fn write(out: &mut String, content: &Content<'_>) {
    let summary = &content.summary;
    let Some(all) = Series::new(content, None) else {
        out.push_str("<p>No event with a time was counted.</p>\n");
        return;
    };
    chart(out, &all);
    categories(out, content);
    months(out, content);
    if summary.undated > 0 {
        let _ = writeln!(
            out,
            "<p class=\"note\">Without a readable time, and so in no chart and no month: {}.</p>",
            count(summary.undated, "event")
        );
    }
    if summary.unplaced > 0 {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} lie on more days than this page tells apart, and are in no chart and no month.</p>",
            count(summary.unplaced, "event")
        );
    }
    types(out, content);
}

fn chart(out: &mut String, all: &Series) {
    let (most, busiest) = all.most();
    let width = all.bars.len() * 8;
    let last = all.first + all.step * i64::try_from(all.bars.len()).unwrap_or(1) - 1;
    let _ = write!(
        out,
        "<figure class=\"chart\">\n<figcaption>All events, {}; the tallest bar is {} events{} {}</figcaption>\n\
         <svg viewBox=\"0 0 {width} 120\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\"c-all-t c-all-d\">\
         <title id=\"c-all-t\">All events over time</title><desc id=\"c-all-d\">Bars of events {} from {} to {}. The most, \
         {}, begin on {}. The table of months below has the numbers.</desc>",
        if all.step == 1 { "day by day".to_owned() } else { format!("in stretches of {} days", all.step) },
        Number(most),
        if all.step == 1 { ", on" } else { ", from" },
        date(busiest),
        all.unit(),
        date(all.first),
        date(last),
        count(most, "event"),
        date(busiest)
    );
    all.bars(out, 118);
    let _ = write!(
        out,
        "</svg>\n<div class=\"axis\" aria-hidden=\"true\"><span>{}</span><span>{}</span><span>{}</span></div>\n</figure>\n",
        date(all.first),
        date(all.first + (last - all.first) / 2),
        date(last)
    );
}

fn categories(out: &mut String, content: &Content<'_>) {
    let summary = &content.summary;
    open_table(
        out,
        "t-categories",
        "Events by category",
        &[
            ("Category", false),
            ("Events", true),
            ("Share", true),
            ("Outside of hours", true),
            ("Over time, each to its own scale", false),
        ],
    );
    let mut row = |name: &str, counts: &Counts, number: usize, shown: Option<&str>| {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"spark\">",
            match shown {
                Some(text) => text.to_owned(),
                None => Value(name).to_string(),
            },
            Number(counts.events),
            percent(counts.events, summary.events),
            Number(counts.after_hours)
        );
        if let Some(series) = Series::new(content, Some(name)) {
            let (most, day) = series.most();
            let _ = write!(
                out,
                "<svg viewBox=\"0 0 {} 24\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\"c-{number}\">\
                 <title id=\"c-{number}\">{} over time: at most {} {}, from {}</title>",
                series.bars.len() * 8,
                Plain(&name.chars().take(40).collect::<String>()),
                Number(most),
                series.unit(),
                date(day)
            );
            series.bars(out, 24);
            out.push_str("</svg>");
        }
        out.push_str("</td></tr>\n");
    };
    let all = summary.categories.top(usize::MAX);
    for (number, (name, counts)) in all.iter().enumerate() {
        row(name, counts, number, None);
    }
    if summary.categories.unnamed.events > 0 {
        row(NO_CATEGORY, &summary.categories.unnamed, all.len(), Some(NOTHING));
    }
    close_table(out);
}

fn months(out: &mut String, content: &Content<'_>) {
    let mut table: BTreeMap<(i32, u32), BTreeMap<&str, u64>> = BTreeMap::new();
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    for (day, categories) in &content.summary.days {
        let (year, month, _) = Timestamp::from_seconds(day.saturating_mul(DAY)).date();
        let row = table.entry((year, month)).or_default();
        for (name, events) in categories {
            *row.entry(name).or_default() += events;
            *names.entry(name).or_default() += events;
        }
    }
    let mut columns: Vec<(&str, u64)> = names.into_iter().collect();
    columns.sort_by(|(one, events), (other, others)| others.cmp(events).then_with(|| one.cmp(other)));
    columns.truncate(20);
    let shown: Vec<String> = columns.iter().map(|(name, _)| name.chars().take(40).collect()).collect();
    let mut heads = vec![("Month", false), ("All", true)];
    heads.extend(shown.iter().map(|name| (name.as_str(), true)));
    open_table(out, "t-months", "Events by month and category", &heads);
    let skipped = table.len().saturating_sub(MONTHS);
    let mut write = |name: String, row: &BTreeMap<&str, u64>| {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"n\">{}</td>",
            Number(row.values().sum())
        );
        for (column, _) in &columns {
            let _ = write!(out, "<td class=\"n\">{}</td>", Number(row.get(column).copied().unwrap_or(0)));
        }
        out.push_str("</tr>\n");
    };
    if skipped > 0 {
        let mut before: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, events) in table.values().take(skipped).flatten() {
            *before.entry(name).or_default() += events;
        }
        write("before".to_owned(), &before);
    }
    for ((year, month), row) in table.iter().skip(skipped) {
        write(format!("{year:04}-{month:02}"), row);
    }
    close_table(out);
}

/// What all tallies show.
const HEADS: [(&str, bool); 6] = [
    ("Events", true),
    ("Share", true),
    ("Changes", true),
    ("Outside of hours", true),
    ("First seen", false),
    ("Last seen", false),
];

/// A table of the keys with the most events; what it leaves out stands in its last rows, so that it adds up.
fn tally(
    out: &mut String,
    content: &Content<'_>,
    id: &str,
    caption: &str,
    head: &str,
    tally: &Tally,
    top: usize,
) {
    let mut heads = vec![(head, false)];
    heads.extend(HEADS);
    open_table(out, id, caption, &heads);
    let shown = tally.top(top);
    let mut row = |name: &str, counts: &Counts, class: &str| {
        let day = |at: Timestamp| date(at.seconds().div_euclid(DAY));
        let (first, last) = counts
            .seen
            .map_or((NOTHING.to_owned(), NOTHING.to_owned()), |(first, last)| (day(first), day(last)));
        let share = percent(counts.events, content.summary.events);
        let width = u128::from(counts.events) * 100 / u128::from(content.summary.events.max(1));
        let _ = writeln!(
            out,
            "<tr{class}><th scope=\"row\">{name}</th><td class=\"n\">{}</td><td class=\"n share\" style=\"--w:{width}%\">{share}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"date\">{first}</td><td class=\"date\">{last}</td></tr>",
            Number(counts.events),
            Number(counts.changes),
            Number(counts.after_hours)
        );
    };
    for (name, counts) in &shown {
        row(&Value(name).to_string(), counts, "");
    }
    let left = tally.distinct().saturating_sub(shown.len());
    if left > 0 {
        let mut rest = Counts::default();
        for (_, counts) in tally.top(usize::MAX).iter().skip(shown.len()) {
            merge(&mut rest, counts);
        }
        row(&format!("{} others", Number(u64::try_from(left).unwrap_or(u64::MAX))), &rest, " class=\"rest\"");
    }
    if tally.rest.events > 0 {
        row("beyond those told apart", &tally.rest, " class=\"rest\"");
    }
    if tally.unnamed.events > 0 {
        row(NOTHING, &tally.unnamed, " class=\"rest\"");
    }
    close_table(out);
    if tally.rest.events > 0 {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} are told apart, those that came first; {} of others are counted together, so that one \
             of them could belong among the first.</p>",
            Number(u64::try_from(tally.distinct()).unwrap_or(u64::MAX)),
            count(tally.rest.events, "event")
        );
    }
}

fn merge(sum: &mut Counts, counts: &Counts) {
    sum.events += counts.events;
    sum.changes += counts.changes;
    sum.after_hours += counts.after_hours;
    sum.seen = match (sum.seen, counts.seen) {
        (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
        (one, other) => one.or(other),
    };
}

fn types(out: &mut String, content: &Content<'_>) {
    tally(
        out,
        content,
        "t-types",
        "Event types",
        "Event type",
        &content.summary.types,
        content.options.top.max(40),
    );
}

pub(super) fn actors(out: &mut String, content: &Content<'_>) {
    let _ = writeln!(
        out,
        "<p>The actor is the user’s e-mail address, else the user’s id, else the account for what was done over the API. \
         Outside of hours counts changes that are not within {}.</p>",
        Plain(&content.options.hours.to_string())
    );
    tally(
        out,
        content,
        "t-actors",
        "Actors with the most events",
        "Actor",
        &content.summary.actors,
        content.options.top,
    );
    tally(out, content, "t-entries", "Ways in", "Source", &content.summary.sources, content.options.top);
}

pub(super) fn sources(out: &mut String, content: &Content<'_>) {
    out.push_str("<p>Country and address are what Vonage recorded. A first day late in the range is a source that is new.</p>\n");
    let summary = &content.summary;
    tally(
        out,
        content,
        "t-countries",
        "Events by country",
        "Country",
        &summary.countries,
        content.options.top.max(40),
    );
    tally(
        out,
        content,
        "t-addresses",
        "Addresses with the most events",
        "Address",
        &summary.addresses,
        content.options.top,
    );
}
