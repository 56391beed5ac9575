//! Whether a number occurs twice, however many there are.
//!
//! What lives here: [`Distinct`]. What this file must not know: what the numbers stand for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::file::{SpillFile, length_of};
use super::scratch::Scratch;
use crate::error::Result;

const BYTES: usize = 8;

/// Numbers of a run that are read at once, at most.
const BLOCK: u64 = 8_192;

/// Numbers that all runs together read ahead.
const READ_AHEAD: u64 = 1 << 19;

/// Takes numbers in.
#[derive(Debug)]
pub struct Distinct {
    scratch: Scratch,
    /// Numbers that are held.
    share: usize,
    held: Vec<u64>,
    file: Option<SpillFile>,
    /// From where to where in the file.
    runs: Vec<(u64, u64)>,
}

impl Distinct {
    /// None yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        let share = usize::try_from(share).unwrap_or(usize::MAX) / BYTES;
        Self { scratch: scratch.clone(), share, held: Vec::new(), file: None, runs: Vec::new() }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: it cannot be spilled.
    pub fn push(&mut self, number: u64) -> Result<()> {
        if self.held.len() > self.share {
            self.spill()?;
        }
        self.held.push(number);
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        self.held.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.scratch.file()?),
        };
        let from = file.len();
        for number in self.held.drain(..) {
            file.append(&number.to_le_bytes())?;
        }
        self.runs.push((from, file.len()));
        Ok(())
    }

    /// The numbers that were pushed more than once, ascending; `None` if there are more than `most` of them.
    ///
    /// # Errors
    /// As [`Distinct::push`].
    pub fn repeated(mut self, most: usize) -> Result<Option<Vec<u64>>> {
        self.held.sort_unstable();
        let mut repeated = Vec::new();
        let Some(file) = &mut self.file else {
            repeated
                .extend(self.held.array_windows().filter(|[one, other]| one == other).map(|[one, _]| *one));
            repeated.dedup();
            return Ok((repeated.len() <= most).then_some(repeated));
        };
        file.flush()?;
        let block = (READ_AHEAD / length_of(self.runs.len()).max(1)).clamp(64, BLOCK);
        let of = |(at, to): &(u64, u64)| Run { at: *at, to: *to, block, read: Vec::new() };
        let mut runs: Vec<Run> = self.runs.iter().map(of).collect();
        runs.push(Run { at: 0, to: 0, block: 1, read: self.held.into_iter().rev().collect() });
        let mut heads = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next(file)?.map(|number| Reverse((number, place))));
        }
        let mut before = None;
        while let Some(Reverse((number, place))) = heads.pop() {
            if before == Some(number) && repeated.last() != Some(&number) {
                if repeated.len() >= most {
                    return Ok(None);
                }
                repeated.push(number);
            }
            before = Some(number);
            if let Some(run) = runs.get_mut(place) {
                heads.extend(run.next(file)?.map(|number| Reverse((number, place))));
            }
        }
        Ok(Some(repeated))
    }
}

/// A sorted run; `read` ends with the next number.
#[derive(Debug)]
struct Run {
    at: u64,
    to: u64,
    /// Numbers that are read at once.
    block: u64,
    read: Vec<u64>,
}

impl Run {
    fn next(&mut self, file: &SpillFile) -> Result<Option<u64>> {
        if self.read.is_empty() && self.at < self.to {
            let bytes = (self.block * length_of(BYTES)).min(self.to - self.at);
            let block = file.read(self.at, bytes)?;
            self.at += bytes;
            let (numbers, _) = block.as_chunks::<BYTES>();
            self.read.extend(numbers.iter().rev().map(|number| u64::from_le_bytes(*number)));
        }
        Ok(self.read.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_twice_is_found_whatever_is_spilled() {
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX);
        let numbers: Vec<u64> =
            (0..30_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        for share in [0, 800, 100_000, u64::MAX] {
            for planted in [&[][..], &[5], &[0, 29_999], &[7, 7, 7, 12_345]] {
                let mut distinct = Distinct::new(&scratch, share);
                let twice = planted.iter().filter_map(|place| numbers.get(*place));
                numbers.iter().chain(twice).try_for_each(|number| distinct.push(*number)).unwrap();
                let mut expected: Vec<u64> = planted.iter().map(|place| numbers[*place]).collect();
                expected.sort_unstable();
                expected.dedup();
                let most = expected.len() - usize::from(planted.len() == 4);
                let expected = (planted.len() != 4).then_some(expected);
                assert_eq!(distinct.repeated(most).unwrap(), expected, "{share}");
            }
        }
    }
}
