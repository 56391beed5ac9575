//! A view for each event type: the envelope, the derived columns and what that type's context holds, by short names.
//!
//! What lives here: which columns a type has (from the JSON Schema documents, and from a schema directory), their short
//! names, the statements. What this file must not know: how the engine reads the rows.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::Engine;
use super::sql::literal;
use crate::error::{Error, Result};
use crate::schema::column::{Column, Kind};
use crate::schema::document;
use crate::schema::naming::snake;
use crate::schema::table::Table;

/// How the names of context columns begin.
const CONTEXT: &str = "context__";
/// The remainder's column ends each view.
const REMAINDER: &str = "unmapped_json";

/// The JSON Schema of each built-in event type's context.
const CONTEXTS: [(&str, &str); 29] = [
    ("ACCOUNT_SECRET_CREATE", include_str!("../../../schemas/v1/context/ACCOUNT_SECRET_CREATE.schema.json")),
    ("ACCOUNT_SECRET_DELETE", include_str!("../../../schemas/v1/context/ACCOUNT_SECRET_DELETE.schema.json")),
    (
        "ACCOUNT_UPDATE_SETTINGS",
        include_str!("../../../schemas/v1/context/ACCOUNT_UPDATE_SETTINGS.schema.json"),
    ),
    (
        "ACCOUNT_UPDATE_SETTINGS_API",
        include_str!("../../../schemas/v1/context/ACCOUNT_UPDATE_SETTINGS_API.schema.json"),
    ),
    (
        "ACCOUNT_UPDATE_SPAMMER",
        include_str!("../../../schemas/v1/context/ACCOUNT_UPDATE_SPAMMER.schema.json"),
    ),
    ("APP_CREATE", include_str!("../../../schemas/v1/context/APP_CREATE.schema.json")),
    ("APP_DELETE", include_str!("../../../schemas/v1/context/APP_DELETE.schema.json")),
    ("APP_DISABLE", include_str!("../../../schemas/v1/context/APP_DISABLE.schema.json")),
    ("APP_ENABLE", include_str!("../../../schemas/v1/context/APP_ENABLE.schema.json")),
    ("APP_UPDATE", include_str!("../../../schemas/v1/context/APP_UPDATE.schema.json")),
    ("AUTORELOAD_DISABLE", include_str!("../../../schemas/v1/context/AUTORELOAD_DISABLE.schema.json")),
    ("AUTORELOAD_ENABLE", include_str!("../../../schemas/v1/context/AUTORELOAD_ENABLE.schema.json")),
    ("AUTORELOAD_UPDATE", include_str!("../../../schemas/v1/context/AUTORELOAD_UPDATE.schema.json")),
    ("IP_WHITELIST_CREATE", include_str!("../../../schemas/v1/context/IP_WHITELIST_CREATE.schema.json")),
    ("IP_WHITELIST_DELETE", include_str!("../../../schemas/v1/context/IP_WHITELIST_DELETE.schema.json")),
    ("NUMBER_ASSIGN", include_str!("../../../schemas/v1/context/NUMBER_ASSIGN.schema.json")),
    ("NUMBER_LINKED", include_str!("../../../schemas/v1/context/NUMBER_LINKED.schema.json")),
    ("NUMBER_RELEASE", include_str!("../../../schemas/v1/context/NUMBER_RELEASE.schema.json")),
    ("NUMBER_UNLINKED", include_str!("../../../schemas/v1/context/NUMBER_UNLINKED.schema.json")),
    ("NUMBER_UPDATED", include_str!("../../../schemas/v1/context/NUMBER_UPDATED.schema.json")),
    ("NUMBER_USER_CANCELED", include_str!("../../../schemas/v1/context/NUMBER_USER_CANCELED.schema.json")),
    ("USER_API_KEYS_UPDATE", include_str!("../../../schemas/v1/context/USER_API_KEYS_UPDATE.schema.json")),
    ("USER_BILLING_UPDATE", include_str!("../../../schemas/v1/context/USER_BILLING_UPDATE.schema.json")),
    ("USER_CREATE", include_str!("../../../schemas/v1/context/USER_CREATE.schema.json")),
    ("USER_LOGIN", include_str!("../../../schemas/v1/context/USER_LOGIN.schema.json")),
    ("USER_LOGOUT", include_str!("../../../schemas/v1/context/USER_LOGOUT.schema.json")),
    ("USER_PRODUCT_SEARCH", include_str!("../../../schemas/v1/context/USER_PRODUCT_SEARCH.schema.json")),
    ("USER_STATUS", include_str!("../../../schemas/v1/context/USER_STATUS.schema.json")),
    ("USER_UPDATE", include_str!("../../../schemas/v1/context/USER_UPDATE.schema.json")),
];

