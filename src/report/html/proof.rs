//! Drift and quarantine, what verification found, the head and how to anchor it, and what the page does not say.
//!
//! What lives here: those sections. What this file must not know: how anything is checked.

use std::fmt::Write;

use super::super::Content;
use super::text::{Number, Plain, Value, count};
use super::{close_table, open_table};
use crate::model::{Difference, Secrets};
use crate::publish::verify::Severity;

/// Findings of drift, windows in quarantine, and findings of verification that are listed.
const LISTED: usize = 100;

pub(super) fn beyond(out: &mut String, content: &Content<'_>) {
    let told = &content.told;
    out.push_str("<h3>Drift</h3>\n");
    if told.drift.is_empty() && told.drift_unnamed == 0 && told.drift_unlisted == 0 {
        out.push_str("<p class=\"nothing\">No event holds anything beyond the table.</p>\n");
    } else {
        out.push_str(
            "<p>What events hold beyond the table. Nothing is lost: it stands in <code>context_json</code> and \
             <code>unmapped_json</code>. Values are not shown.</p>\n",
        );
        let total = told.drift.len();
        let caption = if total > LISTED {
            format!("Drift: the first {LISTED} of {total} by name")
        } else {
            format!("Drift: {}", count(u64::try_from(total).unwrap_or(u64::MAX), "finding"))
        };
        open_table(
            out,
            "t-drift",
            &caption,
            &[
                ("What is new", false),
                ("Event type", false),
                ("Pointer", false),
                ("JSON type", false),
                ("Times", true),
            ],
        );
        for (finding, times) in told.drift.iter().take(LISTED) {
            let what = match finding.difference {
                Difference::EventType => "event type",
                Difference::Pointer => "pointer",
                Difference::JsonType => "JSON type",
            };
            let or_dash =
                |text: &str| if text.is_empty() { "–".to_owned() } else { Value(text).to_string() };
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">{what}</th><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
                or_dash(&finding.event_type),
                or_dash(&finding.pointer),
                or_dash(finding.json),
                Number(*times)
            );
        }
        close_table(out);
        for (number, what) in [
            (told.drift_unlisted, "further findings are numbered in the log without a name"),
            (told.drift_unnamed, "values were not told apart"),
        ] {
            if number > 0 {
                let _ = writeln!(out, "<p class=\"note\">{} {what}.</p>", Number(number));
            }
        }
    }
    quarantine(out, content);
}

fn quarantine(out: &mut String, content: &Content<'_>) {
    let told = &content.told;
    out.push_str("<h3>Quarantine</h3>\n");
    if told.quarantined() == 0 {
        out.push_str("<p class=\"nothing\">Every committed event is a row.</p>\n");
    } else {
        let _ = writeln!(
            out,
            "<p>{} cannot be rows and are kept as raw bytes in <code>_audit/quarantine/</code>; no number on this page counts \
             them.</p>",
            count(told.quarantined(), "event")
        );
        let skipped = told.quarantine.len().saturating_sub(LISTED);
        open_table(out, "t-quarantine", "Events in quarantine", &[("Window from", false), ("Events", true)]);
        for (window, events) in told.quarantine.iter().skip(skipped) {
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td></tr>",
                window.from,
                Number(*events)
            );
        }
        if told.quarantine_undated > 0 {
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">without a time</th><td class=\"n\">{}</td></tr>",
                Number(told.quarantine_undated)
            );
        }
        close_table(out);
        if skipped > 0 {
            let _ = writeln!(out, "<p class=\"note\">{skipped} earlier windows are not listed.</p>");
        }
    }
    out.push_str("<h3>Vanished and redacted</h3>\n");
    let _ = writeln!(
        out,
        "<p>{} in committed files are no longer listed by the API; their rows stay. {}</p>",
        count(told.vanished, "event"),
        match content.overview.spec.secrets {
            Secrets::Redacted =>
                format!("Secrets were replaced by [REDACTED] in {}.", count(told.redacted, "event")),
            Secrets::Kept => "Secrets in events were kept as received.".to_owned(),
        }
    );
}

pub(super) fn verification(out: &mut String, content: &Content<'_>) {
    let verified = content.verified;
    let counted = &verified.counted;
    open_table(out, "t-checked", "What was checked", &[("What", false), ("How much", true)]);
    let mut rows = vec![
        ("Commits in the log, each chained to the one before", Number(counted.commits).to_string()),
        ("Windows that they name", Number(counted.windows).to_string()),
        ("Data files that they name", Number(counted.files).to_string()),
        ("Files whose SHA-256 was compared", Number(counted.read).to_string()),
        ("Bytes of those", Number(counted.bytes).to_string()),
    ];
    if counted.decoded > 0 {
        rows.push(("Files of which every row was checked", Number(counted.decoded).to_string()));
        rows.push(("Rows of those", Number(counted.rows).to_string()));
        rows.push(("Ids held against each other", Number(counted.ids).to_string()));
    }
    rows.push(("Errors", Number(verified.count(Severity::Error)).to_string()));
    rows.push(("Warnings", Number(verified.count(Severity::Warning)).to_string()));
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th scope=\"row\">{name}</th><td class=\"n\">{value}</td></tr>");
    }
    close_table(out);
    findings(out, content);
    anchor(out, content);
}

