//! Kept replies: the evidence of a certificate, as received.
//!
//! What lives here: [`Dataset::keep_raw`], the lines it writes and the strict reading of them. One JSON object a line in a
//! Zstandard file: first the range, then each reply in the order in which the certificate used it, with its request, its
//! status, its `Date`, its SHA-256 and its body as `body`, or `base64` where it is not UTF-8. Files are write-once and
//! durable before the commit that names them; one that no commit names is of a run that did not end.
//! What this file must not know: what the replies prove.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::base64::{decoded, encoded};
use super::canonical;
use super::dataset::Dataset;
use super::digest::sha256;
use super::register;
use super::slots::compute;
use crate::encode::{unzstd, zstd};
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Claim, Evidence, Exchange, Grid, Proof, RawRecord, Step, Timestamp, Window, WindowRecord,
    slot,
};
use crate::store::ObjectPath;

pub(super) const FOLDER: &str = "_audit/raw";
const EXTENSION: &str = ".ndjson.zst";

const FORMAT_VERSION: u64 = 1;

/// Level of Zstandard.
const LEVEL: i32 = 3;

/// A file of more bytes is refused, and one that unpacks to more.
pub(super) const MAX_FILE: u64 = 4 << 30;
const MAX_TEXT: u64 = 16 << 30;

/// Files of one range; names sort as text up to here.
const MAX_FILES: u32 = 1_000;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRange {
    format_version: u64,
    from: String,
    padding: u32,
    to: String,
}

/// One reply.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReply {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    claim: String,
    date: Option<String>,
    /// Undivided proofs that a sum is about.
    parts: u32,
    /// Position of the proof, from 0.
    proof: u64,
    request: String,
    sha256: String,
    status: u16,
    step: String,
}

impl Dataset {
    /// Makes the replies of a certificate durable and says in the records where they are; before the commit of these
    /// records. Writes nothing where the log would take none of them in.
    ///
    /// # Errors
    /// [`Kind::Storage`].
    pub async fn keep_raw(&self, evidence: Evidence, records: &mut [WindowRecord]) -> Result<()> {
        let requests = evidence.proofs.iter().map(|proof| proof.replies.len()).sum::<usize>();
        let unwritten = RawRecord {
            path: String::new(),
            bytes: 0,
            sha256: String::new(),
            requests: u64::try_from(requests).unwrap_or(u64::MAX),
        };
        let mut adds = false;
        for record in records.iter() {
            adds |= self.adds(WindowRecord { raw: Some(unwritten.clone()), ..record.clone() })?;
        }
        if !adds || requests == 0 {
            return Ok(());
        }
        let range = evidence.range;
        let size = evidence.proofs.iter().map(Proof::bytes).fold(0, u64::saturating_add);
        let bytes: Bytes = compute(usize::try_from(size).unwrap_or(usize::MAX), move || text(&evidence))
            .await
            .map_err(|error| error.at("window", range))?
            .into();
        self.create_descriptor().await?;
        for sequence in 0..MAX_FILES {
            let path = ObjectPath::new(place(range, self.spec().grid, sequence))?;
            let standing = register::decide(self.store(), &path, bytes.clone(), MAX_FILE).await?;
            if standing != bytes {
                // Another run read the same range at another time: its replies stay, these come behind them.
                continue;
            }
            let raw = RawRecord {
                path: path.as_str().to_owned(),
                bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                sha256: sha256(&bytes),
                ..unwritten
            };
            for record in records {
                record.raw = Some(raw.clone());
            }
            return Ok(());
        }
        Err(Error::new(Kind::Storage, "a range has too many files of kept replies").at("window", range))
    }

    /// The kept replies that a record names, with every digest checked.
    ///
    /// # Errors
    /// [`Kind::Verification`] when the file is missing, altered or not such a file; [`Kind::Storage`].
    pub async fn read_raw(&self, raw: &RawRecord) -> Result<Evidence> {
        let path = ObjectPath::new(raw.path.as_str())?;
        let bytes = self.read_whole(&path, MAX_FILE, raw.bytes, &raw.sha256).await?;
        let requests = raw.requests;
        let size = bytes.len().saturating_mul(8);
        let evidence = compute(size, move || {
            let evidence = read(&bytes)?;
            let held: usize = evidence.proofs.iter().map(|proof| proof.replies.len()).sum();
            if u64::try_from(held).ok() != Some(requests) {
                return Err(refused("it holds other replies than the log says"));
            }
            Ok(evidence)
        });
        evidence.await.map_err(|error| error.at("path", &path))
    }
}

