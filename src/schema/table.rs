//! The table: columns, pointers, registry and rules, compiled from their documents.
//!
//! What lives here: [`Table`] and the compilation. What this file must not know: events, files.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_schema::Schema;

use super::check::{self, Origin};
use super::column::{Column, Kind};
use super::compile::Compiler;
use super::derived::Derived;
use super::document::{self, DerivedDocument, Lock, RegistryDocument};
use super::layer::{self, Layer};
use super::registry::{EventType, Registry};
use super::tree::{NodeId, Tree};
use crate::error::{Error, Result};
use crate::model;

/// Pointer of the context, whose text one column holds whole.
const CONTEXT: &str = "/context";

/// The texts of the documents that make a table.
#[derive(Clone, Copy, Debug)]
pub struct Documents<'a> {
    /// `table.lock.json`
    pub lock: &'a str,
    /// `registry.json`
    pub registry: &'a str,
    /// `derived.json`
    pub derived: &'a str,
}

impl Documents<'static> {
    /// The documents of `schemas/v1`, part of the program.
    pub const BUILTIN: Self = Self {
        lock: include_str!("../../schemas/v1/table.lock.json"),
        registry: include_str!("../../schemas/v1/registry.json"),
        derived: include_str!("../../schemas/v1/derived.json"),
    };
}

/// The table of one schema version. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Table(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    version: String,
    fingerprint: String,
    lineage: Vec<String>,
    columns: Vec<Column>,
    /// A schema directory's columns by event type, by name.
    seen: BTreeMap<String, Vec<String>>,
    by_name: HashMap<String, usize>,
    tree: Tree,
    context: Place,
    remainder: usize,
    registry: Registry,
    event_type: Option<NodeId>,
    derived: Vec<Derived>,
    schema: Arc<Schema>,
}

/// Where the context is: in the event and in the row.
#[derive(Clone, Copy, Debug)]
struct Place {
    node: NodeId,
    column: usize,
}

impl Table {
    /// The table that is part of the program.
    ///
    /// # Errors
    /// Only if the program was built from broken documents.
    pub fn builtin() -> Result<Self> {
        Self::from_documents(Documents::BUILTIN)
            .map_err(|error| Error::bug("the built-in schema is not valid").because(error))
    }

    /// A table from the texts of its documents.
    ///
    /// # Errors
    /// Usage: a document cannot be read, contradicts itself or another one; the error says where.
    pub fn from_documents(documents: Documents<'_>) -> Result<Self> {
        let parts = Parts::read(documents)?;
        Self::compile(parts)
    }

    /// The built-in table with a schema directory's additions over it.
    ///
    /// # Errors
    /// Usage: a document cannot be read, contradicts itself, or does more than add.
    pub fn layered(layer: Layer<'_>) -> Result<Self> {
        Self::from_layered(Documents::BUILTIN, layer)
    }

    /// A table from the texts of its documents with a schema directory's additions over it.
    ///
    /// # Errors
    /// As [`Table::from_documents`] and [`Table::layered`].
    pub fn from_layered(documents: Documents<'_>, layer: Layer<'_>) -> Result<Self> {
        let mut parts = Parts::read(documents)?;
        let additions = layer::Additions::read(&parts.columns, &parts.version, layer)?;
        if let Some(missing) = additions.missing.first() {
            return Err(Error::usage("the schema directory does not have the newest built-in columns yet")
                .at("document", "table.lock.json")
                .at("column", &missing.name)
                .hint("append them: vonage-audit schema infer --schema-dir DIR --write"));
        }
        parts.version = additions.version(&parts.version);
        parts.columns = additions.columns;
        parts.registry.extend(additions.types, additions.untyped);
        parts.seen = additions.seen;
        Self::compile(parts)
    }

