//! What the body of an error answer says.
//!
//! What lives here: the two published families of error bodies, read leniently: never is it assumed that an error
//! is JSON. What this file must not know: which status came with it, and what is done about it.
//!
//! Documented: `{"status","error","message"}` (service) and `{"type","title","detail","instance"}` (gateway), the
//! latter with `retry_after` when throttled. 5xx answers may be HTML or empty.

use std::time::Duration;

use super::retry_after;
use crate::model::json::{Kind, Value};

/// The telling parts of an error body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Problem {
    /// Title, detail, message and the like, or the whole body when it is not an object; lower case.
    words: String,
    /// The wait that the body asks for.
    pub(super) retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let Some(object) = Value::parse(&text).ok().filter(|value| value.kind() == Kind::Object) else {
            return Self { words: text.to_lowercase(), retry_after: None };
        };
        let mut problem = Self::default();
        for (key, value) in object.members() {
            let text = value.as_text().and_then(|text| text.decode());
            if ["type", "title", "detail", "error", "error_title", "message"].iter().any(|name| key.is(name))
            {
                problem.words.push_str(&text.as_deref().unwrap_or("").to_lowercase());
                problem.words.push('\n');
            } else if key.is("retry_after") {
                let lexeme = if value.kind() == Kind::Number { Some(value.text()) } else { text.as_deref() };
                problem.retry_after = lexeme.and_then(|lexeme| retry_after::read(lexeme, None));
            }
        }
        problem
    }

    /// Whether it says "too many requests": other Vonage APIs throttle with 403 (documented).
    pub(super) fn is_throttling(&self) -> bool {
        self.words.contains("too many requests")
            || self.words.contains("throttl")
            || self.words.contains("ratelimit")
            || self.words.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "rate")
    }

    /// Whether it says that the account has no balance: the gateway answers 401 for that too (documented).
    pub(super) fn is_quota(&self) -> bool {
        self.words.contains("quota exceeded")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tells_throttling_and_quota_from_the_rest() {
        for (body, throttling, quota) in [
            (r#"{"title":"Too many requests","retry_after":30}"#, true, false),
            (r#"{"title":"Forbidden","detail":"Request was THROTTLED"}"#, true, false),
            (r#"{"error":"Rate Limit exceeded"}"#, true, false),
            (r#"{"message":"rate_limit"}"#, true, false),
            ("<html>Too Many Requests</html>", true, false),
            (r#"{"title":"Quota Exceeded","detail":"no balance"}"#, false, true),
            (r#"{"title":"Unauthorized"}"#, false, false),
            (r#"{"title":"Forbidden","detail":"this operation of your corporate account"}"#, false, false),
            (r#"{"instance":"too many requests"}"#, false, false),
            ("", false, false),
            ("[]", false, false),
            ("\u{feff}{", false, false),
        ] {
            let problem = Problem::read(body.as_bytes());
            assert_eq!((problem.is_throttling(), problem.is_quota()), (throttling, quota), "{body}");
        }
    }

    #[test]
    fn reads_the_wait_as_number_or_text() {
        for (value, seconds) in [
            ("30", Some(30)),
            ("\"30\"", Some(30)),
            ("2.5", Some(3)),
            ("1e400", None),
            ("-1", None),
            ("null", None),
            ("[30]", None),
            ("99999999999999999999", Some(300)),
        ] {
            let body = format!("{{\"retry_after\":{value}}}");
            let wait = Problem::read(body.as_bytes()).retry_after;
            assert_eq!(wait, seconds.map(Duration::from_secs), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_body_can_be_read(body in any::<Vec<u8>>()) {
            let problem = Problem::read(&body);
            prop_assert!(problem.retry_after.is_none_or(|wait| wait <= retry_after::LONGEST));
        }
    }
}
