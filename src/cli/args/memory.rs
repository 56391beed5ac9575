//! How much is held in memory, and where the rest goes.
//!
//! What lives here: the flags about memory and temporary files, and the check of their folder. What this file must not
//! know: what is held.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use vonage_audit::spool::Scratch;
use vonage_audit::{Error, Result};

use crate::environment::Environment;

/// What the program takes whatever it holds: a little more than the peak that was measured with a budget of next to
/// nothing, while a row group of Parquet is written.
const ITSELF: u64 = 112 << 20;

/// Where that leaves nothing, this part of the memory is the budget, and the program takes more than it was told.
const LEAST: u64 = 8;

/// How much is held in memory, and where the rest goes.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Memory")]
pub(crate) struct MemoryArgs {
    /// Most memory of the program, in MiB: 112 are taken off for itself, and events, rows and files beyond the rest go into
    /// temporary files
    #[arg(long, value_name = "MIB", default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub(crate) memory: u64,
    /// Folder of temporary files; they hold events as received, have no names and are gone when the program is (default:
    /// TMPDIR, else the system's folder)
    #[arg(long, value_name = "DIR")]
    pub(crate) spill_dir: Option<PathBuf>,
    /// Most bytes in temporary files at one time, in MiB; more ends the run with 7
    #[arg(long, value_name = "MIB", default_value_t = 65_536, value_parser = clap::value_parser!(u64).range(0..=1_073_741_824))]
    pub(crate) spill_limit: u64,
}

impl MemoryArgs {
    /// What they say. A folder that somebody named must be there; the system's own is looked for when it is needed, since
    /// most runs need none.
    pub(crate) fn scratch(&self, environment: &Environment) -> Result<Scratch> {
        let named = [("--spill-dir", self.spill_dir.as_ref()), ("TMPDIR", environment.temporary.as_ref())];
        let folder = match named.into_iter().find_map(|(name, folder)| Some((name, folder?))) {
            Some((_, folder)) if folder.is_dir() => folder.clone(),
            Some((name, folder)) => {
                return Err(Error::usage(format!("{name} is no folder"))
                    .at("path", folder.display())
                    .hint("make it, or name another one by --spill-dir"));
            }
            None => std::env::temp_dir(),
        };
        let memory = self.memory << 20;
        let held = memory.saturating_sub(ITSELF).max(memory / LEAST);
        Ok(Scratch::new(folder, held, self.spill_limit << 20))
    }
}
