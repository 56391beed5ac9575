//! The rule by which lines become events, with everything in memory, one line after the other.

use bytes::Bytes;

use super::*;
use crate::api::wire::event;

fn rank(event: &Event) -> (bool, bool, Option<Timestamp>, &Bytes) {
    (event.flaw.is_some(), event.created_at.is_none(), event.created_at, &event.text)
}

fn window(grid: Grid, created_at: Option<Timestamp>) -> Option<Window> {
    let window = grid.window(created_at?);
    let named = |at: Timestamp| (1..=9999).contains(&at.date().0);
    (named(window.from) && named(window.to)).then_some(window)
}

pub(super) fn sorted(lines: &[Vec<u8>], grid: Grid) -> Known {
    let mut known = Known::default();
    let mut events: HashMap<EventId, Vec<Event>> = HashMap::new();
    for line in lines.iter().filter(|line| !line.iter().all(|byte| b" \t".contains(byte))) {
        known.lines += 1;
        let event = event(Bytes::copy_from_slice(line));
        let all = events.entry(event.id.clone()).or_default();
        match all.iter_mut().find(|other| says_the_same(other, &event)) {
            Some(other) => {
                known.repeated += 1;
                if event.text < other.text {
                    other.text = event.text;
                }
            }
            None => all.push(event),
        }
    }
    let mut placed: Vec<(Window, Event)> = Vec::new();
    for (id, mut all) in events {
        if all.len() > 1 {
            known.contradictions.push(id);
        }
        all.sort_by(|one, other| rank(one).cmp(&rank(other)));
        for (position, mut event) in all.into_iter().enumerate() {
            if position > 0 {
                event.flaw.get_or_insert(Flaw::OtherContent);
            }
            match window(grid, event.created_at) {
                Some(window) => placed.push((window, event)),
                None => {
                    if event.created_at.is_some() {
                        event.flaw.get_or_insert(Flaw::NoTime);
                    }
                    known.unplaced.push(event);
                }
            }
        }
    }
    known.contradictions.sort();
    known.unplaced.sort_by(|one, other| one.id.cmp(&other.id).then_with(|| one.text.cmp(&other.text)));
    placed.sort_by(|(_, one), (_, other)| {
        one.sort_key().cmp(&other.sort_key()).then_with(|| one.text.cmp(&other.text))
    });
    for (window, event) in placed {
        match known.windows.last_mut() {
            Some((last, events)) if *last == window => events.push(event),
            _ => known.windows.push((window, vec![event])),
        }
    }
    known
}
