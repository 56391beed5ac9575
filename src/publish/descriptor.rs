//! `_audit/dataset.json`: what a dataset is, for ever.
//!
//! What lives here: [`Spec`], its text, and the comparison of what is stored with what a run wants.
//! What this file must not know: the log, data files, where the text is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canonical;
use crate::error::{Error, Kind, Result};
use crate::model::{Formulas, Grid, Layout, Lines, Packing, Partitioning, SchemaRef, Secrets};

/// The layout that this version of the program reads and writes.
const FORMAT_VERSION: u64 = 1;

/// What to do about a setting that differs.
const OTHERWISE: &str = "use the dataset's own setting, or another destination";

/// What a run wants its dataset to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Whose events: see [`super::account_fingerprint`].
    pub account_fingerprint: String,
    /// The windows of its commits.
    pub grid: Grid,
    /// The table of the files that this run writes. The stored one is the table at the dataset's creation.
    pub schema: SchemaRef,
    /// The fingerprints of the tables that this run's table continues: the proper beginnings of its column list. Of a
    /// stored dataset nothing is known of them.
    pub lineage: Vec<String>,
    /// Filters of the question to the API, by name (for example `event_type`), when not all events are asked for.
    /// A window committed under a filter is complete for that filter alone, so that it belongs to the dataset.
    pub selection: BTreeMap<String, String>,
    /// Whether its files hold the secrets that appear in events.
    pub secrets: Secrets,
    /// What its files look like.
    pub layout: Layout,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    account_fingerprint: String,
    files: WireFiles,
    format_version: u64,
    grid: String,
    partitioning: String,
    schema: WireSchema,
    secrets: String,
    selection: BTreeMap<String, String>,
}

/// The part of the layout that is not the partitioning.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFiles {
    csv: WireCsv,
    ndjson: WireNdjson,
    parquet: WireParquet,
    /// Seconds of a file's time slice; null for whole windows.
    part_seconds: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCsv {
    compression: String,
    formulas: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireNdjson {
    compression: String,
    shape: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireParquet {
    footer_key: Option<String>,
}

impl From<&Layout> for WireFiles {
    fn from(layout: &Layout) -> Self {
        Self {
            csv: WireCsv {
                compression: layout.csv.name().to_owned(),
                formulas: layout.formulas.name().to_owned(),
            },
            ndjson: WireNdjson {
                compression: layout.ndjson.name().to_owned(),
                shape: layout.lines.name().to_owned(),
            },
            parquet: WireParquet { footer_key: layout.footer_key.clone() },
            part_seconds: layout.part,
        }
    }
}

impl WireFiles {
    fn layout(self, partitioning: &str) -> Result<Layout> {
        let unknown = |what: &'static str, value: &str| {
            Error::usage("the dataset has files of a kind that this version does not know").at(what, value)
        };
        let packing = |value: &str| Packing::parse(value).ok_or_else(|| unknown("compression", value));
        Ok(Layout {
            partitioning: Partitioning::parse(partitioning)
                .ok_or_else(|| unknown("partitioning", partitioning))?,
            part: self.part_seconds,
            csv: packing(&self.csv.compression)?,
            formulas: Formulas::parse(&self.csv.formulas)
                .ok_or_else(|| unknown("formulas", &self.csv.formulas))?,
            ndjson: packing(&self.ndjson.compression)?,
            lines: Lines::parse(&self.ndjson.shape).ok_or_else(|| unknown("shape", &self.ndjson.shape))?,
            footer_key: self.parquet.footer_key,
        })
    }
}

/// A table's reference as control files spell it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSchema {
    fingerprint: String,
    version: String,
}

impl From<&SchemaRef> for WireSchema {
    fn from(schema: &SchemaRef) -> Self {
        Self { fingerprint: schema.fingerprint.clone(), version: schema.version.clone() }
    }
}

impl From<WireSchema> for SchemaRef {
    fn from(wire: WireSchema) -> Self {
        Self { version: wire.version, fingerprint: wire.fingerprint }
    }
}

#[derive(Deserialize)]
struct AnyVersion {
    format_version: u64,
}

impl Spec {
    /// The canonical text.
    pub(super) fn text(&self) -> Result<Vec<u8>> {
        canonical::write(&Wire {
            account_fingerprint: self.account_fingerprint.clone(),
            files: WireFiles::from(&self.layout),
            format_version: FORMAT_VERSION,
            grid: self.grid.name().to_owned(),
            partitioning: self.layout.partitioning.name(),
            schema: WireSchema::from(&self.schema),
            secrets: self.secrets.name().to_owned(),
            selection: self.selection.clone(),
        })
    }

