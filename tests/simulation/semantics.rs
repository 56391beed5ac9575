//! The 480 ways in which an API could understand `date_from` and `date_to`.

use vonage_audit::model::Query;

use crate::world::Fact;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    Second,
    Minute,
    Day,
}

impl Granularity {
    fn millis(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Day => 86_400_000,
        }
    }
}

/// How the times that are shown come from the times that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Whole seconds are stored.
    None,
    Floor,
    Nearest,
    Ceiling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semantics {
    pub from_inclusive: bool,
    pub to_inclusive: bool,
    pub granularity: Granularity,
    /// Whether the upper bound means the end of its second, minute or day.
    pub to_is_end: bool,
    /// Seconds that the filter's clock is ahead of the times shown.
    pub shift: i64,
    pub rounding: Rounding,
    /// Whether the dates are ignored.
    pub ignored: bool,
}

impl Semantics {
    pub fn documented() -> Self {
        Self {
            from_inclusive: true,
            to_inclusive: true,
            granularity: Granularity::Second,
            to_is_end: false,
            shift: 0,
            rounding: Rounding::None,
            ignored: false,
        }
    }

    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for bounds in 0..4 {
            for granularity in [Granularity::Second, Granularity::Minute, Granularity::Day] {
                for to_is_end in [false, true] {
                    for shift in [0, 3_600, -3_600, 7_200, -18_000] {
                        for rounding in
                            [Rounding::None, Rounding::Floor, Rounding::Nearest, Rounding::Ceiling]
                        {
                            all.push(Self {
                                from_inclusive: bounds & 1 == 0,
                                to_inclusive: bounds & 2 == 0,
                                granularity,
                                to_is_end,
                                shift,
                                rounding,
                                ignored: false,
                            });
                        }
                    }
                }
            }
        }
        all
    }

    /// The stored time of an event that is shown at `shown` seconds; `within` is 0 to 999.
    pub fn hidden(&self, shown: i64, within: i64) -> i64 {
        match self.rounding {
            Rounding::None => shown * 1000,
            Rounding::Floor => shown * 1000 + within,
            Rounding::Nearest => shown * 1000 + within - 500,
            Rounding::Ceiling => shown * 1000 - within,
        }
    }

    pub fn matches(&self, query: &Query, fact: &Fact) -> bool {
        if self.ignored {
            return true;
        }
        let unit = self.granularity.millis();
        let cut = |seconds: i64| (seconds + self.shift) * 1000 / unit * unit;
        let at = fact.hidden;
        let after = query.from.is_none_or(|from| {
            let from = cut(from.seconds());
            if self.from_inclusive { at >= from } else { at > from }
        });
        let before = query.to.is_none_or(|to| {
            let end = if self.to_is_end { unit - 1 } else { 0 };
            let to = cut(to.seconds()) + end;
            if self.to_inclusive { at <= to } else { at < to }
        });
        after && before
    }
}
