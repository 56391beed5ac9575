//! What a run's spans say.
//!
//! What lives here: [`Spans`], which makes a tree of what the run tells and asks: the run, in it the ranges that are settled, in
//! them their requests; beside them what is written and committed. Attributes are times, counts, names of this
//! program's own and the destination; never a query's text, a header or a reply. What this file must not know: where spans go.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::SdkTracer;
use vonage_audit::Error;
use vonage_audit::model::{Query, Window};
use vonage_audit::pipeline::Progress;

use super::collector::Tally;
use super::{About, Asked};
use crate::summary::Run;

/// One run's spans, or none.
pub(crate) struct Spans(Option<Tree>);

struct Tree {
    tracer: SdkTracer,
    tally: Arc<Tally>,
    run: Context,
    /// Where the API is: host, and path of its base.
    host: String,
    path: String,
    open: Mutex<Open>,
}

/// What has begun.
#[derive(Default)]
struct Open {
    recounting: Option<Context>,
    settling: Vec<(Window, Context)>,
    publishing: Option<Context>,
    committing: Option<Context>,
}

fn pair(key: &'static str, value: impl Into<Value>) -> KeyValue {
    KeyValue::new(key, value)
}

fn number(key: &'static str, value: impl TryInto<i64>) -> KeyValue {
    KeyValue::new(key, value.try_into().unwrap_or(i64::MAX))
}

fn bounds(range: Window) -> [KeyValue; 2] {
    [pair("vonage_audit.from", range.from.to_string()), pair("vonage_audit.to", range.to.to_string())]
}

impl Spans {
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn begin(tracer: SdkTracer, tally: Arc<Tally>, about: About<'_>) -> Self {
        let base = reqwest::Url::parse(about.base).ok();
        let host = base.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default().to_owned();
        let path = base.as_ref().map_or("", reqwest::Url::path).trim_end_matches('/').to_owned();
        let mut tree = Tree { tracer, tally, run: Context::new(), host, path, open: Mutex::default() };
        let attributes = vec![
            pair("vonage_audit.account", about.account.to_owned()),
            pair("vonage_audit.dest", about.dest.to_owned()),
        ];
        tree.run = tree.start("export", SpanKind::Internal, &Context::new(), attributes);
        Self(Some(tree))
    }

    /// Takes what the run tells.
    pub(crate) fn tell(&self, progress: Progress) {
        if let Some(tree) = &self.0 {
            tree.tell(progress);
        }
    }

    /// A question to the API begins.
    pub(crate) fn ask(&self, asked: Asked<'_>) -> Question {
        Question(self.0.as_ref().map(|tree| tree.ask(asked)))
    }

    /// The figures of the run, as its summary has them.
    pub(crate) fn figures(&self, run: &Run<'_>) {
        let Some(tree) = &self.0 else { return };
        let Run { report, usage, .. } = run;
        let span = tree.run.span();
        span.set_attributes(bounds(report.range));
        span.set_attributes([
            number("vonage_audit.windows", report.windows),
            number("vonage_audit.unchanged", report.unchanged),
            number("vonage_audit.unproven", report.unproven.len()),
            number("vonage_audit.events", report.events),
            number("vonage_audit.rows", report.rows),
            number("vonage_audit.files", report.files),
            number("vonage_audit.bytes", report.bytes),
            number("vonage_audit.requests", usage.requests),
            number("vonage_audit.requests_repeated", usage.retries),
            number("vonage_audit.requests_throttled", usage.throttled),
        ]);
        if let Some(head) = &report.head {
            span.set_attribute(number("vonage_audit.head", head.number));
        }
    }

    /// The run is over, with this exit code or with an error before it could begin.
    pub(crate) fn end(self, outcome: Result<&u8, &Error>) {
        let Some(tree) = self.0 else { return };
        let Open { recounting, settling, publishing, committing } = std::mem::take(&mut *tree.open());
        let inner = settling.into_iter().map(|(_, context)| context);
        for context in committing.into_iter().chain(publishing).chain(recounting).chain(inner) {
            called_off(&context);
        }
        let code = outcome.map_or_else(|error| error.kind().exit_code(), |code| *code);
        let span = tree.run.span();
        span.set_attribute(number("vonage_audit.exit_code", code));
        if let Err(error) = outcome {
            span.set_attribute(pair("error.type", error.kind().name()));
        }
        // As the exit codes say: these three are done and proven.
        if !matches!(code, 0 | 10 | 11) {
            span.set_status(Status::error(format!("exit code {code}")));
        }
        span.end();
    }
}

/// The run ended before this did.
fn called_off(context: &Context) {
    let span = context.span();
    span.set_attribute(pair("vonage_audit.called_off", true));
    span.end();
}

fn end(context: Option<Context>) {
    if let Some(context) = context {
        context.span().end();
    }
}

impl Tree {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(
        &self,
        name: &'static str,
        kind: SpanKind,
        parent: &Context,
        attributes: Vec<KeyValue>,
    ) -> Context {
        let builder = self.tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        let span = self.tracer.build_with_context(builder, parent);
        if span.span_context().is_sampled() {
            self.tally.made.fetch_add(1, Ordering::Relaxed);
        }
        Context::new().with_span(span)
    }

    fn inner(&self, name: &'static str, attributes: impl IntoIterator<Item = KeyValue>) -> Context {
        self.start(name, SpanKind::Internal, &self.run, attributes.into_iter().collect())
    }

