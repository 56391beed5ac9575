//! From the usual variables to a client of a provider.
//!
//! What lives here: which variables count, when clear text is allowed, limits, and where credentials come from. What
//! this file must not know: the environment itself, what is stored.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::location::{Location, Provider};
use super::wire::Connector;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Variables of Amazon S3, the stronger of two that mean the same first.
const S3: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_SKIP_SIGNATURE",
    "AWS_REQUEST_PAYER",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
    "AWS_IMDSV1_FALLBACK",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_SSE_CUSTOMER_KEY_BASE64",
];

/// Variables of Google Cloud Storage.
const GOOGLE: &[&str] = &[
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_BEARER_TOKEN",
    "GOOGLE_BASE_URL",
    "GOOGLE_ALLOW_HTTP",
];

/// Variables of Azure Blob Storage.
const AZURE: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_ENDPOINT",
    "AZURE_STORAGE_USE_EMULATOR",
    "AZURE_STORAGE_ENCRYPTION_KEY",
    "AZURE_ALLOW_HTTP",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USE_AZURE_CLI",
    "AZURE_IDENTITY_ENDPOINT",
];

/// A profile cannot be read: said instead of using other credentials than were meant.
const PROFILE: &str = "AWS_PROFILE";

/// Limits of the exchange with a store.
#[derive(Clone, Debug)]
pub struct StorageLimits {
    /// Longest time for one request, its body included.
    pub request: Duration,
    /// Longest time for which one request is repeated after failures of the server or the network. The caller asks an
    /// unclear answer again, five times in all.
    pub retry: Duration,
    /// First waiting time between repetitions; it grows by half.
    pub backoff_base: Duration,
    /// Longest waiting time.
    pub backoff_cap: Duration,
}

impl Default for StorageLimits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(120),
            retry: Duration::from_secs(60),
            backoff_base: Duration::from_millis(100),
            backoff_cap: Duration::from_secs(10),
        }
    }
}

/// How often one request is repeated within the time for it.
const RETRIES: usize = 20;

/// Repetitions before anything is written: a wrong setting is said soon.
const FIRST_RETRIES: usize = 2;

/// Names and values as the environment holds them; only those that are named in this file count.
#[derive(Clone)]
pub struct StorageOptions(Vec<(String, Secret)>);

impl std::fmt::Debug for StorageOptions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl StorageOptions {
    /// Takes what counts from all that is given.
    pub fn new(pairs: impl IntoIterator<Item = (String, Secret)>) -> Self {
        let known = |name: &str| [S3, GOOGLE, AZURE].concat().contains(&name) || name == PROFILE;
        Self(pairs.into_iter().filter(|(name, value)| known(name) && !value.expose().is_empty()).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.expose())
    }

    /// Whether a text holds a value that must not be shown.
    pub(super) fn gives_away(&self, text: &str) -> bool {
        let hidden = |name: &str| ["KEY", "SECRET", "TOKEN", "SAS"].iter().any(|part| name.contains(part));
        let short = 6;
        self.0.iter().any(|(name, value)| {
            hidden(name) && value.expose().len() >= short && text.contains(value.expose())
        })
    }

    /// The pairs of these names in reverse, so that the stronger of two overwrites the weaker.
    fn of<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        names.iter().rev().filter_map(|name| self.get(name).map(|value| (*name, value)))
    }
}

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Before anything is written.
    First,
    /// During a run.
    Run,
}

