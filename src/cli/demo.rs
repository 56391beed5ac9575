//! `vonage-audit demo`: sandbox, export and first queries in one command.
//!
//! What lives here: the demo's population and what it shows. It is the real program over a real socket; only the API
//! is the sandbox. What this file must not know: anything the other commands do not use as well.

use std::sync::Arc;

use chrono::NaiveDate;
use vonage_audit::error::Kind;
use vonage_audit::sandbox::{Population, Spec, World, serve};
use vonage_audit::secret::{Credentials, Secret};
use vonage_audit::{Error, Result};

use crate::accounts::Account;
use crate::args::{DemoArgs, ExportArgs};
use crate::environment::Environment;
use crate::export::Prepared;
use crate::operations::Operations;
use crate::terminal::Terminal;

/// An invented account; nothing of the environment's credentials is used.
const KEY: &str = "demo0001";
const SECRET: &str = "demo-secret";
const FROM: &str = "2026-01-01";
const TO: &str = "2026-04-01";

/// Runs the demo.
pub(crate) async fn run(args: DemoArgs, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let population = Population::seeded(Spec {
        seed: 2026,
        events: args.events,
        from: date(FROM)?,
        to: date(TO)?,
        account: KEY.to_owned(),
    })
    .map_err(|error| Error::bug("the demo has no events").because(error))?;
    let world = Arc::new(World::new(population).credentials(KEY, &[SECRET]));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let base = format!("http://{address}{}", world.base_path());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sandbox = serve(listener, Arc::clone(&world), async {
        // An error means that the sender is gone, which is the same.
        let _ = stopped.await;
    });
    let export = async {
        let outcome = export(&args, base, environment, terminal).await;
        drop(stop);
        outcome
    };
    let (code, served) = tokio::join!(export, sandbox);
    served.map_err(cannot_listen)?;
    let code = code?;
    if code == 0 && !terminal.is_json() {
        terminal.result(queries(&args.dest));
    }
    Ok(code)
}

async fn export(args: &DemoArgs, base: String, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    terminal.note(format!(
        "{} events of an invented account, {FROM} to {TO}, from a sandbox at {base}",
        args.events
    ));
    let account = Account {
        name: None,
        credentials: Credentials { key: KEY.to_owned(), secret: Secret::new(SECRET.to_owned()) },
        base,
        rate: None,
        dest: Some(args.dest.clone()),
    };
    let export = ExportArgs::demo(FROM, TO)?;
    Prepared::new(&export, &account, environment)
        .await?
        .run(environment, terminal, &Operations::of_signals())
        .await
}

fn date(text: &str) -> Result<NaiveDate> {
    text.parse().map_err(|error| Error::bug("the demo's dates are wrong").because(error))
}

fn cannot_listen(error: std::io::Error) -> Error {
    Error::new(Kind::Bug, "the sandbox cannot listen on loopback").because(error)
}

/// Three questions to paste into DuckDB.
fn queries(dest: &str) -> String {
    let files = format!("'{}/parquet/**/*.parquet'", dest.trim_end_matches('/').replace('\'', "''"));
    format!(
        "
Three questions for DuckDB (pip install duckdb-cli):

-- What happened, by category?
SELECT event_category, count(*) AS events, count(DISTINCT actor) AS actors
FROM {files} GROUP BY ALL ORDER BY events DESC;

-- Who created or deleted API secrets, from where?
SELECT created_at, event_action, actor, source_ip, source_country
FROM {files} WHERE event_category = 'secret' ORDER BY created_at LIMIT 10;

-- Where do inbound calls and messages go, by the latest change of each number?
SELECT target_msisdn, context__voice_type, context__voice_value, context__http, created_at
FROM {files} WHERE event_type = 'NUMBER_UPDATED'
QUALIFY row_number() OVER (PARTITION BY target_msisdn ORDER BY created_at DESC) = 1 LIMIT 10;"
    )
}
