//! Whether a number occurs twice, however many there are.
//!
//! What lives here: [`Distinct`], and the [`Numbers`] that it has taken. What this file must not know: what the numbers stand for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

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

    /// Those that were pushed.
    ///
    /// # Errors
    /// As [`Distinct::push`].
    pub fn finish(mut self) -> Result<Numbers> {
        self.held.sort_unstable();
        if let Some(file) = &mut self.file {
            file.flush()?;
        }
        Ok(Numbers { held: self.held, file: self.file, runs: self.runs })
    }

    /// The numbers that were pushed more than once, ascending; `None` if there are more than `most` of them.
    ///
    /// # Errors
    /// As [`Distinct::push`].
    pub fn repeated(self, most: usize) -> Result<Option<Vec<u64>>> {
        repeated(&[&self.finish()?], most)
    }
}

/// Numbers in order; given out as often as asked for.
#[derive(Debug, Default)]
pub struct Numbers {
    held: Vec<u64>,
    file: Option<SpillFile>,
    runs: Vec<(u64, u64)>,
}

impl Numbers {
    /// Hands out one after the other, ascending.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be read; what `take` gives.
    pub fn each(&self, mut take: impl FnMut(u64) -> Result<()>) -> Result<()> {
        merged(&[self], |number| take(number).map(|()| true))
    }

    /// Whether any number occurs twice among these and the others.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be read.
    pub fn repeats_with(&self, others: &Self) -> Result<bool> {
        repeated(&[self, others], 0).map(|repeated| repeated.is_none())
    }

    fn runs(&self, block: u64) -> impl Iterator<Item = Run<'_>> {
        let file = self.file.as_ref();
        let run = move |(at, to): &(u64, u64)| Run {
            held: [].iter(),
            file,
            at: *at,
            to: *to,
            block,
            read: Vec::new(),
        };
        let held = Run { held: self.held.iter(), file, at: 0, to: 0, block, read: Vec::new() };
        self.runs.iter().map(run).chain(std::iter::once(held))
    }
}

fn repeated(all: &[&Numbers], most: usize) -> Result<Option<Vec<u64>>> {
    let (mut repeated, mut before, mut many) = (Vec::new(), None, false);
    merged(all, |number| {
        if before == Some(number) && repeated.last() != Some(&number) {
            many = repeated.len() >= most;
            repeated.push(number);
        }
        before = Some(number);
        Ok(!many)
    })?;
    Ok((!many).then_some(repeated))
}

/// Hands out the numbers of all, ascending, while `take` wants more.
fn merged(all: &[&Numbers], mut take: impl FnMut(u64) -> Result<bool>) -> Result<()> {
    let runs = all.iter().map(|numbers| length_of(numbers.runs.len())).fold(0, u64::saturating_add);
    let block = (READ_AHEAD / runs.max(1)).clamp(64, BLOCK);
    let mut runs: Vec<Run<'_>> = all.iter().flat_map(|numbers| numbers.runs(block)).collect();
    let mut heads = BinaryHeap::new();
    for (place, run) in runs.iter_mut().enumerate() {
        heads.extend(run.next()?.map(|number| Reverse((number, place))));
    }
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((number, place)) = *head;
        match runs.get_mut(place).map(Run::next).transpose()?.flatten() {
            Some(next) => *head = Reverse((next, place)),
            None => drop(PeekMut::pop(head)),
        }
        if !take(number)? {
            break;
        }
    }
    Ok(())
}

/// A sorted run, in memory or in a file; `read` ends with the next number.
#[derive(Debug)]
struct Run<'a> {
    held: std::slice::Iter<'a, u64>,
    file: Option<&'a SpillFile>,
    at: u64,
    to: u64,
    /// Numbers that are read at once.
    block: u64,
    read: Vec<u64>,
}

impl Run<'_> {
    fn next(&mut self) -> Result<Option<u64>> {
        if let Some(number) = self.held.next() {
            return Ok(Some(*number));
        }
        if self.read.is_empty()
            && self.at < self.to
            && let Some(file) = self.file
        {
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
                let all = distinct.finish().unwrap();
                let mut sorted: Vec<u64> =
                    numbers.iter().chain(planted.iter().map(|place| &numbers[*place])).copied().collect();
                sorted.sort_unstable();
                let mut seen = Vec::new();
                all.each(|number| {
                    seen.push(number);
                    Ok(())
                })
                .unwrap();
                assert_eq!(seen, sorted);
                assert_eq!(repeated(&[&all], most).unwrap(), expected, "{share}");
                assert_eq!(all.repeats_with(&Numbers::default()).unwrap(), !planted.is_empty());
                let mut other = Distinct::new(&scratch, share);
                other.push(1).unwrap();
                assert_eq!(all.repeats_with(&other.finish().unwrap()).unwrap(), !planted.is_empty());
                let mut other = Distinct::new(&scratch, share);
                other.push(numbers[77]).unwrap();
                assert!(all.repeats_with(&other.finish().unwrap()).unwrap());
            }
        }
    }
}
