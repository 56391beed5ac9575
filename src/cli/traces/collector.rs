//! Where spans go: an OpenTelemetry collector, by OTLP over HTTP.
//!
//! What lives here: [`Traces`]: whether the environment names a collector, the way there, and what is lost on it. Spans wait in
//! a bounded queue and leave on a thread of their own, so that a collector that is slow or away costs the run nothing but, at its
//! end, [`LAST_WAIT`]. What this file must not know: what a span says.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};
use tokio::runtime::Handle;

use super::About;
use super::spans::Spans;
use crate::environment::Environment;
use crate::terminal::Terminal;

/// How long the program's end may wait for the collector.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How long a connection to the collector may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one delivery may take, where the environment says nothing; as OpenTelemetry has it.
const DELIVERY: Duration = Duration::from_secs(10);

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const PROTOCOL: &str = "http/protobuf";
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];

/// The way of a command's spans, if there is one.
#[derive(Default)]
pub(crate) struct Traces(Option<Collector>);

struct Collector {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    tally: Arc<Tally>,
}

/// What was made and what arrived.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) made: AtomicU64,
    delivered: AtomicU64,
    /// The program ends: nothing is sent any more.
    over: AtomicBool,
}

impl Traces {
    /// Looks for a collector in the environment. One that cannot be used is said and costs the spans, never the run.
    pub(crate) fn start(environment: &Environment, terminal: &Terminal) -> Self {
        let either = |names: [&str; 2]| names.iter().find_map(|name| environment.setting(name));
        let off = |name: &str, word: &str| {
            environment.setting(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
        };
        if either(ENDPOINTS).is_none()
            || off("OTEL_SDK_DISABLED", "true")
            || off("OTEL_TRACES_EXPORTER", "none")
        {
            return Self(None);
        }
        let collector = match either(PROTOCOLS) {
            Some(other) if other.trim() != PROTOCOL => {
                Err("only the protocol http/protobuf is spoken".to_owned())
            }
            _ => Collector::new(environment, delivery(either(TIMEOUTS))),
        };
        Self(
            collector
                .inspect_err(|why| {
                    terminal.note(format!(
                        "warning: no traces are sent: {why} (see the variables OTEL_EXPORTER_OTLP_…)"
                    ));
                })
                .ok(),
        )
    }

    /// The spans of one account's run.
    pub(crate) fn begin(&self, about: About<'_>) -> Spans {
        match &self.0 {
            None => Spans::none(),
            Some(Collector { tracer, tally, .. }) => Spans::begin(tracer.clone(), Arc::clone(tally), about),
        }
    }

    /// Sends what is left, for [`LAST_WAIT`] at most, and says what was lost.
    pub(crate) async fn end(self, terminal: &Terminal) {
        let Some(Collector { provider, tally, .. }) = self.0 else { return };
        // What went wrong shows in what is missing.
        let _ = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_WAIT)).await;
        tally.over.store(true, Ordering::Relaxed);
        let made = tally.made.load(Ordering::Relaxed);
        let lost = made.saturating_sub(tally.delivered.load(Ordering::Relaxed));
        if lost > 0 {
            terminal.note(format!(
                "warning: {lost} of {made} spans did not reach the OpenTelemetry collector; the data is not concerned"
            ));
        }
    }
}

fn delivery(text: Option<String>) -> Duration {
    text.and_then(|text| text.trim().parse().ok()).map_or(DELIVERY, Duration::from_millis)
}

impl Collector {
    /// The environment's endpoint may hold a password: no error of the libraries is passed on.
    fn new(environment: &Environment, delivery: Duration) -> Result<Self, String> {
        // Building panics in the HTTP library when no provider is installed; somebody may have installed one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(
            clippy::disallowed_methods,
            reason = "the collector is not the API: its limits are others, and it has its proxy"
        )]
        let client = reqwest::Client::builder()
            .user_agent(concat!("vonage-audit/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .connect_timeout(CONNECT)
            .timeout(delivery)
            .build()
            .map_err(|_| "the HTTP client cannot be set up")?;
        let tally = Arc::new(Tally::default());
        let client = OnRuntime { client, runtime: Handle::current(), tally: Arc::clone(&tally) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .build()
            .map_err(|_| "the endpoint cannot be used")?;
        let exporter = Counting { exporter, tally: Arc::clone(&tally) };
        let mut resource = Resource::builder();
        let named = environment.setting("OTEL_SERVICE_NAME").is_some()
            || environment
                .setting("OTEL_RESOURCE_ATTRIBUTES")
                .is_some_and(|pairs| pairs.split(',').any(|pair| pair.trim().starts_with("service.name=")));
        if !named {
            resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
        }
        let resource =
            resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let tracer = provider.tracer_with_scope(scope);
        Ok(Self { provider, tracer, tally })
    }
}

/// Counts what arrives.
#[derive(Debug)]
struct Counting {
    exporter: SpanExporter,
    tally: Arc<Tally>,
}

impl opentelemetry_sdk::trace::SpanExporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.exporter.export(batch).await?;
        self.tally.delivered.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The HTTP client, which needs the program's runtime, for a thread that has none.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: Handle,
    tally: Arc<Tally>,
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for OnRuntime {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Sending<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let mut sending = self.client.send_bytes(request);
        Box::pin(poll_fn(move |context| {
            // The runtime may be gone already, and its timers would panic.
            if self.tally.over.load(Ordering::Relaxed) {
                return Poll::Ready(Err("the program ends".into()));
            }
            let _entered = self.runtime.enter();
            sending.as_mut().poll(context)
        }))
    }
}