/// A view for each event type of the registry.
pub(super) fn write(table: &Table, engine: Engine, out: &mut String) -> Result<()> {
    let mut names = BTreeSet::new();
    for known in table.registry().types() {
        let mut name = format!("v_{}", snake(&known.name));
        // PostgreSQL cuts names at 63 bytes; all of a name is ASCII.
        name.truncate(55);
        let mut number = 1_u32;
        while !names.insert(name.clone()) {
            number += 1;
            let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end_matches("__n");
            name = format!("{stem}__n{number}");
        }
        let columns = columns_of(table, &known.name)?;
        let mut taken: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let mut lines = Vec::new();
        for column in &columns {
            let short = column.name.strip_prefix(CONTEXT).filter(|short| {
                short.starts_with(|first: char| first.is_ascii_lowercase())
                    && !is_reserved(short)
                    && taken.insert(short)
            });
            lines.push(match short {
                Some(short) => format!("  {} AS {short}", column.name),
                None => format!("  {}", column.name),
            });
        }
        let create = match engine {
            // A changed column list is no replacement to these.
            Engine::Postgres | Engine::Redshift => {
                format!("DROP VIEW IF EXISTS {name};\nCREATE VIEW {name} AS")
            }
            _ => format!("CREATE OR REPLACE VIEW {name} AS"),
        };
        let binding = if engine == Engine::Redshift { "\nWITH NO SCHEMA BINDING" } else { "" };
        let from = if engine == Engine::Redshift { "public.audit_events" } else { "audit_events" };
        let _ = writeln!(
            out,
            "\n{create}\nSELECT\n{}\nFROM {from}\nWHERE event_type = {}{binding};",
            lines.join(",\n"),
            literal(engine, &known.name)
        );
    }
    Ok(())
}

/// A type's columns in the order of the table; the remainder is the last.
fn columns_of<'a>(table: &'a Table, event_type: &str) -> Result<Vec<&'a Column>> {
    let mut own: BTreeSet<String> = table.seen_in(event_type).iter().cloned().collect();
    if let Some((_, text)) = CONTEXTS.iter().find(|(name, _)| *name == event_type) {
        let document: Value = document::read("context schema", text)?;
        annotated(&document, 0, &mut own);
    }
    let is_own = |column: &&Column| {
        let context = column.pointer.as_ref().is_some_and(|pointer| pointer.starts_with("/context/"));
        match column.kind {
            Kind::Source if context => own.contains(&column.name),
            Kind::Source | Kind::Derived => true,
            // The context's text is there for a type whose context nobody has typed.
            Kind::Copy => column.name != REMAINDER,
        }
    };
    let mut columns: Vec<&Column> = table.columns().iter().filter(is_own).collect();
    let remainder = table.columns().get(table.remainder_column());
    columns.push(remainder.ok_or_else(|| Error::bug("the table has no remainder"))?);
    Ok(columns)
}

/// Names of the columns that a context's document says are there. The documents are part of the program; their depth is
/// bounded all the same.
fn annotated(schema: &Value, depth: u32, names: &mut BTreeSet<String>) {
    if depth > 8 {
        return;
    }
    for property in
        schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|all| all.values())
    {
        if let Some(note) = property.get("x-vonage-audit")
            && note.get("status").and_then(Value::as_str) != Some("candidate")
            && let Some(name) = note.get("column").and_then(Value::as_str)
        {
            names.insert(name.to_owned());
        }
        annotated(property, depth + 1, names);
    }
}

/// Words that some engine does not take as a column's name without quotes.
fn is_reserved(name: &str) -> bool {
    const WORDS: &str = " add after all alter always analyse analyze and any array as asc asof assert before \
        between bigint binary boolean both by call case cast char check cluster collate column columns comment commit \
        connect constraint create cross cube current cursor data database date day default define delete delta desc \
        describe distinct distribute do drop else end escape except exclude exists explain external extract false fetch \
        filter first float following for force foreign from full function global grant group grouping groups hash having \
        hour if ignore ilike in increment index inner insert int intersect interval into is issue join key lateral \
        leading left like limit local lookup map match merge minus minute month natural new no not null nulls of \
        off offset on only open option or order organization outer over overlaps partition percent permissions pivot \
        placing preceding primary proto public qualify range raw recursive references regexp rename returning \
        revoke right rlike rollup row rows sample schema second select semi session set similar sort some sql start \
        struct table tablesample tag then time timestamp to top trailing trigger trim true truncate uid unbounded \
        union unique unnest unpivot update user using values view when where window with within without year ";
    WORDS.contains(&format!(" {name} "))
}
