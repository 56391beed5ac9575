//! How many threads compute.
//!
//! What lives here: the flag. What this file must not know: what they compute.

use std::num::NonZero;

use clap::Args as ClapArgs;
use vonage_audit::encode::Threads;

/// How many threads compute.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ThreadArgs {
    /// Most threads that make rows and files; no byte depends on it (default: one for each processor)
    #[arg(long, value_name = "THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl ThreadArgs {
    /// What they say.
    pub(crate) fn threads(&self) -> Threads {
        let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
        Threads::new(self.threads.map_or_else(processors, usize::from))
    }
}
