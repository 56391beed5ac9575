//! The JSON Pointers of the table as a tree, so that one pass over an event finds every value.
//!
//! What lives here: [`Tree`], its nodes, and the syntax of pointers (RFC 6901). What this file must not know: what
//! is done with the values found.

use std::borrow::Cow;

/// Most segments of a pointer; bounds recursion over the tree.
pub const MAX_SEGMENTS: usize = 8;

/// Position of a node in [`Tree::nodes`].
pub type NodeId = usize;

/// One place in an event that the table knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its members by name, in the order in which the table names them.
    pub children: Vec<(String, NodeId)>,
    /// Position of the column that holds the value here; a derived rule may look at a place without one.
    pub column: Option<usize>,
    /// Whether it is the context or lies inside it, where another column keeps the whole text.
    pub in_context: bool,
}

impl Node {
    /// The child of this name. `hint` is where to look first; it is moved behind the child found, since members
    /// mostly come in the same order.
    pub fn child(&self, name: &str, hint: &mut usize) -> Option<NodeId> {
        let (before, from) = self.children.split_at_checked(*hint).unwrap_or((&[], &self.children));
        let start = before.len();
        for (position, (known, node)) in
            from.iter().enumerate().map(|(at, child)| (at + start, child)).chain(before.iter().enumerate())
        {
            if known == name {
                *hint = position + 1;
                return Some(*node);
            }
        }
        None
    }
}

/// The tree. Node 0 is the event itself; a parent always stands before its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// The node of the event itself.
    pub const ROOT: NodeId = 0;

    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// All nodes, parents first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at this position.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The node of this pointer, made if it is new. `None` if the pointer is not one, is empty or has too many
    /// segments.
    pub(super) fn insert(&mut self, pointer: &str) -> Option<NodeId> {
        let segments = pointer.strip_prefix('/')?;
        if segments.split('/').count() > MAX_SEGMENTS {
            return None;
        }
        let in_context = segments.split('/').next() == Some("context");
        let mut at = Self::ROOT;
        for segment in segments.split('/') {
            let name = decode_segment(segment)?;
            let next = self.nodes.len();
            let node = self.nodes.get_mut(at)?;
            at = match node.child(&name, &mut 0) {
                Some(known) => known,
                None => {
                    node.children.push((name.into_owned(), next));
                    self.nodes.push(Node { in_context, ..Node::default() });
                    next
                }
            };
        }
        Some(at)
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }
}

/// The name that a pointer's segment stands for; `None` for a `~` that is not `~0` or `~1`.
pub(super) fn decode_segment(segment: &str) -> Option<Cow<'_, str>> {
    let mut parts = segment.split('~');
    let first = parts.next()?;
    let mut decoded = Cow::Borrowed(first);
    for part in parts {
        let (letter, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        let text = decoded.to_mut();
        text.push(letter);
        text.push_str(rest);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_decode_by_rfc_6901() {
        for (segment, name) in
            [("", ""), ("a", "a"), ("a~1b", "a/b"), ("m~0n", "m~n"), ("~01", "~1"), ("~1", "/")]
        {
            assert_eq!(decode_segment(segment).as_deref(), Some(name), "{segment}");
        }
        for segment in ["~", "a~", "~2", "~a0"] {
            assert_eq!(decode_segment(segment), None, "{segment}");
        }
    }

    #[test]
    fn a_child_is_found_wherever_the_hint_points() {
        let mut tree = Tree::new();
        let ids: Vec<_> = ["/a", "/b", "/c"].iter().map(|pointer| tree.insert(pointer).unwrap()).collect();
        let root = tree.node(Tree::ROOT).unwrap();
        for start in 0..5 {
            for (name, id) in ["a", "b", "c"].iter().zip(&ids) {
                let mut hint = start;
                assert_eq!(root.child(name, &mut hint), Some(*id));
            }
            assert_eq!(root.child("d", &mut { start }), None);
        }
    }

    #[test]
    fn pointers_share_their_beginnings_and_are_checked() {
        let mut tree = Tree::new();
        let deep = tree.insert("/a/b").unwrap();
        assert_eq!(tree.insert("/a/b"), Some(deep));
        assert_eq!(tree.nodes().len(), 3);
        for pointer in ["", "a", "/a/~", "/1/2/3/4/5/6/7/8/9"] {
            assert_eq!(tree.insert(pointer), None, "{pointer}");
        }
    }
}