fn findings(out: &mut String, content: &Content<'_>) {
    let verified = content.verified;
    let total: u64 = verified.counts.values().sum();
    if total > 0 {
        let shown = verified.findings.len().min(LISTED);
        let caption = if u64::try_from(shown).ok() == Some(total) {
            format!("Findings: all {total}")
        } else {
            format!("Findings: the first {shown} of {}", Number(total))
        };
        open_table(
            out,
            "t-findings",
            &caption,
            &[("Code", false), ("Weight", false), ("Where", false), ("What", false)],
        );
        for finding in verified.findings.iter().take(LISTED) {
            let _ = writeln!(
                out,
                "<tr class=\"{0}\"><th scope=\"row\">{1}</th><td>{0}</td><td>{2}</td><td>{3} ({4})</td></tr>",
                finding.code.severity().name(),
                finding.code.name(),
                Value(&finding.place),
                Plain(finding.code.meaning()),
                Plain(&finding.detail)
            );
        }
        close_table(out);
    }
    if content.uncounted_files > 0 {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} with {} that the log names could not be counted, and are in no number of this page.</p>",
            count(content.uncounted_files, "file"),
            count(content.uncounted_rows, "row")
        );
        open_table(out, "t-uncounted", "Files that could not be counted", &[("File", false), ("Why", false)]);
        for (path, why) in &content.uncounted {
            let _ = writeln!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", Plain(path), Plain(why));
        }
        close_table(out);
    }
}

fn anchor(out: &mut String, content: &Content<'_>) {
    out.push_str("<h3 id=\"anchor\">The head, and how to anchor it</h3>\n");
    let Some(head) = &content.overview.head else {
        out.push_str("<p>The log has no commit yet.</p>\n");
        return;
    };
    let _ = writeln!(
        out,
        "<p>The numbers of this page are those of commit {} and of all before it. Its SHA-256 stands for the whole log:</p>\n\
         <p class=\"head\"><code id=\"head\">{}:{}</code></p>\n\
         <p>Note it down where nobody who can write to the dataset can write: print this page and sign it, put it into a \
         ticket or a mail. Later, anybody can hold the dataset against it, with this program or without:</p>\n\
         <pre><code>vonage-audit verify DEST --expect-head {}:{}\nsha256sum DEST/_audit/commits/{:016}.json</code></pre>",
        Number(head.number),
        head.number,
        head.sha256,
        head.number,
        head.sha256,
        head.number
    );
    let verified = content.verified.head.as_ref();
    if let Some(other) = verified.filter(|other| *other != head) {
        let _ = writeln!(
            out,
            "<p class=\"note\">A run committed while this page was made: verification went up to commit {}.</p>",
            Number(other.number)
        );
    }
}

pub(super) fn limits(out: &mut String, content: &Content<'_>) {
    let spec = &content.overview.spec;
    out.push_str("<ul class=\"limits\">\n");
    let mut say = |text: &str| {
        let _ = writeln!(out, "<li>{}</li>", Plain(text));
    };
    for text in &content.verified.not_checked {
        say(&format!("Not checked: {text}."));
    }
    say(
        "Whether Vonage recorded the truth, or showed everything that it recorded. A proven day means that the API’s \
         own counts and walks agreed.",
    );
    say("In which time zone Vonage writes times: it is not documented, and they are read as UTC.");
    say(
        "Whether a change was wanted. The lists are what rules over event types and times find, not a judgement.",
    );
    say(
        "Who wrote the files. This page is no evidence of its own: it can be made again from the dataset, and anybody \
         can write one that looks like it.",
    );
    if content.calendar.counts().keys().any(|state| !state.is_proven()) {
        say(
            "What happened on days that are absent, partial or not proven: numbers over them may be too low.",
        );
    }
    if !spec.selection.is_empty() {
        let list: Vec<String> = spec
            .selection
            .iter()
            .map(|(name, value)| format!("{name} = {}", value.chars().take(80).collect::<String>()))
            .collect();
        say(&format!("Anything beyond the selection of this dataset: {}.", list.join("; ")));
    }
    if content.overview.single_writer {
        say(
            "That its store keeps writers apart: a commit says that the store overwrites, and that one writer alone was \
             promised.",
        );
    }
    if content.summary.undated > 0 {
        say(
            "When the events without a readable time happened: they are in the totals and in no chart, month or hour.",
        );
    }
    say("Anything of the other formats of the dataset, but for what verification says of them.");
    out.push_str("</ul>\n");
    let _ = writeln!(
        out,
        "<p>The dataset was written by vonage-audit {}, with version {} of the table.</p>",
        Plain(&content.overview.tool),
        Plain(&content.overview.table)
    );
}
