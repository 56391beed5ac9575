//! No spans: the program was built without them.
//!
//! What lives here: what stands in for them, which does nothing. What this file must not know: anything.

use vonage_audit::Error;
use vonage_audit::pipeline::Progress;

use super::{About, Asked};
use crate::environment::Environment;
use crate::summary::Run;
use crate::terminal::Terminal;

/// No collector.
#[derive(Default)]
pub(crate) struct Traces;

impl Traces {
    pub(crate) fn start(_: &Environment, _: &Terminal) -> Self {
        Self
    }

    pub(crate) fn begin(&self, _: About<'_>) -> Spans {
        Spans
    }

    #[expect(clippy::unused_async, reason = "with the feature, the rest is sent meanwhile")]
    pub(crate) async fn end(self, _: &Terminal) {}
}

/// No spans.
pub(crate) struct Spans;

impl Spans {
    pub(crate) fn tell(&self, _: Progress) {}

    pub(crate) fn ask(&self, _: Asked<'_>) -> Question {
        Question
    }

    pub(crate) fn figures(&self, _: &Run<'_>) {}

    pub(crate) fn end(self, _: Result<&u8, &Error>) {}
}

/// No span.
pub(crate) struct Question;

impl Question {
    pub(crate) fn answered(self, _: Result<(usize, u32), &Error>) {}
}