    /// What a stored text says.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a layout of another version; [`Kind::Verification`] for a text that is none.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let any: AnyVersion = serde_json::from_slice(bytes)
            .map_err(|cause| Error::new(Kind::Verification, "dataset.json is not readable").because(cause))?;
        if any.format_version != FORMAT_VERSION {
            return Err(Error::usage("the dataset has a layout that this version does not know")
                .at("format_version", any.format_version)
                .hint("use the version of vonage-audit that wrote it, or a newer one"));
        }
        let wire: Wire = canonical::read(bytes)?;
        let grid = Grid::parse(&wire.grid).ok_or_else(|| {
            Error::usage("the dataset has a grid that this version does not know").at("grid", &wire.grid)
        })?;
        let secrets = Secrets::parse(&wire.secrets).ok_or_else(|| {
            Error::usage("the dataset treats secrets in a way that this version does not know")
                .at("secrets", &wire.secrets)
        })?;
        let layout = wire.files.layout(&wire.partitioning)?;
        if let Some(part) = layout.part.filter(|part| !Layout::can_part(grid, *part)) {
            return Err(Error::new(
                Kind::Verification,
                "dataset.json has parts that do not divide its windows",
            )
            .at("part_seconds", part));
        }
        Ok(Self {
            account_fingerprint: wire.account_fingerprint,
            grid,
            schema: wire.schema.into(),
            lineage: Vec::new(),
            selection: wire.selection,
            secrets,
            layout,
        })
    }

    /// Whether a run that wants `self` may add to a dataset that is `stored`.
    pub(super) fn fits(&self, stored: &Self) -> Result<()> {
        if self.account_fingerprint != stored.account_fingerprint {
            return Err(Error::new(Kind::Contradiction, "the dataset belongs to another account")
                .at("dataset", &stored.account_fingerprint)
                .at("this run", &self.account_fingerprint)
                .hint("use one destination for each API key"));
        }
        if self.grid != stored.grid {
            return Err(differs("grid", stored.grid.name(), self.grid.name()).hint(OTHERWISE));
        }
        if self.selection != stored.selection {
            return Err(
                differs("selection", &shown(&stored.selection), &shown(&self.selection)).hint(OTHERWISE)
            );
        }
        if self.secrets != stored.secrets {
            return Err(differs("secrets", stored.secrets.name(), self.secrets.name()));
        }
        for (setting, ours, theirs) in self
            .layout_settings()
            .into_iter()
            .zip(stored.layout_settings())
            .map(|((name, ours), (_, theirs))| (name, ours, theirs))
        {
            if ours != theirs {
                return Err(differs(setting, &theirs, &ours).hint(OTHERWISE));
            }
        }
        self.continues(&stored.schema)
    }

    /// The layout's settings by name, as a person would give them.
    fn layout_settings(&self) -> [(&'static str, String); 7] {
        let layout = &self.layout;
        [
            ("partition-by", layout.partitioning.name()),
            ("part", layout.part.map_or_else(|| "whole windows".to_owned(), |part| format!("{part}s"))),
            ("compression of csv", layout.csv.name().to_owned()),
            ("csv formulas", layout.formulas.name().to_owned()),
            ("compression of ndjson", layout.ndjson.name().to_owned()),
            ("ndjson shape", layout.lines.name().to_owned()),
            ("encryption key", layout.footer_key.clone().unwrap_or_else(|| "none".to_owned())),
        ]
    }

    /// Whether files of this run's table may follow files of `earlier`: not an older version, of the same major one, and
    /// with the same columns or the same with others behind them. The last is proven by fingerprints, so that it holds
    /// for the columns of a schema directory too.
    pub(super) fn continues(&self, earlier: &SchemaRef) -> Result<()> {
        let (ours, theirs) = (&self.schema, earlier);
        let (Some(mine), Some(stored)) = (release(&ours.version), release(&theirs.version)) else {
            return Err(differs("schema", &theirs.version, &ours.version).hint(OTHERWISE));
        };
        if mine.0 != stored.0 {
            return Err(differs("schema", &theirs.version, &ours.version)
                .hint("a new major version of the table needs a destination of its own"));
        }
        if mine < stored {
            return Err(differs("schema", &theirs.version, &ours.version)
                .hint("a newer version of vonage-audit has written here: use that one"));
        }
        if ours.fingerprint == theirs.fingerprint || self.lineage.contains(&theirs.fingerprint) {
            return Ok(());
        }
        Err(differs("schema", &format!("{} {}", theirs.version, theirs.fingerprint), &format!("{} {}", ours.version, ours.fingerprint))
            .hint("this run's columns are not those of the dataset with others behind them: use the --schema-dir that \
                   wrote the dataset, or another destination"))
    }
}

