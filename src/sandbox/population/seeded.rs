//! Seeded events: when they happen, of which type, under which id.
//!
//! What lives here: [`Spec`] and the pure functions of it and of a position. The shape is that of an office: busy
//! hours, quiet weekends, scripts that do many things in one second. What this file must not know: JSON.

use chrono::NaiveDate;

use super::super::clock::{DAY, weekday};
use super::super::random::{Random, mix, unmix};
use super::super::words::BadText;
use super::{KINDS, MOST};

/// How busy each hour of a day is, relative to the others.
const HOURS: [u64; 24] =
    [2, 1, 1, 1, 1, 2, 5, 14, 40, 70, 80, 76, 52, 64, 78, 74, 60, 40, 20, 12, 9, 7, 5, 3];
/// The longest range: its seconds fit 32 bits.
const MOST_DAYS: i64 = 36_525;

/// What a seeded population is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Changes everything; the same seed gives the same events.
    pub seed: u64,
    /// How many events, exactly; at most 50 million.
    pub events: u32,
    /// The first day.
    pub from: NaiveDate,
    /// The day after the last day.
    pub to: NaiveDate,
    /// The account all events belong to, the API key.
    pub account: String,
}

pub(super) struct Seeded {
    spec: Spec,
    base_day: i64,
    days: i64,
    key: u64,
    weights: u64,
}

impl Seeded {
    pub(super) fn new(spec: Spec) -> Result<Self, BadText> {
        let base_day = i64::from(spec.from.to_epoch_days());
        let days = i64::from(spec.to.to_epoch_days()) - base_day;
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(BadText::new(format!(
                "a population needs a range of 1 to {MOST_DAYS} days, got {days}"
            )));
        }
        if usize::try_from(spec.events).is_ok_and(|events| events > MOST) {
            return Err(BadText::new(format!(
                "a population holds at most {MOST} events, got {}",
                spec.events
            )));
        }
        let key = mix(spec.seed ^ 0x0061_7564_6974_0001);
        let weights = KINDS.iter().map(|kind| kind.weight).sum();
        Ok(Self { spec, base_day, days, key, weights })
    }

    pub(super) fn count(&self) -> u32 {
        self.spec.events
    }

    pub(super) fn base(&self) -> i64 {
        self.base_day * DAY
    }

    pub(super) fn account(&self) -> &str {
        &self.spec.account
    }

    pub(super) fn seed(&self) -> u64 {
        self.spec.seed
    }

    /// The seconds after the first midnight at which the events happen, ascending.
    ///
    /// Every hour gets its share of the total by cumulative rounding, so the count is exact for any shape.
    pub(super) fn offsets(&self) -> Vec<u32> {
        let total = u128::from(self.hour_weights().sum::<u64>());
        let events = u128::from(self.spec.events);
        let mut offsets = Vec::with_capacity(usize::try_from(self.spec.events).unwrap_or(0));
        let mut weight_so_far = 0_u128;
        let mut placed = 0_u128;
        for (hour, weight) in (0_u32..).zip(self.hour_weights()) {
            weight_so_far += u128::from(weight);
            let due = events * weight_so_far / total;
            let start = offsets.len();
            self.fill_hour(hour, due - placed, &mut offsets);
            placed = due;
            if let Some(of_this_hour) = offsets.get_mut(start..) {
                of_this_hour.sort_unstable();
            }
        }
        offsets
    }

    fn hour_weights(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.days).flat_map(move |day| {
            let busy = if weekday(self.base_day + day) < 5 { 8 } else { 1 };
            let noise = 60 + Random::new(self.spec.seed, day.unsigned_abs()).below(80);
            HOURS.iter().map(move |hour| hour * busy * noise)
        })
    }

    /// One hour in thirty is a script that does half of the hour's work in one second; a fifth of all events follow
    /// another one within its second.
    fn fill_hour(&self, hour: u32, count: u128, offsets: &mut Vec<u32>) {
        let mut random = Random::new(self.key, u64::from(hour));
        let second = |random: &mut Random| u32::try_from(random.below(3600)).unwrap_or(0);
        let burst = (random.below(30) == 0).then(|| second(&mut random));
        let mut last = second(&mut random);
        for _ in 0..count {
            let place = match burst {
                Some(burst) if random.chance(500) => burst,
                _ if random.chance(200) => last,
                _ => second(&mut random),
            };
            last = place;
            offsets.push(hour * 3600 + place);
        }
    }

    /// The type of event `k`. Populations of at least 29 events have every type: one event in each 29th of the
    /// population is of the type of that number.
    pub(super) fn kind(&self, k: u32) -> u16 {
        let (k, events) = (u64::from(k), u64::from(self.spec.events));
        let kinds = KINDS.len() as u64;
        let part = (k * kinds).div_ceil(events.max(1));
        if part < kinds && part * events / kinds == k {
            return u16::try_from(part).unwrap_or(0);
        }
        let mut left = Random::new(self.key ^ 0x006b_696e_6400, k).below(self.weights);
        for (number, kind) in (0_u16..).zip(&KINDS) {
            if left < kind.weight {
                return number;
            }
            left -= kind.weight;
        }
        0
    }

    pub(super) fn id(&self, k: u32) -> Uuid {
        Uuid::hiding(mix(u64::from(k).wrapping_add(self.key)), self.key)
    }

    pub(super) fn find(&self, id: &str) -> Option<u32> {
        let hidden = Uuid::read(id)?.hidden();
        let k = u32::try_from(unmix(hidden).wrapping_sub(self.key)).ok()?;
        (k < self.spec.events && self.id(k).to_string() == id).then_some(k)
    }
}

/// A version 4 UUID that hides 64 bits, so that ids are unique because the hidden numbers are.
#[derive(Clone, Copy)]
pub(super) struct Uuid {
    high: u64,
    low: u64,
}

const LOW_BITS: u64 = (1 << 62) - 1;

impl Uuid {
    /// 62 bits go into the lower half and 2 into the lowest place of the upper half; the rest is derived.
    fn hiding(hidden: u64, key: u64) -> Self {
        let filler = mix(hidden ^ key.rotate_left(17));
        let high = (filler & 0xffff_ffff_ffff_0ffc) | 0x4000 | (hidden >> 62);
        Self { high, low: (hidden & LOW_BITS) | (1 << 63) }
    }

    fn hidden(self) -> u64 {
        (self.low & LOW_BITS) | (self.high << 62)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return None;
        }
        let digits: String = text.chars().filter(|letter| *letter != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok()?;
        Some(Self {
            high: u64::try_from(number >> 64).ok()?,
            low: u64::try_from(number & u128::from(u64::MAX)).ok()?,
        })
    }

    /// Appends the 36 characters.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let nibbles = |number: u64, range: std::ops::Range<u32>, out: &mut Vec<u8>| {
            for place in range {
                let nibble = u8::try_from(number >> (60 - 4 * place) & 15).unwrap_or(0);
                out.push(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
            }
        };
        nibbles(self.high, 0..8, out);
        out.push(b'-');
        nibbles(self.high, 8..12, out);
        out.push(b'-');
        nibbles(self.high, 12..16, out);
        out.push(b'-');
        nibbles(self.low, 0..4, out);
        out.push(b'-');
        nibbles(self.low, 4..16, out);
    }

    /// A UUID that is not an event's id: of an application, a secret.
    pub(super) fn other(random: &mut Random) -> Self {
        let hidden = random.next();
        Self::hiding(hidden, random.next())
    }
}

impl std::fmt::Display for Uuid {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.write(&mut text);
        out.write_str(&String::from_utf8_lossy(&text))
    }
}
