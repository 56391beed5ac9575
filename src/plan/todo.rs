//! What of a range is left to do, given what the destination already holds.
//!
//! What lives here: [`todo()`], which sorts windows into those to settle and those to see again. What this file must
//! not know: how the coverage was read, how a window is settled.

use std::collections::BTreeMap;

use crate::model::{Certificate, Grid, Timestamp, Window};

/// The newest certificate of each committed window, by the window's start.
pub type Known = BTreeMap<Timestamp, Certificate>;

/// The work of a run, ascending in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Todo {
    /// Stretches of adjacent windows without a certificate, or to be read again: settle them.
    pub settle: Vec<Window>,
    /// Certificates of committed windows that the run only counts again, each once.
    pub recount: Vec<Certificate>,
    /// Windows of the range in all.
    pub windows: u64,
}

/// Sorts the windows of `range`. Committed windows that start at or after `read_again` are settled again.
pub fn todo(range: Window, grid: Grid, known: &Known, read_again: Timestamp) -> Todo {
    let mut todo = Todo::default();
    for window in grid.windows(range) {
        todo.windows += 1;
        match known.get(&window.from) {
            Some(certificate)
                if window.from < read_again && !is_outdated(certificate, todo.recount.last()) =>
            {
                if todo.recount.last().is_none_or(|last| last.range != certificate.range) {
                    todo.recount.push(certificate.clone());
                }
            }
            _ => match todo.settle.last_mut() {
                Some(last) if last.to == window.from => last.to = window.to,
                _ => todo.settle.push(window),
            },
        }
    }
    todo
}

/// Whether another certificate of the same range has counted something else: one of them is older, and counting again
/// by the other would not show what this one has missed.
fn is_outdated(certificate: &Certificate, other: Option<&Certificate>) -> bool {
    let counted = |certificate: &Certificate| (certificate.total, certificate.events);
    other.is_some_and(|other| other.range == certificate.range && counted(other) != counted(certificate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Level;

    #[test]
    fn adjacent_windows_join_and_shared_certificates_count_once() {
        let day = |day: u32| Timestamp::from_date(2026, 3, day).unwrap();
        let certificate = |from: u32, to: u32| Certificate {
            level: Level::Double,
            range: Window::new(day(from), day(to)),
            padding: 2,
            total: 0,
            distinct: 0,
            events: 0,
            quiet_from: false,
            quiet_to: false,
            parts: 1,
        };
        let shared = certificate(3, 5);
        let known = Known::from([(day(3), shared.clone()), (day(4), shared), (day(7), certificate(7, 8))]);
        let all = Window::new(day(1), day(10));

        let found = todo(all, Grid::Day, &known, day(31));
        assert_eq!(
            found.settle,
            [Window::new(day(1), day(3)), Window::new(day(5), day(7)), Window::new(day(8), day(10))]
        );
        assert_eq!(found.recount, [certificate(3, 5), certificate(7, 8)]);
        assert_eq!(found.windows, 9);

        // Of two certificates of one range that differ, the second window's says nothing.
        let mut torn = known.clone();
        torn.insert(day(4), Certificate { total: 1, ..certificate(3, 5) });
        let found = todo(all, Grid::Day, &torn, day(31));
        assert!(found.settle.contains(&Window::new(day(4), day(7))), "{found:?}");
        assert_eq!(found.recount, [certificate(3, 5), certificate(7, 8)]);

        let found = todo(all, Grid::Day, &known, day(4));
        assert_eq!(found.settle, [Window::new(day(1), day(3)), Window::new(day(4), day(10))]);
        assert_eq!(found.recount, [certificate(3, 5)]);
    }
}