fn shown(selection: &BTreeMap<String, String>) -> String {
    if selection.is_empty() {
        return "all events".to_owned();
    }
    let parts: Vec<String> = selection.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join(" ")
}

/// `major.minor.patch` as numbers. What follows a `+` names a schema directory and orders nothing.
fn release(text: &str) -> Option<(u64, u64, u64)> {
    let release = text.split('+').next()?;
    let mut parts = release.split('.').map(|part| part.parse().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

fn differs(what: &'static str, stored: &str, wanted: &str) -> Error {
    Error::usage("the dataset was created with other settings, which cannot change")
        .at("setting", what)
        .at("dataset", stored)
        .at("this run", wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            account_fingerprint: "00ff".to_owned(),
            grid: Grid::Day,
            schema: SchemaRef { version: "1.2.0".to_owned(), fingerprint: "ab".to_owned() },
            lineage: vec!["a1".to_owned(), "a2".to_owned()],
            selection: BTreeMap::new(),
            secrets: Secrets::Redacted,
            layout: Layout::default(),
        }
    }

    #[test]
    fn the_text_is_canonical_and_reads_back() {
        let text = spec().text().unwrap();
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            r#"{"account_fingerprint":"00ff","files":{"csv":{"compression":"none","formulas":"guarded"},"ndjson":{"compression":"none","shape":"events"},"parquet":{"footer_key":null},"part_seconds":null},"format_version":1,"grid":"P1D","partitioning":"event_date","schema":{"fingerprint":"ab","version":"1.2.0"},"secrets":"redacted","selection":{}}"#
        );
        assert_eq!(Spec::parse(&text).unwrap(), Spec { lineage: Vec::new(), ..spec() });
    }

    #[test]
    fn an_unknown_layout_is_the_users_matter_and_a_broken_file_the_auditors() {
        let newer = r#"{"format_version":2,"more":[]}"#;
        assert_eq!(Spec::parse(newer.as_bytes()).unwrap_err().kind(), Kind::Usage);
        assert_eq!(Spec::parse(b"{}").unwrap_err().kind(), Kind::Verification);
        assert_eq!(Spec::parse(br#"{"format_version":1}"#).unwrap_err().kind(), Kind::Verification);
    }

    #[test]
    fn each_difference_is_refused_and_named() {
        let with = |change: fn(&mut Spec)| {
            let mut stored = spec();
            change(&mut stored);
            spec().fits(&stored).map_err(|error| {
                (error.kind(), format!("{error}: {}", error.hint_text().unwrap_or_default()))
            })
        };
        assert!(with(|_| {}).is_ok());
        // A table goes on with its own columns and with more of them, whatever the schema directory is called.
        for (version, fingerprint) in
            [("1.1.9", "ab"), ("1.2.0+4.00ff00ff", "ab"), ("1.1.9", "a1"), ("1.2.0+1.00ff00ff", "a2")]
        {
            let mut stored = spec();
            stored.schema = SchemaRef { version: version.to_owned(), fingerprint: fingerprint.to_owned() };
            spec().fits(&stored).unwrap();
        }
        for (change, kind, named) in [
            (
                (|stored| stored.account_fingerprint.push('0')) as fn(&mut Spec),
                Kind::Contradiction,
                "account",
            ),
            (|stored| stored.grid = Grid::Hour, Kind::Usage, "PT1H"),
            (|stored| stored.secrets = Secrets::Kept, Kind::Usage, "kept"),
            (|stored| stored.schema.version = "2.0.0".to_owned(), Kind::Usage, "2.0.0"),
            (|stored| stored.schema.version = "1.3.0".to_owned(), Kind::Usage, "1.3.0"),
            (|stored| stored.schema.fingerprint = "cd".to_owned(), Kind::Usage, "cd"),
            (
                |stored| {
                    stored.schema =
                        SchemaRef { version: "1.1.0+2.00ff00ff".to_owned(), fingerprint: "ef".to_owned() };
                },
                Kind::Usage,
                "--schema-dir",
            ),
            (
                |stored| drop(stored.selection.insert("event_type".into(), "A".into())),
                Kind::Usage,
                "event_type=A",
            ),
        ] {
            let (found, text) = with(change).unwrap_err();
            assert_eq!(found, kind, "{text}");
            assert!(text.contains(named), "{text}");
        }
    }
}
