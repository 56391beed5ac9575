//! How to reach the API and object stores.
//!
//! What lives here: the flags about services on the network, with their limits. What this file must not know: what is
//! asked of them.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// How to reach the API, and within which limits. The key and the secret are taken from VONAGE_API_KEY and
/// VONAGE_API_SECRET, or from a file; never from a flag.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "API")]
pub(crate) struct ApiArgs {
    /// Base URL, https or loopback (default: VONAGE_AUDIT_API_URL, else https://api.nexmo.com/beta/audit)
    #[arg(long, value_name = "URL")]
    pub(crate) api_url: Option<String>,
    /// File with VONAGE_API_KEY=… and VONAGE_API_SECRET=… lines, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials_file: Option<PathBuf>,
    /// Most requests a second, like 5/s, or unlimited (default: 5/s; unlimited on loopback)
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<String>,
    /// Most requests in flight
    #[arg(long, value_name = "REQUESTS", default_value_t = 4,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub(crate) concurrency: usize,
    /// Most attempts for one request
    #[arg(long, value_name = "ATTEMPTS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
    /// Most time a run spends waiting for repetitions
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub(crate) retry_time: String,
    /// Longest time for one attempt
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub(crate) request_timeout: String,
    /// Largest reply, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 8,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub(crate) reply_limit: usize,
}

/// How to reach an object store, and within which limits. Credentials and endpoints are taken from the usual AWS_…,
/// GOOGLE_… and AZURE_… variables; docs/destinations.md names them.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Object stores")]
pub(crate) struct StorageArgs {
    /// Accept a store that overwrites instead of creating only if absent. Nothing else may write to the destination
    /// then, at any time; every commit records it
    #[arg(long)]
    pub(crate) single_writer: bool,
    /// Longest time for one request to an object store, its body included
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub(crate) storage_timeout: String,
    /// Longest time for which one request to an object store is repeated; a store that stays silent is given up after
    /// five times that
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) storage_retry_time: String,
}