/// A client, with credentials that are fetched anew when they expire.
pub(super) async fn connect(
    location: &Location,
    options: &StorageOptions,
    limits: &StorageLimits,
    patience: Patience,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = |patience| RetryConfig {
        backoff: BackoffConfig {
            init_backoff: limits.backoff_base,
            max_backoff: limits.backoff_cap,
            base: 1.5,
        },
        max_retries: if patience == Patience::First { FIRST_RETRIES } else { RETRIES },
        retry_timeout: limits.retry,
    };
    let connector = || Connector { timeout: limits.request };
    let client = |name: &str| {
        ClientOptions::new()
            .with_allow_http(clear_text(options, location.provider) || options.get(name) == Some("true"))
    };
    // Credentials have a client of their own, with few repetitions: where there are none, that is said soon.
    match location.provider {
        Provider::S3 => {
            let mut builder = AmazonS3Builder::new()
                .with_client_options(client("AWS_ALLOW_HTTP"))
                .with_http_connector(connector())
                .with_bucket_name(&location.bucket);
            for (name, value) in options.of(S3).filter(|(name, _)| *name != "AWS_ALLOW_HTTP") {
                // Both endpoints and both regions are one setting for this program.
                let name = match name {
                    "AWS_ENDPOINT_URL_S3" | "AWS_ENDPOINT_URL" => "AWS_ENDPOINT",
                    "AWS_DEFAULT_REGION" => "AWS_REGION",
                    name => name,
                };
                builder =
                    builder.with_config(AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase())?, value);
            }
            let builder = builder
                .with_checksum_algorithm(Checksum::SHA256)
                .with_conditional_put(S3ConditionalPut::ETagMatch);
            let credentials =
                Arc::clone(builder.clone().with_retry(retry(Patience::First)).build()?.credentials());
            if options.get("AWS_SKIP_SIGNATURE") != Some("true") {
                credentials.get_credential().await?;
            }
            Ok(Arc::new(builder.with_retry(retry(patience)).with_credentials(credentials).build()?))
        }
        Provider::Google => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_client_options(client("GOOGLE_ALLOW_HTTP"))
                .with_http_connector(connector())
                .with_bucket_name(&location.bucket);
            for (name, value) in options.of(GOOGLE).filter(|(name, _)| *name != "GOOGLE_ALLOW_HTTP") {
                builder = builder.with_config(GoogleConfigKey::from_str(&name.to_ascii_lowercase())?, value);
            }
            let credentials =
                Arc::clone(builder.clone().with_retry(retry(Patience::First)).build()?.credentials());
            credentials.get_credential().await?;
            Ok(Arc::new(builder.with_retry(retry(patience)).with_credentials(credentials).build()?))
        }
        Provider::Azure => {
            let mut builder = MicrosoftAzureBuilder::new()
                .with_client_options(client("AZURE_ALLOW_HTTP"))
                .with_http_connector(connector())
                .with_container_name(&location.bucket);
            for (name, value) in options.of(AZURE).filter(|(name, _)| *name != "AZURE_ALLOW_HTTP") {
                builder = builder.with_config(AzureConfigKey::from_str(&name.to_ascii_lowercase())?, value);
            }
            let credentials =
                Arc::clone(builder.clone().with_retry(retry(Patience::First)).build()?.credentials());
            credentials.get_credential().await?;
            Ok(Arc::new(builder.with_retry(retry(patience)).with_credentials(credentials).build()?))
        }
    }
}

/// The variable that names the server, and its value.
fn endpoint(options: &StorageOptions, provider: Provider) -> Option<(&'static str, &str)> {
    let names: &[&'static str] = match provider {
        Provider::S3 => &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"],
        Provider::Google => &["GOOGLE_BASE_URL"],
        Provider::Azure => &["AZURE_STORAGE_ENDPOINT"],
    };
    names.iter().find_map(|name| options.get(name).map(|value| (*name, value)))
}