/// Where the replies of a range are: `events-20260301-s000.ndjson.zst`, for several windows
/// `events-20260301-to-20260401-s000.ndjson.zst`.
fn place(range: Window, grid: Grid, sequence: u32) -> String {
    format!("{FOLDER}/{}-s{sequence:03}{EXTENSION}", name(range, grid))
}

fn name(range: Window, grid: Grid) -> String {
    let first = grid.window(range.from);
    let start = slot::name(Some(first));
    if first == range {
        return start;
    }
    let end = slot::name(Some(grid.window(range.to)));
    format!("{start}-to-{}", end.strip_prefix("events-").unwrap_or(&end))
}

/// Whether a path is where the replies of a certificate may be.
pub(super) fn is_place(path: &str, certificate: &Certificate) -> bool {
    [Grid::Day, Grid::Hour].into_iter().any(|grid| {
        let stem = format!("{FOLDER}/{}-s", name(certificate.range, grid));
        let sequence = path.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(EXTENSION));
        let sequence = sequence.and_then(|digits| digits.parse().ok());
        sequence.is_some_and(|sequence| place(certificate.range, grid, sequence) == path)
    })
}

/// The file's bytes.
fn text(evidence: &Evidence) -> Result<Vec<u8>> {
    let range = WireRange {
        format_version: FORMAT_VERSION,
        from: evidence.range.from.to_string(),
        padding: evidence.padding,
        to: evidence.range.to.to_string(),
    };
    let proofs = (0_u64..).zip(&evidence.proofs);
    let replies = proofs.flat_map(|(number, proof)| {
        proof.replies.iter().map(move |(step, exchange)| line(&to_wire(number, proof, *step, exchange)))
    });
    zstd(std::iter::once(line(&range)).chain(replies), LEVEL)
}

fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = canonical::write(value)?;
    line.push(b'\n');
    Ok(line)
}

fn to_wire(number: u64, proof: &Proof, step: Step, exchange: &Exchange) -> WireReply {
    let text = std::str::from_utf8(&exchange.body).ok().map(str::to_owned);
    WireReply {
        base64: text.is_none().then(|| encoded(&exchange.body)),
        body: text,
        claim: proof.claim.name().to_owned(),
        date: exchange.date.clone(),
        parts: proof.parts,
        proof: number,
        request: exchange.request.clone(),
        sha256: sha256(&exchange.body),
        status: exchange.status,
        step: step.name().to_owned(),
    }
}

/// What the bytes of a file say.
fn read(bytes: &[u8]) -> Result<Evidence> {
    let text = unzstd(bytes, MAX_TEXT)?;
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let first: WireRange = parsed(lines.next().unwrap_or_default())?;
    if first.format_version != FORMAT_VERSION {
        return Err(refused("unknown format version"));
    }
    let time = |text: &str| match Timestamp::parse(text) {
        Some(parsed) if parsed.canonical => Ok(parsed.at),
        _ => Err(refused("a time is not in canonical form")),
    };
    let range = Window::new(time(&first.from)?, time(&first.to)?);
    let mut proofs: Vec<Proof> = Vec::new();
    for line in lines {
        let (number, claim, parts, step, exchange) = from_wire(parsed(line)?)?;
        if usize::try_from(number).ok() == Some(proofs.len()) {
            proofs.push(Proof { claim, parts, replies: Vec::new() });
        }
        match proofs.last_mut() {
            Some(proof) if (proof.claim, proof.parts) == (claim, parts) => {
                proof.replies.push((step, Arc::new(exchange)));
            }
            _ => return Err(refused("the replies are not in order")),
        }
        if usize::try_from(number).ok() != proofs.len().checked_sub(1) {
            return Err(refused("the replies are not in order"));
        }
    }
    Ok(Evidence { range, padding: first.padding, proofs })
}

fn parsed<T: for<'a> Deserialize<'a>>(line: &[u8]) -> Result<T> {
    let line = line.strip_suffix(b"\n").ok_or_else(|| refused("a line has no end"))?;
    serde_json::from_slice(line).map_err(|cause| refused("a line is not such a record").because(cause))
}