    fn tell(&self, progress: Progress) {
        let mut open = self.open();
        match progress {
            Progress::Recounting { windows: 0 } | Progress::Committed { .. } => {}
            Progress::Recounting { windows } => {
                open.recounting = Some(self.inner("recount", [number("vonage_audit.windows", windows)]));
            }
            Progress::Planned { windows } => {
                end(open.recounting.take());
                self.run.span().add_event("planned", vec![number("vonage_audit.windows", windows)]);
            }
            Progress::Settling { range } => {
                let context = self.inner("settle", bounds(range));
                open.settling.push((range, context));
            }
            Progress::Settled { range, events, level } => {
                if let Some(context) = open.settled(range) {
                    let span = context.span();
                    span.set_attribute(number("vonage_audit.events", events));
                    span.set_attribute(pair("vonage_audit.level", level.name()));
                    span.end();
                }
            }
            Progress::Unsettled { range, kind } => {
                if let Some(context) = open.settled(range) {
                    failed(&context, kind.name());
                    context.span().end();
                }
            }
            Progress::Publishing { range } => {
                open.publishing = Some(self.inner("publish", bounds(range)));
            }
            Progress::Committing { windows } => {
                let attributes = vec![number("vonage_audit.windows", windows)];
                let parent = open.publishing.as_ref().unwrap_or(&self.run);
                let context = self.start("commit", SpanKind::Internal, parent, attributes);
                open.committing = Some(context);
            }
            Progress::Logged { head } => {
                if let (Some(context), Some(head)) = (&open.committing, head) {
                    context.span().set_attribute(number("vonage_audit.head", head));
                }
                end(open.committing.take());
            }
            Progress::Published { .. } => end(open.publishing.take()),
            Progress::Unproven { window } => {
                self.run.span().add_event("unproven", bounds(window).to_vec());
            }
        }
    }

    fn ask(&self, asked: Asked<'_>) -> Context {
        let mut attributes = vec![
            pair("server.address", self.host.clone()),
            pair("url.path", format!("{}/events", self.path)),
        ];
        let (name, method, parent) = match asked {
            Asked::Types => ("OPTIONS /events", "OPTIONS", self.run.clone()),
            Asked::Page { query, number: page, size } => {
                attributes.push(number("vonage_audit.page", page));
                attributes.push(number("vonage_audit.page_size", size));
                let sent = [("vonage_audit.from", query.from), ("vonage_audit.to", query.to)];
                attributes.extend(sent.into_iter().filter_map(|(key, at)| Some(pair(key, at?.to_string()))));
                ("GET /events", "GET", self.open().parent(query).unwrap_or(&self.run).clone())
            }
        };
        attributes.push(pair("http.request.method", method));
        self.start(name, SpanKind::Client, &parent, attributes)
    }
}

/// Seconds that no account's events span: fifty years.
const LIFETIME: i64 = 50 * 366 * 86_400;

impl Open {
    /// What a question is asked for. Each is a range, or a part of one, widened by as much on both sides; so its middle lies
    /// within that range, and ranges that are settled at once do not overlap.
    fn parent(&self, query: &Query) -> Option<&Context> {
        let (from, to) = (query.from?.seconds(), query.to?.seconds());
        // The counts for events without a date ask for a century, beside whatever else is asked.
        if to - from > LIFETIME {
            return None;
        }
        let middle = from + (to - from) / 2;
        let holds = |range: &Window| range.from.seconds() <= middle && middle < range.to.seconds();
        let settling = self.settling.iter().find(|(range, _)| holds(range)).map(|(_, context)| context);
        settling.or(self.recounting.as_ref())
    }

    fn settled(&mut self, range: Window) -> Option<Context> {
        let position = self.settling.iter().position(|(known, _)| *known == range)?;
        Some(self.settling.swap_remove(position).1)
    }
}

fn failed(context: &Context, kind: &'static str) {
    let span = context.span();
    span.set_attribute(pair("error.type", kind));
    span.set_status(Status::error(kind));
}

/// One question's span, its repetitions included. Called off if it is dropped without an answer.
pub(crate) struct Question(Option<Context>);

impl Question {
    /// What came of it: how many values after how many attempts, or why none.
    pub(crate) fn answered(mut self, outcome: Result<(usize, u32), &Error>) {
        let Some(context) = self.0.take() else { return };
        let span = context.span();
        match outcome {
            Ok((values, attempts)) => {
                if attempts > 1 {
                    span.set_attribute(number("http.request.resend_count", attempts - 1));
                }
                // Nothing else is taken for an answer.
                span.set_attribute(number("http.response.status_code", 200));
                span.set_attribute(number("vonage_audit.values", values));
            }
            Err(error) => {
                let said = |wanted: &str| {
                    let (_, value) = error.context().iter().find(|(name, _)| *name == wanted)?;
                    value.parse::<i64>().ok()
                };
                if let Some(status) = said("status") {
                    span.set_attribute(number("http.response.status_code", status));
                }
                if let Some(attempts) = said("attempts") {
                    span.set_attribute(number("http.request.resend_count", attempts - 1));
                }
                failed(&context, error.kind().name());
            }
        }
        span.end();
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(context) = self.0.take() {
            called_off(&context);
        }
    }
}
