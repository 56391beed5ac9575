//! CSV on the Web: what our CSV files say of themselves, for programs.
//!
//! What lives here: the description of a table's columns and dialect as a W3C CSVW metadata document
//! (<https://www.w3.org/TR/tabular-metadata/>). A function of the table and the layout alone. CSVW knows no way to tell
//! nothing from the empty text: its readers take both as the column's `null`. The guard against formulas is a note, since
//! CSVW has no word for it either. What this file must not know: where the document is kept.

use arrow_schema::{DataType, Field, Schema};
use serde_json::{Map, Value, json};

use crate::model::{Formulas, Layout};

const CONTEXT: &str = "http://www.w3.org/ns/csvw";

/// Describes every CSV file of a table. A document has to name a file: this one names the pattern that they match, to be
/// replaced by a file's name, or overridden.
pub fn csvw_table(schema: &Schema, layout: &Layout, pattern: &str) -> String {
    let mut table = Map::new();
    table.insert("@context".to_owned(), CONTEXT.into());
    table.insert("url".to_owned(), pattern.into());
    describe(&mut table, schema, layout);
    Value::Object(table).to_string() + "\n"
}

fn describe(document: &mut Map<String, Value>, schema: &Schema, layout: &Layout) {
    let columns: Vec<Value> = schema.fields().iter().map(|field| column(field)).collect();
    document.insert("tableSchema".to_owned(), json!({ "columns": columns, "primaryKey": "id" }));
    document.insert(
        "dialect".to_owned(),
        json!({
            "encoding": "utf-8", "lineTerminators": ["\r\n"], "delimiter": ",", "quoteChar": "\"",
            "doubleQuote": true, "header": true, "headerRowCount": 1, "trim": "false",
        }),
    );
    let mut notes = vec![
        "Nothing between two commas is null; a pair of quotes is the empty text.",
        "Columns that are not in a file belong to a later version of the table.",
    ];
    if layout.formulas == Formulas::Guarded {
        notes.push(
            "A text that begins with =, +, -, @, tab, CR, LF, their full-width forms or an apostrophe has one apostrophe \
             in front; taking one away gives the value.",
        );
    }
    let compression = match layout.csv.suffix() {
        "" => None,
        suffix => Some(format!("The files are compressed, as their names say: {suffix}.")),
    };
    let notes: Vec<Value> = notes
        .into_iter()
        .map(str::to_owned)
        .chain(compression)
        .map(|text| json!({ "rdfs:comment": text }))
        .collect();
    document.insert("notes".to_owned(), notes.into());
}

fn column(field: &Field) -> Value {
    let datatype = match field.data_type() {
        DataType::Boolean => json!("boolean"),
        DataType::Int32 => json!("int"),
        DataType::Int64 => json!("long"),
        DataType::Timestamp(..) => json!("dateTimeStamp"),
        _ => json!("string"),
    };
    let mut column =
        json!({ "name": field.name(), "titles": field.name(), "datatype": datatype, "null": "" });
    if let (Some(column), Some(text)) = (column.as_object_mut(), field.metadata().get("description")) {
        column.insert("dc:description".to_owned(), text.clone().into());
    }
    column
}