/// Whether the server is one on this machine, reached without TLS.
fn clear_text(options: &StorageOptions, provider: Provider) -> bool {
    endpoint(options, provider)
        .and_then(|(_, value)| reqwest::Url::parse(value).ok())
        .is_some_and(|url| url.scheme() == "http" && is_loopback(&url))
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What can be wrong with the settings is said before anything is sent. Values are not repeated.
pub(super) fn check(options: &StorageOptions, provider: Provider) -> Result<()> {
    let allow = match provider {
        Provider::S3 => "AWS_ALLOW_HTTP",
        Provider::Google => "GOOGLE_ALLOW_HTTP",
        Provider::Azure => "AZURE_ALLOW_HTTP",
    };
    if let Some((name, value)) = endpoint(options, provider) {
        let wrong = |what: &str| Error::usage(format!("{name} {what}"));
        let url = reqwest::Url::parse(value)
            .map_err(|_| wrong("is not a URL").hint("write https://host, or https://host:port"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds credentials").hint("give credentials in variables of their own"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) || options.get(allow) == Some("true") => {}
            "http" => {
                return Err(wrong("is neither https nor on this machine")
                    .hint(format!("use https, or set {allow}=true if the network between is trusted")));
            }
            _ => return Err(wrong("is neither https nor http").hint("write https://host")),
        }
    }
    if provider == Provider::S3
        && options.get(PROFILE).is_some()
        && options.get("AWS_ACCESS_KEY_ID").is_none()
    {
        return Err(Error::usage("AWS_PROFILE is set, and profiles are not read").hint(
            "run: eval \"$(aws configure export-credentials --format env)\", or unset AWS_PROFILE to use the \
             machine's own role",
        ));
    }
    if provider == Provider::S3
        && ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
            .iter()
            .filter(|name| options.get(name).is_some())
            .count()
            == 1
    {
        return Err(Error::usage("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set")
            .hint("set both, or neither to use the machine's own role"));
    }
    if provider == Provider::Azure
        && options.get("AZURE_STORAGE_ACCOUNT_NAME").is_none()
        && options.get("AZURE_STORAGE_USE_EMULATOR") != Some("true")
    {
        return Err(Error::usage("AZURE_STORAGE_ACCOUNT_NAME is not set or empty")
            .hint("an az:// URL names the container alone"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> StorageOptions {
        StorageOptions::new(
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned()))),
        )
    }

    #[test]
    fn every_variable_is_one_of_the_library() {
        for name in S3 {
            AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase()).unwrap();
        }
        for name in GOOGLE {
            GoogleConfigKey::from_str(&name.to_ascii_lowercase()).unwrap();
        }
        for name in AZURE {
            AzureConfigKey::from_str(&name.to_ascii_lowercase()).unwrap();
        }
    }

    #[test]
    fn clear_text_stays_on_this_machine_unless_allowed() {
        for (pairs, good) in [
            (&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")][..], true),
            (&[("AWS_ENDPOINT_URL", "http://[::1]:9000")], true),
            (&[("AWS_ENDPOINT_URL", "http://localhost:9000")], true),
            (&[("AWS_ENDPOINT_URL", "https://minio.example")], true),
            (&[("AWS_ENDPOINT_URL", "http://minio.example")], false),
            (&[("AWS_ENDPOINT_URL", "http://127.0.0.1.example")], false),
            (&[("AWS_ENDPOINT_URL", "http://minio.example"), ("AWS_ALLOW_HTTP", "true")], true),
            (&[("AWS_ENDPOINT_URL", "https://a:b@minio.example")], false),
            (&[("AWS_ENDPOINT_URL_S3", "https://x"), ("AWS_ENDPOINT_URL", "http://minio.example")], true),
            (&[("AWS_ENDPOINT_URL", "minio")], false),
            (&[("AWS_PROFILE", "x")], false),
            (&[("AWS_ACCESS_KEY_ID", "x")], false),
        ] {
            assert_eq!(check(&options(pairs), Provider::S3).is_ok(), good, "{pairs:?}");
        }
    }

    #[test]
    fn only_named_variables_count_and_none_is_shown() {
        let options = options(&[
            ("AWS_SECRET_ACCESS_KEY", "canary-7f3e9a"),
            ("AWS_CONDITIONAL_PUT", "disabled"),
            ("PATH", "/bin"),
            ("AWS_REGION", ""),
        ]);
        assert_eq!(format!("{options:?}"), r#"["AWS_SECRET_ACCESS_KEY"]"#);
        assert!(options.gives_away("a canary-7f3e9a b"));
        assert!(!options.gives_away("nothing"));
    }
}
