//! What a row costs: flattening, redaction before it and the check after it.
//!
//! `cargo bench --bench flatten`. Figures of one run are compared with each other; absolute ones drift.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::time::{Duration, Instant};

use vonage_audit::flatten::{Flattener, not_rebuilt, redact};
use vonage_audit::model::json::Value;
use vonage_audit::sandbox::{Population, Spec};
use vonage_audit::schema::Table;

const BATCH: usize = 8_192;

fn main() {
    let events = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(200_000);
    let day = |month| chrono::NaiveDate::from_ymd_opt(2026, month, 1).unwrap();
    let spec = Spec { seed: 1, events, from: day(1), to: day(4), account: "abcd1234".to_owned() };
    let population = Population::seeded(spec).unwrap();
    let texts: Vec<String> =
        population.events().map(|text| String::from_utf8(text.into_owned()).unwrap()).collect();
    let table = Table::builtin().unwrap();
    let (mut parse, mut redaction, mut flatten, mut check) = (vec![], vec![], vec![], vec![]);
    for _ in 0..if events < 50_000 { 1 } else { 5 } {
        parse.push(time(|| assert!(texts.iter().all(|text| Value::parse(text).is_ok()))));
        redaction.push(time(|| {
            assert!(
                texts.iter().all(|text| matches!(redact(text.as_bytes()), std::borrow::Cow::Borrowed(_)))
            );
        }));
        let mut flattener = Flattener::new(&table);
        let (mut rows, mut proof) = (Duration::ZERO, Duration::ZERO);
        for texts in texts.chunks(BATCH) {
            let mut batch = None;
            rows += time(|| {
                for text in texts {
                    flattener.push(text).unwrap();
                }
                batch = Some(flattener.finish().unwrap());
            });
            proof += time(|| {
                let texts = texts.iter().map(String::as_str);
                assert!(not_rebuilt(batch.as_ref().unwrap(), &table, texts).unwrap().is_empty());
            });
        }
        flatten.push(rows);
        check.push(proof);
    }
    let whole = median(&mut flatten);
    println!("{events} events, {} bytes each", texts.iter().map(String::len).sum::<usize>() / texts.len());
    for (name, times) in [("parse", &mut parse), ("redact", &mut redaction), ("check", &mut check)] {
        let own = median(times);
        println!(
            "{name:<8} {:>6} ns an event, {:.2} of flatten",
            own.as_nanos() / u128::from(events),
            own.as_secs_f64() / whole.as_secs_f64()
        );
    }
    println!("{:<8} {:>6} ns an event", "flatten", whole.as_nanos() / u128::from(events));
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