    fn compile(parts: Parts) -> Result<Self> {
        let Parts { version, columns, registry, derived, seen } = parts;
        let (mut tree, context, remainder) = plant(&columns)?;
        let derived =
            Compiler { columns: &columns, registry: &registry, tree: &mut tree, document: &derived.columns }
                .compile()?;
        prefix_free(&tree, &columns)?;
        let event_type = columns
            .iter()
            .find(|column| column.name == "event_type")
            .and_then(|column| column.pointer.as_deref())
            .and_then(|pointer| tree.insert(pointer));
        let schema = Arc::new(Schema::new(columns.iter().map(Column::field).collect::<Vec<_>>()));
        let by_name = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        let mut lineage = check::prefixes(&columns);
        let fingerprint = lineage.pop().unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            version,
            fingerprint,
            lineage,
            columns,
            seen,
            by_name,
            tree,
            context,
            remainder,
            registry,
            event_type,
            derived,
            schema,
        })))
    }

    /// Version of the table: major, minor, patch; with a schema directory `+`, its revision and a digest of what it
    /// adds, as in `1.0.0+2.0f9a3c11`.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Lower-case hex SHA-256 of the frozen column list without descriptions.
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The fingerprints of the list's proper beginnings: a table with one of them is continued by this one, since only
    /// columns were appended.
    pub fn lineage(&self) -> &[String] {
        &self.0.lineage
    }

    /// The schema directory's columns that were seen in events of this type, by name.
    pub fn seen_in(&self, event_type: &str) -> &[String] {
        self.0.seen.get(event_type).map_or(&[], Vec::as_slice)
    }

    /// Version and fingerprint as the log names them.
    pub fn identity(&self) -> model::SchemaRef {
        model::SchemaRef { version: self.version().to_owned(), fingerprint: self.fingerprint().to_owned() }
    }

    /// The columns, in the order of every file.
    pub fn columns(&self) -> &[Column] {
        &self.0.columns
    }

    /// Position of the column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.by_name.get(name).copied()
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns().get(self.position(name)?)
    }

    /// The Arrow schema: one field a column, all nullable, with field ids and descriptions as metadata.
    pub fn arrow_schema(&self) -> Arc<Schema> {
        Arc::clone(&self.0.schema)
    }

    /// The pointers as a tree.
    pub fn tree(&self) -> &Tree {
        &self.0.tree
    }

    /// Whether a column may be added for this pointer: no source column is there, around it or inside it.
    pub fn can_hold(&self, pointer: &str) -> bool {
        let inside = |one: &str, other: &str| {
            one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.columns().iter().filter(|column| column.kind == Kind::Source).all(|column| {
            column.pointer.as_deref().is_none_or(|known| !inside(pointer, known) && !inside(known, pointer))
        })
    }

    /// Node of the context in the tree.
    pub fn context_node(&self) -> NodeId {
        self.0.context.node
    }

    /// Position of the column that holds the context's text.
    pub fn context_column(&self) -> usize {
        self.0.context.column
    }

    /// Position of the column that holds the remainder.
    pub fn remainder_column(&self) -> usize {
        self.0.remainder
    }

    /// Node of the event type's code in the tree, if the table has such a column.
    pub fn event_type_node(&self) -> Option<NodeId> {
        self.0.event_type
    }

    /// What event types mean.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The rules of the derived columns, in the order of the columns.
    pub fn derived(&self) -> &[Derived] {
        &self.0.derived
    }
}

/// What a table is compiled from.
struct Parts {
    version: String,
    columns: Vec<Column>,
    registry: Registry,
    derived: DerivedDocument,
    seen: BTreeMap<String, Vec<String>>,
}

impl Parts {
    fn read(documents: Documents<'_>) -> Result<Self> {
        let lock: Lock = document::read("table.lock.json", documents.lock)?;
        let registry: RegistryDocument = document::read("registry.json", documents.registry)?;
        let derived: DerivedDocument = document::read("derived.json", documents.derived)?;
        for (name, version) in [("registry.json", &registry.version), ("derived.json", &derived.version)] {
            if *version != lock.version {
                return Err(Error::usage("the document's version is not the table's")
                    .at("document", name)
                    .at("version", version)
                    .at("table", &lock.version));
            }
        }
        let columns = check::columns(&lock, Origin::Builtin)?;
        let registry = compile_registry(registry)?;
        Ok(Self { version: lock.version, columns, registry, derived, seen: BTreeMap::new() })
    }
}

fn compile_registry(document: RegistryDocument) -> Result<Registry> {
    let wrong = |sentence: &str| Error::usage(sentence).at("document", "registry.json");
    let mut types: Vec<EventType> = Vec::with_capacity(document.types.len());
    for entry in document.types {
        if [&entry.name, &entry.category, &entry.action, &entry.target_type]
            .iter()
            .any(|text| text.is_empty())
        {
            return Err(wrong("a field of an event type is empty").at("event_type", entry.name));
        }
        if types.last().is_some_and(|before| before.name >= entry.name) {
            return Err(
                wrong("event types are not sorted by name, or one occurs twice").at("event_type", entry.name)
            );
        }
        let document::RegistryType { name, category, action, target_type, description } = entry;
        types.push(EventType { name, category, action, target_type, description });
    }
    Ok(Registry::new(types, document.unknown.category, document.unknown.action))
}

/// The tree of the columns' pointers, the context's place and the remainder's column.
fn plant(columns: &[Column]) -> Result<(Tree, Place, usize)> {
    let wrong = |sentence: &str| Error::usage(sentence).at("document", "table.lock.json");
    let mut tree = Tree::new();
    let (mut context, mut remainder) = (None, None);
    for (position, column) in columns.iter().enumerate() {
        let copy = column.kind == Kind::Copy;
        let Some(pointer) = &column.pointer else {
            if copy && remainder.replace(position).is_some() {
                return Err(wrong("two columns hold the remainder").at("column", &column.name));
            }
            continue;
        };
        if copy && pointer != CONTEXT {
            return Err(wrong("only the context's text is copied").at("column", &column.name));
        }
        let node = tree
            .insert(pointer)
            .ok_or_else(|| wrong("not a JSON Pointer of 1 to 8 segments").at("pointer", pointer))?;
        if let Some(place) = tree.node_mut(node) {
            place.column = Some(position);
        }
        if copy {
            context = Some(Place { node, column: position });
        }
    }
    let context = context.ok_or_else(|| wrong("no column holds the context's text"))?;
    let remainder = remainder.ok_or_else(|| wrong("no column holds the remainder"))?;
    Ok((tree, context, remainder))
}

/// No source column may lie inside another: both could not hold the value exactly.
fn prefix_free(tree: &Tree, columns: &[Column]) -> Result<()> {
    for node in tree.nodes() {
        let column = node.column.and_then(|position| columns.get(position));
        if let Some(column) = column.filter(|column| column.kind == Kind::Source && !node.children.is_empty())
        {
            return Err(Error::usage("a pointer lies inside another column's").at("column", &column.name));
        }
    }
    Ok(())
}
