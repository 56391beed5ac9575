//! The suite for every store, against real servers.

use std::sync::Arc;

use crate::google::Google;
use crate::servers::{azure, fresh, limits, shared_s3, store};
use crate::suite::conforms;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s3_conforms() {
    let variables = shared_s3().s3_as("admin");
    conforms(Arc::new(store(&fresh("s3"), &variables, limits()).await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn azure_conforms() {
    let server = azure();
    conforms(Arc::new(store(&fresh("az"), &server.azure_variables(), limits()).await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_asked_of_google_conforms() {
    let server = Google::start().await;
    conforms(Arc::new(store(&fresh("gs"), &server.variables(), limits()).await.unwrap())).await;
}
