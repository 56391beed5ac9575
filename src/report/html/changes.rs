//! The changes that a security team asks about: each group with its rule, its number and its newest events.
//!
//! What lives here: that section. What this file must not know: what belongs to a group.

use std::fmt::Write;

use super::super::Content;
use super::super::changes::{Event, Group};
use super::text::{Cell, NOTHING, Number, Plain, count};
use super::{close_table, open_table};
use crate::model::Timestamp;

pub(super) fn write(out: &mut String, content: &Content<'_>) {
    let summary = &content.summary;
    open_table(
        out,
        "t-groups",
        "Groups of changes",
        &[("Group", false), ("Events", true), ("What is in it", false)],
    );
    for group in Group::ALL {
        let total = summary.groups.get(&group).map_or(0, |list| list.total);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td class=\"n\">{}</td><td>{}</td></tr>",
            group.name(),
            group.title(),
            Number(total),
            rule(content, group)
        );
    }
    let _ = writeln!(
        out,
        "<tr><th scope=\"row\"><a href=\"#bulk\">Numbers released in bulk</a></th><td class=\"n\">{}</td><td>Clock hours \
         (UTC) in which one actor gave away {} or more; {} in all.</td></tr>",
        Number(summary.bulks_total),
        count(content.options.bulk.max(1), "number"),
        count(summary.bulk_numbers, "number")
    );
    close_table(out);
    for group in Group::ALL {
        let _ = writeln!(out, "<h3 id=\"{}\">{}</h3>", group.name(), group.title());
        let Some(list) = summary.groups.get(&group).filter(|list| list.total > 0) else {
            out.push_str("<p class=\"nothing\">No such event.</p>\n");
            continue;
        };
        let newest: Vec<&Event> = list.newest().collect();
        let caption = caption(group.title(), u64::try_from(newest.len()).unwrap_or(u64::MAX), list.total);
        events(out, group.name(), &caption, &newest);
    }
    bulk(out, content);
}

fn rule(content: &Content<'_>, group: Group) -> String {
    match group {
        Group::AfterHours => {
            let zone = content.options.hours.zone();
            let rules = zone.rules().map(|rules| format!(", time zone rules {rules}")).unwrap_or_default();
            format!(
                "{} Work is expected from {}{rules}.",
                group.rule(),
                Plain(&content.options.hours.to_string())
            )
        }
        _ => group.rule().to_owned(),
    }
}

fn caption(title: &str, shown: u64, total: u64) -> String {
    if shown == total {
        format!("{title}: all {}", count(total, "event"))
    } else {
        format!("{title}: the newest {} of {}", Number(shown), count(total, "event"))
    }
}

/// A time as the API writes it, or that there is none.
fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(
        || NOTHING.to_owned(),
        |at| format!("<time datetime=\"{at}Z\">{}</time>", at.to_string().replace('T', " ")),
    )
}

fn events(out: &mut String, name: &str, caption: &str, events: &[&Event]) {
    open_table(
        out,
        &format!("t-{name}"),
        caption,
        &[
            ("Time (UTC)", false),
            ("Event type", false),
            ("Actor", false),
            ("Address", false),
            ("Country", false),
            ("Target", false),
        ],
    );
    for event in events {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"target\">{}</td></tr>",
            time(event.at),
            Cell(event.event_type.as_ref()),
            Cell(event.actor.as_ref()),
            Cell(event.address.as_ref()),
            Cell(event.country.as_ref()),
            Cell(event.target.as_ref())
        );
    }
    close_table(out);
}

fn bulk(out: &mut String, content: &Content<'_>) {
    let summary = &content.summary;
    out.push_str("<h3 id=\"bulk\">Numbers released in bulk</h3>\n");
    if summary.uncounted_releases > 0 {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} were not counted: too many actors in one window.</p>",
            count(summary.uncounted_releases, "release")
        );
    }
    let bulks: Vec<_> = summary.newest_bulks().collect();
    if summary.bulks_total == 0 {
        out.push_str("<p class=\"nothing\">No such hour.</p>\n");
        return;
    }
    let shown = u64::try_from(bulks.len()).unwrap_or(u64::MAX);
    let caption = if shown == summary.bulks_total {
        format!("Bulk releases: all {}", count(shown, "hour"))
    } else {
        format!("Bulk releases: the newest {} of {}", Number(shown), count(summary.bulks_total, "hour"))
    };
    open_table(out, "t-bulk", &caption, &[("Hour from (UTC)", false), ("Actor", false), ("Numbers", true)]);
    for bulk in bulks {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td></tr>",
            time(Some(bulk.hour)),
            Cell(bulk.actor.as_ref()),
            Number(bulk.numbers)
        );
    }
    close_table(out);
}
