//! The paths that a source text names, resolved as far as names alone allow.
//!
//! What lives here: reading `use` trees and paths out of code, and resolving `crate`, `self` and `super`.
//! What this file must not know: which module may import what.

/// A path as written, without generics: `["crate", "model", "Event"]`.
pub(crate) type Path = Vec<String>;

/// Every path of two or more segments and every `use`, braces multiplied out, with its line (from 1).
pub(crate) fn paths(code: &str) -> Vec<(usize, Path)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (line, word) = &tokens[at];
        if word == "use" {
            let end = tokens[at..].iter().position(|(_, word)| word == ";").map_or(tokens.len(), |n| at + n);
            let mut position = at + 1;
            use_tree(&tokens[..end], &mut position, &[], &mut found);
            at = end;
        } else if is_name(word) && tokens.get(at + 1).is_some_and(|(_, next)| next == "::") {
            let mut path = vec![word.clone()];
            let after_colons = at > 0 && tokens[at - 1].1 == "::";
            while tokens.get(at + 1).is_some_and(|(_, next)| next == "::")
                && tokens.get(at + 2).is_some_and(|(_, next)| is_name(next))
            {
                path.push(tokens[at + 2].1.clone());
                at += 2;
            }
            // What follows `<T>::` or `)::` is no path of its own; `::name` at the start of one is.
            let continues = after_colons && at >= path.len() * 2 && {
                let before = at + 1 - (path.len() * 2 - 1);
                before >= 2
                    && (is_name(&tokens[before - 2].1) || [">", ")"].contains(&tokens[before - 2].1.as_str()))
            };
            if path.len() > 1 && !continues {
                found.push((*line, path));
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

fn use_tree(tokens: &[(usize, String)], at: &mut usize, prefix: &[String], found: &mut Vec<(usize, Path)>) {
    let mut path = prefix.to_vec();
    let mut line = tokens.get(*at).map_or(0, |(line, _)| *line);
    while let Some((here, word)) = tokens.get(*at) {
        match word.as_str() {
            "::" => *at += 1,
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|(_, word)| word != "}") {
                    use_tree(tokens, at, &path, found);
                    if tokens.get(*at).is_some_and(|(_, word)| word == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => *at += 2,
            "," | "}" => break,
            _ => {
                line = *here;
                path.push(word.clone());
                *at += 1;
            }
        }
    }
    if path.len() > prefix.len() {
        found.push((line, path));
    }
}

fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (word, tail) = rest.split_at(length);
            if !first.is_whitespace() {
                found.push((number + 1, word.to_owned()));
            }
            rest = tail;
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Where in the crate a path leads, as segments below the crate's root; `None` if it starts outside.
///
/// `module` is the path of the module that holds it. An empty answer is the crate's root itself.
pub(crate) fn inside(path: &[String], module: &[String]) -> Option<Path> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" | "*" => {}
            "super" => _ = base.pop(),
            name => base.push(name.to_owned()),
        }
    }
    Some(base)
}

#[cfg(test)]
fn texts(code: &str) -> Vec<String> {
    paths(code).into_iter().map(|(_, path)| path.join("::")).collect()
}

#[test]
fn use_trees_are_multiplied_out() {
    assert_eq!(
        texts(
            "pub use crate::{model::{Event, Window as W}, error, self};\nuse std::env;\nuse ::parquet::x;\nuse tokio;"
        ),
        [
            "crate::model::Event",
            "crate::model::Window",
            "crate::error",
            "crate::self",
            "std::env",
            "parquet::x",
            "tokio"
        ]
    );
}

#[test]
fn paths_in_code_are_found_with_their_lines() {
    assert_eq!(
        paths("fn f() {\n  let x = Vec::<crate::model::Event>::new();\n  crate :: api :: g(::parquet::h(), a.b)\n}")
            .into_iter()
            .map(|(line, path)| (line, path.join("::")))
            .collect::<Vec<_>>(),
        [
            (2, "crate::model::Event".to_owned()),
            (3, "crate::api::g".to_owned()),
            (3, "parquet::h".to_owned())
        ]
    );
}

#[test]
fn relative_paths_are_resolved() {
    let module = ["settle".to_owned(), "walk".to_owned()];
    let resolve = |text: &str| {
        let path: Path = text.split("::").map(str::to_owned).collect();
        inside(&path, &module).map(|path| path.join("::"))
    };
    assert_eq!(resolve("super::super::store::Store").as_deref(), Some("store::Store"));
    assert_eq!(resolve("super::collect").as_deref(), Some("settle::collect"));
    assert_eq!(resolve("self::x").as_deref(), Some("settle::walk::x"));
    assert_eq!(resolve("super::super::*").as_deref(), Some(""));
    assert_eq!(resolve("crate::model").as_deref(), Some("model"));
    assert_eq!(resolve("reqwest::Client"), None);
}
