//! Where a dataset lies in an object store.
//!
//! What lives here: [`Location`], read from `s3://bucket/prefix` and its like. What this file must not know: how a
//! provider is reached.

use std::fmt;

use crate::error::{Error, Result};
use crate::store::ObjectPath;

/// Who keeps the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3, and what speaks its language.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Provider {
    const ALL: [Self; 3] = [Self::S3, Self::Google, Self::Azure];

    /// The scheme of its URLs.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

/// A prefix in a bucket or container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub(super) provider: Provider,
    pub(super) bucket: String,
    pub(super) prefix: Option<ObjectPath>,
}

/// Schemes that people write, and what is meant.
const OTHERWISE: [(&str, &str); 9] = [
    ("s3a", "s3://bucket/prefix"),
    ("s3n", "s3://bucket/prefix"),
    ("gcs", "gs://bucket/prefix"),
    ("azure", "az://container/prefix, with AZURE_STORAGE_ACCOUNT_NAME"),
    ("abfs", "az://container/prefix, with AZURE_STORAGE_ACCOUNT_NAME"),
    ("abfss", "az://container/prefix, with AZURE_STORAGE_ACCOUNT_NAME"),
    ("wasbs", "az://container/prefix, with AZURE_STORAGE_ACCOUNT_NAME"),
    ("https", "s3://bucket/prefix, with AWS_ENDPOINT_URL for another server than Amazon's"),
    ("http", "s3://bucket/prefix, with AWS_ENDPOINT_URL and AWS_ALLOW_HTTP=true"),
];

impl Location {
    /// The location that a text names; `None` if the text is a path on this machine.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for another scheme, and for a URL that is not a bucket with a prefix. The text itself is not
    /// repeated: people put credentials into URLs.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let scheme = |end: usize| text.get(..end).unwrap_or_default().to_ascii_lowercase();
        let Some(colon) = text.find("://") else {
            // A slash too few would otherwise make a folder of that name on this machine.
            let almost = Provider::ALL.into_iter().find(|provider| {
                text.split_once(':').is_some_and(|(before, _)| before.eq_ignore_ascii_case(provider.scheme()))
            });
            return match almost {
                None => Ok(None),
                Some(provider) => Err(Error::usage("the destination is neither a path nor a URL").hint(
                    format!("write {}://bucket/prefix, or ./ before a folder's name", provider.scheme()),
                )),
            };
        };
        let scheme = scheme(colon);
        let Some(provider) = Provider::ALL.into_iter().find(|provider| provider.scheme() == scheme) else {
            return Err(unknown(&scheme));
        };
        let rest = text.get(colon + 3..).unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if bucket.is_empty() || bucket.len() > 222 || !bucket.bytes().all(letter) {
            return Err(Error::usage("the destination's URL does not begin with a bucket's name").hint(
                format!("write {scheme}://bucket/prefix; credentials come from the environment alone"),
            ));
        }
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { None } else { Some(checked(prefix)?) };
        Ok(Some(Self { provider, bucket: bucket.to_owned(), prefix }))
    }

    /// The full key of a path, or the prefix itself.
    pub(super) fn key(&self, path: Option<&ObjectPath>) -> String {
        match (&self.prefix, path) {
            (Some(prefix), Some(path)) => format!("{prefix}/{path}"),
            (Some(prefix), None) => prefix.to_string(),
            (None, Some(path)) => path.to_string(),
            (None, None) => String::new(),
        }
    }
}

fn checked(prefix: &str) -> Result<ObjectPath> {
    let plain = !prefix.contains(['?', '#', '@']);
    ObjectPath::new(prefix).ok().filter(|_| plain).ok_or_else(|| {
        Error::usage("the destination's prefix cannot be used").hint(
            "write segments of printable ASCII, not empty, not . or .., without ? # @ and \\; settings come from the \
             environment",
        )
    })
}

fn unknown(scheme: &str) -> Error {
    let error = Error::usage("the destination's scheme is not known").at("scheme", scheme.escape_debug());
    match OTHERWISE.iter().find(|(written, _)| *written == scheme) {
        Some((_, meant)) => error.hint(format!("write {meant}")),
        None if scheme == "file" => error.hint("write the path alone, without file://"),
        None => {
            error.hint("there are s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, and paths")
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}", self.provider.scheme(), self.bucket)?;
        match &self.prefix {
            Some(prefix) => write!(out, "/{prefix}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_locations_and_paths_are_not() {
        for (text, shown) in [
            ("s3://bucket/a/b=c", "s3://bucket/a/b=c"),
            ("S3://bucket/a/", "s3://bucket/a"),
            ("gs://bucket", "gs://bucket"),
            ("az://container/x y", "az://container/x y"),
        ] {
            assert_eq!(Location::parse(text).unwrap().unwrap().to_string(), shown);
        }
        for path in ["audit", "./s3:/x", "/data/audit", "C:\\audit", "a:b", ""] {
            assert_eq!(Location::parse(path).unwrap(), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_location_is_refused_without_repeating_it() {
        for text in [
            "s3://",
            "s3:///x",
            "s3:bucket/x",
            "s3:/bucket",
            "s3://AKIA:hunter2@bucket/x",
            "s3://b/x?secret=hunter2",
            "s3://b/../x",
            "s3://b/a//x",
            "s3://b/\u{e4}",
            "az://c/#x",
            "https://hunter2@x/y",
            "ftp://hunter2/x",
        ] {
            let error = Location::parse(text).unwrap_err();
            assert_eq!(error.kind(), crate::error::Kind::Usage, "{text}");
            assert!(error.hint_text().is_some(), "{text}");
            assert!(!format!("{error:?}{:?}", error.hint_text()).contains("hunter2"), "{error}");
        }
        let hint = |text| Location::parse(text).unwrap_err().hint_text().unwrap().to_owned();
        assert!(hint("s3a://b/x").contains("s3://bucket"));
        assert!(hint("file:///x").contains("without file://"));
    }

    #[test]
    fn keys_lie_below_the_prefix() {
        let path = ObjectPath::new("a/b").unwrap();
        let key = |text: &str, path| Location::parse(text).unwrap().unwrap().key(path);
        assert_eq!(key("s3://b/x/y", Some(&path)), "x/y/a/b");
        assert_eq!(key("s3://b", Some(&path)), "a/b");
        assert_eq!(key("s3://b/x", None), "x");
        assert_eq!(key("s3://b", None), "");
    }
}
