//! How many mutations of each kind were found, and by what.

use std::collections::BTreeMap;

use vonage_audit::model::Head;
use vonage_audit::publish::verify::{Depth, Severity};

use crate::world::{Objects, verified};

/// What a mutation needs to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    Quick,
    Digests,
    Deep,
    /// `--expect-head` alone, at any level.
    Anchor,
}

/// The count of each kind.
#[derive(Default)]
pub(crate) struct Score {
    found: BTreeMap<(&'static str, By), u64>,
}

impl Score {
    /// Verifies a mutated copy level by level until one finds it; fails if none up to `at_most` does.
    #[track_caller]
    pub(crate) fn take(
        &mut self,
        kind: &'static str,
        mutated: &Objects,
        head: &Head,
        at_most: By,
        what: &str,
    ) {
        let levels = [(By::Quick, Depth::Quick), (By::Digests, Depth::Digests), (By::Deep, Depth::Deep)];
        let mut found = None;
        for (by, depth) in levels {
            if by > at_most {
                break;
            }
            let outcome = verified(mutated, depth, None);
            if outcome.count(Severity::Error) > 0 {
                assert!(outcome.exit_code() == 9 || outcome.exit_code() == 7, "{kind}: {what}");
                found = Some(by);
                break;
            }
            assert!(
                outcome.not_checked.iter().any(|text| text.contains("no anchor")),
                "{kind}: a result without an anchor does not say so"
            );
        }
        if found.is_none() && at_most == By::Anchor {
            let outcome = verified(mutated, Depth::Quick, Some(head));
            if outcome.count(Severity::Error) > 0 {
                found = Some(By::Anchor);
            }
        }
        let found = found.unwrap_or_else(|| panic!("{kind} is not found: {what}"));
        *self.found.entry((kind, found)).or_default() += 1;
    }

    /// Prints a table and fails if a kind was never tried.
    pub(crate) fn print(&self, kinds: &[&'static str]) {
        println!("{:<34} {:>8} {:>8} {:>8} {:>8}", "mutation", "quick", "digests", "deep", "anchor");
        let mut sum = 0;
        for kind in kinds {
            let count = |by| self.found.get(&(*kind, by)).copied().unwrap_or(0);
            let all = [By::Quick, By::Digests, By::Deep, By::Anchor].map(count);
            println!("{kind:<34} {:>8} {:>8} {:>8} {:>8}", all[0], all[1], all[2], all[3]);
            let tried: u64 = all.iter().sum();
            assert!(tried > 0, "{kind} was never tried");
            sum += tried;
        }
        println!("{sum} mutations, all found");
        let unknown = self.found.keys().find(|(kind, _)| !kinds.contains(kind));
        assert_eq!(unknown, None, "a kind that is not printed");
    }
}
