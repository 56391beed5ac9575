//! `vonage-audit demo`: sandbox, export and first queries in one command.
//!
//! What lives here: the demo's population and what it shows. It is the real program over a real socket; only the API
//! is the sandbox. What this file must not know: anything the other commands do not use as well.

use std::sync::Arc;
use std::time::Instant;

use vonage_audit::error::Kind;
use vonage_audit::model::{Format, Grid, Timestamp, Window};
use vonage_audit::pipeline::{Job, run as run_job};
use vonage_audit::schema::Table;
use vonage_audit::secret::{Credentials, Secret};
use vonage_audit::settle::Settings;
use vonage_audit::{Error, Result};

