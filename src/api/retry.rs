//! What is done about a failed attempt.
//!
//! What lives here: the one decision, exhaustive over causes and statuses. What this file must not know: how long
//! one waits and what has been spent.

use std::time::Duration;

use super::failure::Cause;
use super::trust::Distrust;
use crate::error::Kind;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Repeat after a backoff (and no sooner than asked for); when attempts run out, fail with this kind.
    Repeat {
        /// The kind of the final error.
        last: Kind,
        /// The wait that the answer asked for, if any.
        asked: Option<Duration>,
    },
    /// Hold everybody back for the time asked for, then repeat, for as long as the budget of waiting lasts.
    Throttled {
        /// The wait that the answer asked for, if it was readable.
        asked: Option<Duration>,
    },
    /// Repeat once to confirm; the second time the credentials are refused.
    Confirm,
    /// Fail now.
    Stop(Kind),
}

/// A `GET` or `OPTIONS` may be repeated whatever happened; the question is whether it helps.
pub(super) fn decide(cause: &Cause) -> Verdict {
    match cause {
        Cause::Transport(_) | Cause::Timeout { .. } => {
            Verdict::Repeat { last: Kind::Unavailable, asked: None }
        }
        // One of several servers may have a bad one; what is trusted here does not change by waiting.
        Cause::Untrusted(_, Distrust::Authority) => Verdict::Stop(Kind::Unavailable),
        Cause::Untrusted(_, Distrust::Time | Distrust::Name | Distrust::Other) => {
            Verdict::Repeat { last: Kind::Unavailable, asked: None }
        }
        Cause::Malformed(_) => Verdict::Repeat { last: Kind::Malformed, asked: None },
        // The same question has the same size again; a decompression bomb must not be asked for eight times.
        Cause::TooLarge(_) => Verdict::Stop(Kind::Malformed),
        Cause::Answer(answer) => {
            status(answer.status.as_u16(), answer.problem.is_throttling(), answer.retry_after)
        }
    }
}

fn status(code: u16, says_throttling: bool, asked: Option<Duration>) -> Verdict {
    match code {
        429 => Verdict::Throttled { asked },
        403 if says_throttling => Verdict::Throttled { asked },
        401 | 403 => Verdict::Confirm,
        408 | 425 => Verdict::Repeat { last: Kind::Unavailable, asked: None },
        300..=499 => Verdict::Stop(Kind::Refused),
        500..=599 => Verdict::Repeat { last: Kind::Unavailable, asked },
        // A success without content or in part, or a number that is no status: not the documented reply.
        _ => Verdict::Repeat { last: Kind::Malformed, asked: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_verdict() {
        let unavailable = Verdict::Repeat { last: Kind::Unavailable, asked: None };
        let malformed = Verdict::Repeat { last: Kind::Malformed, asked: None };
        for code in 100..1000 {
            let wanted = match code {
                429 => Verdict::Throttled { asked: None },
                401 | 403 => Verdict::Confirm,
                408 | 425 => unavailable,
                100..=299 | 600.. => malformed,
                500..=599 => unavailable,
                _ => Verdict::Stop(Kind::Refused),
            };
            assert_eq!(status(code, false, None), wanted, "{code}");
        }
    }

    #[test]
    fn only_a_403_can_be_throttling_by_its_words() {
        let asked = Some(Duration::from_secs(7));
        assert_eq!(status(403, true, asked), Verdict::Throttled { asked });
        assert_eq!(status(401, true, asked), Verdict::Confirm);
        assert_eq!(status(400, true, asked), Verdict::Stop(Kind::Refused));
        assert_eq!(status(503, true, asked), Verdict::Repeat { last: Kind::Unavailable, asked });
    }
}
