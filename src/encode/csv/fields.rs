//! The grammar of RFC 4180, read strictly: records end with CRLF, and `""` is not nothing.
//!
//! What this file must not know: columns, types.

use std::borrow::Cow;

/// Walks the fields of a text.
pub(super) struct Fields<'a> {
    rest: &'a str,
}

/// One field and whether it ends its record. `None` is nothing, which `""` is not.
pub(super) struct Field<'a> {
    pub(super) value: Option<Cow<'a, str>>,
    pub(super) last: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Whether all records are read.
    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field of the record.
    ///
    /// # Errors
    /// What is wrong with the text there.
    pub(super) fn next(&mut self) -> Result<Field<'a>, &'static str> {
        let (value, rest) = match self.rest.strip_prefix('"') {
            Some(inner) => {
                let (value, rest) = quoted(inner)?;
                (Some(value), rest)
            }
            None => {
                let end = self.rest.find([',', '"', '\r', '\n']).ok_or("the last line has no end")?;
                let (value, rest) = self.rest.split_at(end);
                ((!value.is_empty()).then_some(Cow::Borrowed(value)), rest)
            }
        };
        let (last, rest) = if let Some(rest) = rest.strip_prefix(',') {
            (false, rest)
        } else if let Some(rest) = rest.strip_prefix(super::LINE_END) {
            (true, rest)
        } else {
            return Err("a field is followed by neither a comma nor CRLF");
        };
        self.rest = rest;
        Ok(Field { value, last })
    }
}

/// The value up to the closing quote, and what follows it.
fn quoted(inner: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut value = Cow::Borrowed("");
    let mut rest = inner;
    loop {
        let (part, tail) = rest.split_once('"').ok_or("a quote is not closed")?;
        if value.is_empty() {
            value = Cow::Borrowed(part);
        } else {
            value.to_mut().push_str(part);
        }
        match tail.strip_prefix('"') {
            Some(tail) => {
                value.to_mut().push('"');
                rest = tail;
            }
            None => return Ok((value, tail)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Vec<Option<String>>>, &'static str> {
        let mut fields = Fields::new(text);
        let mut records = Vec::new();
        while !fields.at_end() {
            let mut record = Vec::new();
            loop {
                let field = fields.next()?;
                record.push(field.value.map(Cow::into_owned));
                if field.last {
                    break;
                }
            }
            records.push(record);
        }
        Ok(records)
    }

    #[test]
    fn nothing_and_the_empty_text_stay_apart() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            all("a,,\"\"\r\n\"\"\"\",\"x\r\n,\"\"y\",\r\n\r\n").unwrap(),
            [vec![some("a"), None, some("")], vec![some("\""), some("x\r\n,\"y"), None], vec![None],]
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["a", "a\n", "a\r", "a,b", "\"a", "\"a\"\"", "\"a\"b\r\n", "a\"b\r\n", "a\rb\r\n", "\"a\" \r\n"]
        {
            assert!(all(text).is_err(), "{text:?}");
        }
    }
}
