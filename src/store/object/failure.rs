//! What went wrong at an object store, in words that hold no secret.
//!
//! What lives here: [`explain`], from what the exchange saw to the crate's error with a hint; which refusals mean that
//! a setting is wrong, and which that credentials have expired. What this file must not know: what was stored.

use super::location::Location;
use super::settings::StorageOptions;
use super::wire::Seen;
use crate::error::{Error, Kind};

/// What a refusal asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The object is not there.
    Absent,
    /// Something is there already.
    Exists,
    /// Another request was in the way: nothing is known.
    Conflict,
    /// The credentials have expired.
    Expired,
    /// A setting is wrong: bucket, region, credentials, permissions.
    Setting,
    /// Anything else.
    Other,
}

/// Reads a refusal.
pub(super) fn meaning(seen: &Seen) -> Meaning {
    let Seen::Answer { status, code, .. } = seen else { return Meaning::Other };
    match (status, code.as_deref()) {
        (404, Some("NoSuchKey" | "BlobNotFound" | "NoSuchVersion")) => Meaning::Absent,
        (304 | 412, _) | (409, Some("BlobAlreadyExists")) => Meaning::Exists,
        (409, _) => Meaning::Conflict,
        (
            _,
            Some(
                "ExpiredToken"
                | "ExpiredTokenException"
                | "TokenRefreshRequired"
                | "InvalidAuthenticationInfo",
            ),
        ) => Meaning::Expired,
        (400 | 403, Some("RequestTimeTooSkewed" | "RequestExpired")) => Meaning::Expired,
        (301 | 302 | 307 | 308 | 401 | 403, _) => Meaning::Setting,
        (404, Some("NoSuchBucket" | "ContainerNotFound" | "AccountNotFound")) => Meaning::Setting,
        (
            400,
            Some(
                "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
                | "InvalidBucketName"
                | "InvalidRequest"
                | "InvalidArgument"
                | "InvalidToken"
                | "KMS.NotFoundException",
            ),
        ) => Meaning::Setting,
        _ => Meaning::Other,
    }
}

/// The error of an operation. Kind storage: the caller decides whether that is a usage error.
pub(super) fn explain(
    what: &'static str,
    location: &Location,
    path: Option<&str>,
    seen: &Seen,
    options: &StorageOptions,
) -> Error {
    let mut error = Error::new(Kind::Storage, what).at("destination", location);
    if let Some(path) = path {
        error = error.at("path", path);
    }
    match seen {
        Seen::Nothing => error.at("why", "the answer was cut short or was not an object store's"),
        Seen::Broken { what, detail } => {
            error = error.at("why", what);
            if let Some(detail) = detail {
                error = error.at("cause", detail);
            }
            error.hint("check the endpoint and the network")
        }
        Seen::Answer { status, code, message, region } => {
            error = error.at("status", status);
            if let Some(code) = code {
                error = error.at("code", code);
            }
            if let Some(message) = message.as_ref().filter(|text| !options.gives_away(text)) {
                error = error.at("said", message.escape_debug());
            }
            if let Some(region) = region {
                error = error.at("region", region);
            }
            match hint(*status, code.as_deref()) {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
    }
}

fn hint(status: u16, code: Option<&str>) -> Option<&'static str> {
    Some(match (status, code) {
        (_, Some("NoSuchBucket" | "ContainerNotFound")) => {
            "make the bucket or container first, or correct its name"
        }
        (
            _,
            Some(
                "ExpiredToken"
                | "ExpiredTokenException"
                | "TokenRefreshRequired"
                | "InvalidAuthenticationInfo",
            ),
        ) => {
            "the storage credentials (not those of the API) have expired: renew them and run again; what is committed \
             stays"
        }
        (_, Some("RequestTimeTooSkewed" | "RequestExpired")) => "set this machine's clock",
        (_, Some("SignatureDoesNotMatch" | "InvalidAccessKeyId" | "AuthenticationFailed")) => {
            "the storage credentials (not those of the API) are wrong"
        }
        (301 | 307 | 308, _)
        | (400, Some("AuthorizationHeaderMalformed" | "IllegalLocationConstraintException")) => {
            "set AWS_REGION to the bucket's region; redirects are never followed"
        }
        (403, _) => {
            "the storage credentials (not those of the API) need s3:PutObject, s3:GetObject and s3:ListBucket or their \
             like; without listing, an absent object looks forbidden"
        }
        (401, _) => "the storage credentials (not those of the API) are missing or wrong",
        (404, None) => "check the endpoint: this is not an object store's answer",
        (429 | 503, _) => "the store is overloaded: run again later",
        (500..=599, _) => "the store fails: run again later",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn answer(status: u16, code: &str) -> Seen {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Seen::Answer { status, code, message: Some("it holds canary-7f3e9a".to_owned()), region: None }
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, code, expected) in [
            (404, "NoSuchKey", Meaning::Absent),
            (404, "NoSuchBucket", Meaning::Setting),
            (404, "", Meaning::Other),
            (412, "PreconditionFailed", Meaning::Exists),
            (409, "BlobAlreadyExists", Meaning::Exists),
            (409, "ConditionalRequestConflict", Meaning::Conflict),
            (403, "ExpiredToken", Meaning::Expired),
            (400, "ExpiredToken", Meaning::Expired),
            (403, "AccessDenied", Meaning::Setting),
            (301, "PermanentRedirect", Meaning::Setting),
            (500, "InternalError", Meaning::Other),
            (503, "SlowDown", Meaning::Other),
        ] {
            assert_eq!(meaning(&answer(status, code)), expected, "{status} {code}");
        }
        assert_eq!(meaning(&Seen::Nothing), Meaning::Other);
    }

    #[test]
    fn what_a_server_repeats_of_a_secret_is_left_out() {
        let options = StorageOptions::new([(
            "AWS_SECRET_ACCESS_KEY".to_owned(),
            Secret::new("canary-7f3e9a".to_owned()),
        )]);
        let location = Location::parse("s3://b/x").unwrap().unwrap();
        let error = explain("cannot write", &location, Some("a"), &answer(403, "AccessDenied"), &options);
        assert_eq!(
            error.to_string(),
            "cannot write (destination s3://b/x, path a, status 403, code AccessDenied)"
        );
        assert!(error.hint_text().unwrap().contains("not those of the API"));
    }
}
