//! The client of the API against scripted servers behind real sockets.
//!
//! Waits are made tiny through the limits; no test sleeps to be lucky.

#[cfg(test)]
#[path = "api/server.rs"]
mod server;

#[cfg(test)]
#[path = "api/"]
mod api {
    mod answers;
    mod bodies;
    mod pace;
    mod proxy;
    mod tls;
    mod transport;

    use std::time::Duration;

    use vonage_audit::api::{Client, Limits, Settings};
    use vonage_audit::error::Error;
    use vonage_audit::model::{Page, Query};
    use vonage_audit::secret::{Credentials, Secret};

    use super::server::Server;

    /// A secret that no other text holds.
    pub(crate) const SECRET: &str = "Canary%7/é+s3cr3t";

    pub(crate) fn quick() -> Limits {
        Limits {
            rate_per_second: None,
            tries: 4,
            backoff_base: Duration::from_millis(1),
            backoff_cap: Duration::from_millis(2),
            ..Limits::default()
        }
    }

    pub(crate) fn settings(url: &str, limits: Limits) -> Settings {
        let credentials = Credentials { key: "abcd1234".to_owned(), secret: Secret::new(SECRET.to_owned()) };
        Settings::new(url, credentials).unwrap().limits(limits)
    }

    pub(crate) fn client(server: &Server, limits: Limits) -> Client {
        Client::new(settings(&server.url(), limits)).unwrap()
    }

    /// The first page of everything.
    pub(crate) async fn first(client: &Client) -> Result<Page, Error> {
        client.page(&Query::default(), 1, 100).await
    }

    /// Everything an error could print, checked for the secret in any spelling.
    pub(crate) fn printed(error: &Error) -> String {
        let text = format!("{error}\n{error:?}\n{:?}\n{:?}", error.hint_text(), error.context());
        for spelling in [SECRET, "YWJjZDEyMzQ6", "Canary%257", "Canary"] {
            assert!(!text.contains(spelling), "{text}");
        }
        text
    }
}
