//! Given events: lines of a text, kept byte for byte.
//!
//! What lives here: finding lines and reading the three members that the server needs of each: `id`, `event_type`
//! and `created_at`. What this file must not know: what a valid event is; hostile lines are welcome.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use super::super::clock;
use super::super::words::BadText;

/// Lines in ascending order of time, undated ones last.
pub(super) struct Given {
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    ids: Vec<String>,
    places: HashMap<String, u32>,
}

/// A line and what could be read of it.
struct Line {
    span: Range<usize>,
    id: String,
    kind: String,
    seconds: Option<i64>,
}

impl Given {
    /// The lines, the times of the dated ones, the number of each line's type, and the names of the types.
    #[expect(clippy::type_complexity, reason = "four parts that go into one struct right away")]
    pub(super) fn read(
        text: Vec<u8>,
        most: usize,
    ) -> Result<(Self, Vec<i64>, Vec<u16>, Vec<String>), BadText> {
        let mut lines = Vec::new();
        let mut start = 0;
        for bytes in text.split_inclusive(|byte| *byte == b'\n') {
            let span = trimmed(bytes, start);
            start += bytes.len();
            if span.is_empty() {
                continue;
            }
            if lines.len() == most {
                return Err(BadText::new(format!("a population holds at most {most} events")));
            }
            lines.push(members(text.get(span.clone()).unwrap_or_default(), span));
        }
        lines.sort_by_key(|line| (line.seconds.is_none(), line.seconds));

        let mut names: Vec<String> = Vec::new();
        let mut numbers: HashMap<String, u16> = HashMap::new();
        let mut kinds = Vec::with_capacity(lines.len());
        let mut places = HashMap::with_capacity(lines.len());
        for (line, place) in lines.iter().zip(0_u32..) {
            let number = match numbers.get(&line.kind) {
                Some(number) => *number,
                None => {
                    let number = u16::try_from(names.len())
                        .map_err(|_| BadText::new("a population has at most 65536 event types"))?;
                    numbers.insert(line.kind.clone(), number);
                    names.push(line.kind.clone());
                    number
                }
            };
            kinds.push(number);
            if !line.id.is_empty() {
                places.entry(line.id.clone()).or_insert(place);
            }
        }
        let times = lines.iter().map_while(|line| line.seconds).collect();
        let (lines, ids) = lines.into_iter().map(|line| (line.span, line.id)).unzip();
        Ok((Self { text, lines, ids, places }, times, kinds, names))
    }

    pub(super) fn line(&self, k: u32) -> &[u8] {
        usize::try_from(k)
            .ok()
            .and_then(|place| self.lines.get(place))
            .and_then(|span| self.text.get(span.clone()))
            .unwrap_or_default()
    }

    pub(super) fn id(&self, k: u32) -> &str {
        usize::try_from(k).ok().and_then(|place| self.ids.get(place)).map_or("", String::as_str)
    }

    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.places.get(id).copied()
    }
}

/// The place of a line without the white space around it.
fn trimmed(bytes: &[u8], start: usize) -> Range<usize> {
    let front = bytes.len() - bytes.trim_ascii_start().len();
    let length = bytes.trim_ascii().len();
    if length == 0 { start..start } else { start + front..start + front + length }
}

fn members(line: &[u8], span: Range<usize>) -> Line {
    let parsed = serde_json::from_slice::<Value>(line).ok();
    let member = |name: &str| match &parsed {
        Some(value) => value.get(name).and_then(Value::as_str).unwrap_or("").to_owned(),
        None => scan(line, name),
    };
    let seconds = clock::parse(&member("created_at")).map(|moment| moment.millis.div_euclid(1000));
    Line { span, id: member("id"), kind: member("event_type"), seconds }
}

/// The first text after `"name":` in a line that no parser takes: too deep, not UTF-8, cut.
fn scan(line: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(line);
    let found = text.split_once(&format!("\"{name}\"")).and_then(|(_, after)| {
        let after = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        after.split_once('"').map(|(value, _)| value.to_owned())
    });
    found.unwrap_or_default()
}
