//! The page: one HTML document that loads nothing and needs no script.
//!
//! What lives here: the document's frame, its order, and what all sections share. What this module must not know: where
//! numbers come from.

mod activity;
mod changes;
mod coverage;
mod proof;
mod text;

use std::fmt::Write;

use self::text::{Number, Plain, count};
use super::Content;
use super::calendar::{State, date};
use crate::publish::verify::Severity;

const STYLE: &str = include_str!("style.css");

/// The sections with their titles, in their order.
const SECTIONS: [(&str, &str); 8] = [
    ("coverage", "Coverage"),
    ("activity", "Events over time"),
    ("actors", "Who acted"),
    ("sources", "From where"),
    ("changes", "Security-relevant changes"),
    ("beyond", "Drift and quarantine"),
    ("verification", "Verification"),
    ("limits", "What this page does not say"),
];

/// Renders everything.
pub(super) fn page(content: &Content<'_>) -> String {
    let mut out = String::with_capacity(1 << 17);
    let title = Plain(&content.options.title);
    // Nothing can be loaded, whatever a value from outside might smuggle in.
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n<h1>{title}</h1>\n"
    );
    subtitle(&mut out, content);
    out.push_str("</header>\n<nav aria-label=\"Sections\"><ul>\n");
    for (id, name) in SECTIONS {
        let _ = writeln!(out, "<li><a href=\"#{id}\">{name}</a></li>");
    }
    out.push_str("</ul></nav>\n<main id=\"main\">\n");
    verdict(&mut out, content);
    tiles(&mut out, content);
    for (id, name) in SECTIONS {
        let _ = write!(out, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{name}</h2>\n");
        match id {
            "coverage" => coverage::write(&mut out, content),
            "activity" => activity::write(&mut out, content),
            "actors" => activity::actors(&mut out, content),
            "sources" => activity::sources(&mut out, content),
            "changes" => changes::write(&mut out, content),
            "beyond" => proof::beyond(&mut out, content),
            "verification" => proof::verification(&mut out, content),
            _ => proof::limits(&mut out, content),
        }
        out.push_str("</section>\n");
    }
    out.push_str("</main>\n<footer>\n");
    let _ = writeln!(
        out,
        "<p>Made by vonage-audit {} from the dataset alone: the same dataset, options and version give the same \
         bytes. The page loads nothing and holds no script.</p>",
        env!("CARGO_PKG_VERSION")
    );
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

/// What the page is about, in one line.
fn subtitle(out: &mut String, content: &Content<'_>) {
    let overview = content.overview;
    let account: String = overview.spec.account_fingerprint.chars().take(16).collect();
    let _ = write!(out, "<p class=\"about\">Account fingerprint <code>{}</code>", Plain(&account));
    if let Some(head) = &overview.head {
        let _ = write!(out, " · as of commit {}", Number(head.number));
    }
    if let Some(at) = overview.recorded_at {
        let _ = write!(
            out,
            ", recorded <time datetime=\"{at}Z\">{} UTC</time>",
            at.to_string().replace('T', " ")
        );
    }
    let _ = writeln!(out, " · read from {} files</p>", content.format.name());
}

/// The answer to the two questions that come first.
fn verdict(out: &mut String, content: &Content<'_>) {
    let verified = content.verified;
    let errors = verified.count(Severity::Error);
    let sound = errors == 0 && content.uncounted_files == 0;
    let anchored = content.options.verification.head.is_some();
    let (class, mark, headline) = match (sound, anchored) {
        (true, true) => {
            ("good", "✓", "The dataset is what its log says, up to the commit that was noted down.")
        }
        (true, false) => ("good", "✓", "What was checked is what the log says."),
        (false, _) => ("bad", "✗", "The dataset is NOT what its log says."),
    };
    let _ = write!(
        out,
        "<div class=\"verdicts\">\n<div class=\"verdict {class}\"><span class=\"sign\" aria-hidden=\"true\">{mark}</span>"
    );
    let _ = write!(out, "<p><strong>{headline}</strong> ");
    if sound {
        let depth = verified.depth;
        let _ = write!(
            out,
            "{} and {} checked ({}), {}.",
            count(verified.counted.commits, "commit"),
            count(verified.counted.files, "file"),
            depth.name(),
            count(verified.count(Severity::Warning), "warning")
        );
        if !anchored {
            out.push_str(
                " Without an anchor, a log that was shortened or rewritten as a whole would not be noticed.",
            );
        }
    } else {
        let _ = write!(
            out,
            "{}; {} could not be counted. The numbers below leave those files out.",
            count(errors, "error"),
            count(content.uncounted_files, "file")
        );
    }
    out.push_str(" <a href=\"#verification\">What was checked</a></p></div>\n");
    let counts = content.calendar.counts();
    let proven: u64 = counts.iter().filter(|(state, _)| state.is_proven()).map(|(_, days)| days).sum();
    let all: u64 = counts.values().sum();
    let Some((from, to)) = content.calendar.range() else {
        out.push_str(
            "<div class=\"verdict warn\"><span class=\"sign\" aria-hidden=\"true\">!</span><p><strong>No day is committed.\
             </strong> The log covers nothing.</p></div>\n</div>\n",
        );
        return;
    };
    // What a log proves holds for the files that it names: beside others, it is no good news.
    let (class, mark) = if proven == all && sound { ("good", "✓") } else { ("warn", "!") };
    let whose = if sound { "" } else { ", by the log alone" };
    let _ = write!(
        out,
        "<div class=\"verdict {class}\"><span class=\"sign\" aria-hidden=\"true\">{mark}</span><p><strong>{} of {} proven \
         complete{whose}</strong> {} to {}.",
        Number(proven),
        count(all, "day"),
        date(from),
        date(to)
    );
    for state in [State::Partial, State::Unproven, State::Absent] {
        if let Some(days) = counts.get(&state) {
            let _ = write!(out, " {}: {}.", state.name(), Number(*days));
        }
    }
    out.push_str(" Days before the first and after the last are not part of this. <a href=\"#coverage\">Day by day</a></p></div>\n</div>\n");
}

/// The few numbers that stand above all.
fn tiles(out: &mut String, content: &Content<'_>) {
    let summary = &content.summary;
    let distinct = |tally: &super::tally::Tally| {
        let number = Number(u64::try_from(tally.distinct()).unwrap_or(u64::MAX));
        if tally.rest.events > 0 { format!("{number} or more") } else { number.to_string() }
    };
    let listed = |group| summary.groups.get(&group).map_or(0, |list| list.total);
    out.push_str("<dl class=\"tiles\" id=\"t-totals\">\n");
    for (name, value) in [
        ("Events", Number(summary.events).to_string()),
        ("Changes", Number(summary.changes).to_string()),
        ("Outside of working hours", Number(listed(super::changes::Group::AfterHours)).to_string()),
        ("Actors", distinct(&summary.actors)),
        ("Source addresses", distinct(&summary.addresses)),
        ("In quarantine", Number(content.told.quarantined()).to_string()),
    ] {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>\n");
}

/// Opens a table that may be wider than a narrow screen, which can be scrolled with the keyboard too.
fn open_table(out: &mut String, id: &str, caption: &str, heads: &[(&str, bool)]) {
    let _ = write!(
        out,
        "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{id}-caption\">\n<table id=\"{id}\">\n\
         <caption id=\"{id}-caption\">{}</caption>\n<thead><tr>",
        Plain(caption)
    );
    for (head, number) in heads {
        let class = if *number { " class=\"n\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", Plain(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

fn close_table(out: &mut String) {
    out.push_str("</tbody>\n</table>\n</div>\n");
}
