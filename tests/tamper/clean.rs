//! Sound datasets of random layouts, contents and pasts: nothing but warnings, at any level.

use std::collections::BTreeMap;

use vonage_audit::model::{Format, Formulas, Grid, Layout, Lines, Packing, Partitioning};
use vonage_audit::publish::verify::{Depth, Severity};

use crate::random::Random;
use crate::scale;
use crate::world::{PARTITIONINGS, Shape, dataset, head, verified};

pub(crate) fn shape(seed: u64) -> Shape {
    let mut random = Random::new(seed);
    let mut formats: Vec<Format> = Format::ALL.into_iter().filter(|_| !random.once_in(3)).collect();
    if formats.is_empty() {
        formats = Format::ALL.to_vec();
    }
    Shape {
        grid: *random.pick(&[Grid::Day, Grid::Day, Grid::Hour]),
        layout: Layout {
            partitioning: Partitioning::parse(PARTITIONINGS[random.below(8) as usize]).unwrap(),
            part: *random.pick(&[None, None, Some(900), Some(3_600)]),
            csv: *random.pick(&[Packing::Plain, Packing::Gzip, Packing::Zstd]),
            ndjson: *random.pick(&[Packing::Plain, Packing::Gzip, Packing::Zstd]),
            formulas: *random.pick(&[Formulas::Guarded, Formulas::Plain]),
            lines: *random.pick(&[Lines::Events, Lines::Events, Lines::Flat]),
            ..Layout::default()
        },
        formats,
        days: 3 + random.below(3) as i64,
        events: random.below(40),
        nights: 1 + random.below(5),
        eventful: !random.once_in(4),
    }
}

#[test]
fn no_sound_dataset_is_accused() {
    let datasets = scale(40, 400);
    let (mut files, mut commits, mut rows, mut quarantined, mut warnings) = (0, 0, 0, 0, BTreeMap::new());
    for seed in 0..datasets {
        let objects = dataset(seed, &shape(seed));
        if objects.is_empty() {
            continue;
        }
        for depth in [Depth::Quick, Depth::Digests, Depth::Deep] {
            let head = objects.keys().any(|path| path.as_str().contains("/commits/")).then(|| head(&objects));
            let outcome = verified(&objects, depth, head.as_ref());
            assert_eq!(outcome.count(Severity::Error), 0, "seed {seed}: {:?}", outcome.findings);
            assert_eq!(outcome.exit_code(), 0);
            if depth == Depth::Deep {
                files += outcome.counted.files;
                commits += outcome.counted.commits;
                rows += outcome.counted.rows;
                quarantined += outcome.counted.quarantined;
                assert_eq!((outcome.counted.lawless, outcome.counted.unread), (0, 0));
                for (code, count) in outcome.counts {
                    *warnings.entry(code.name()).or_insert(0) += count;
                }
            }
        }
    }
    println!(
        "{datasets} sound datasets ({commits} commits, {files} files, {rows} rows, {quarantined} files in \
         quarantine) at three levels: 0 accused; warnings {warnings:?}"
    );
    assert!(rows > datasets && quarantined > 0 && warnings.len() > 1, "the pasts are too quiet");
}