fn from_wire(wire: WireReply) -> Result<(u64, Claim, u32, Step, Exchange)> {
    let body: Bytes = match (wire.body, wire.base64) {
        (Some(text), None) => text.into(),
        (None, Some(text)) => decoded(&text).ok_or_else(|| refused("a body is not base64"))?.into(),
        _ => return Err(refused("a reply has no body, or two")),
    };
    if sha256(&body) != wire.sha256 {
        return Err(refused("a body is not the one that its digest names").at("request", wire.request));
    }
    let claim = Claim::parse(&wire.claim).ok_or_else(|| refused("unknown claim"))?;
    let step = Step::parse(&wire.step).ok_or_else(|| refused("unknown step"))?;
    let exchange = Exchange { request: wire.request, status: wire.status, date: wire.date, body };
    Ok((wire.proof, claim, wire.parts, step, exchange))
}

fn refused(why: &'static str) -> Error {
    Error::new(Kind::Verification, "a file of kept replies is not readable").at("why", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        let range = Grid::Day.window(Timestamp::from_date(2026, 3, 1).unwrap());
        let reply = |step, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            let date = Some("Sun, 01 Mar 2026 00:00:00 GMT".to_owned());
            (step, Arc::new(Exchange { request: "GET /events?page=1".to_owned(), status: 200, date, body }))
        };
        let proof = |claim, parts, replies| Proof { claim, parts, replies };
        Evidence {
            range,
            padding: 2,
            proofs: vec![
                proof(Claim::Double, 1, vec![reply(Step::Walk, b"{\"a\": 1}\n"), reply(Step::Count, b"{}")]),
                proof(Claim::Bracketed, 1, vec![reply(Step::Count, b"\xff{\0}")]),
                proof(Claim::TimeSum, 2, vec![reply(Step::Count, b"")]),
            ],
        }
    }

    #[test]
    fn evidence_reads_back_as_it_was() {
        let bytes = text(&evidence()).unwrap();
        assert_eq!(read(&bytes).unwrap(), evidence());
        assert_eq!(text(&evidence()).unwrap(), bytes);
    }

    #[test]
    fn names_follow_from_the_range() {
        let day = evidence().range;
        let month = Window::new(day.from, day.from.plus_seconds(31 * 86_400));
        let hour = Grid::Hour.window(day.from);
        for (range, grid, path) in [
            (day, Grid::Day, "_audit/raw/events-20260301-s007.ndjson.zst"),
            (month, Grid::Day, "_audit/raw/events-20260301-to-20260401-s007.ndjson.zst"),
            (hour, Grid::Hour, "_audit/raw/events-20260301T00-s007.ndjson.zst"),
            (day, Grid::Hour, "_audit/raw/events-20260301T00-to-20260302T00-s007.ndjson.zst"),
        ] {
            assert_eq!(place(range, grid, 7), path);
            let record = super::super::record::tests::commit().windows.remove(0);
            let certificate = Certificate { range, ..record.certificate };
            assert!(is_place(path, &certificate));
            for other in [path.replace("s007", "s7"), path.replace("s007", "s+07"), format!("../{path}")] {
                assert!(!is_place(&other, &certificate), "{other}");
            }
        }
    }

    #[test]
    fn every_change_of_a_line_is_found() {
        let lines = String::from_utf8(unzstd(&text(&evidence()).unwrap(), MAX_TEXT).unwrap()).unwrap();
        let packed = |text: &str| zstd([Ok(text.as_bytes().to_vec())], LEVEL).unwrap();
        assert!(read(&packed(&lines)).is_ok());
        let kept: Vec<&str> = lines.split_inclusive('\n').collect();
        for (from, to) in [
            ("{\\\"a\\\": 1}", "{\\\"a\\\": 2}"),
            ("\"base64\":\"/3", "\"base64\":\"/4"),
            ("\"format_version\":1", "\"format_version\":2"),
            ("\"step\":\"count\"", "\"step\":\"other\""),
            ("\"claim\":\"bracketed\"", "\"claim\":\"none\""),
            ("\"proof\":1", "\"proof\":2"),
            ("\"status\":200", "\"more\":1,\"status\":200"),
        ] {
            let altered = lines.replacen(from, to, 1);
            assert_ne!(altered, lines, "{from}");
            assert!(read(&packed(&altered)).is_err(), "{to}");
        }
        assert!(read(&packed(lines.trim_end())).is_err());
        assert!(read(&packed(&kept[1..].concat())).is_err());
        let swapped = [kept[0], kept[3], kept[1]].concat();
        assert!(read(&packed(&swapped)).is_err());
    }
}
