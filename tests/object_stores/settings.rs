//! Wrong settings are said before anything is written, as usage errors with a hint, without secrets.

use std::collections::BTreeMap;

use crate::program::{program, run};
use crate::sandbox::{Sandbox, export};
use crate::servers::{azure, fresh, shared_s3};

const CANARY: &str = "canary7f3e9aCANARY7f3e9a";

#[test]
fn wrong_settings_are_refused_with_a_hint_and_without_a_secret() {
    let sandbox = Sandbox::start(&["--events", "100"]);
    let server = shared_s3();
    let azure = azure();
    let good = server.s3_as("admin");
    let with = |changes: &[(&'static str, &str)]| {
        let mut variables = good.clone();
        variables.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
        variables
    };
    let without = |name| {
        let mut variables = good.clone();
        variables.remove(name);
        variables
    };
    let mut wrong_azure = azure.azure_variables();
    wrong_azure.insert("AZURE_STORAGE_ACCOUNT_KEY", "Y2FuYXJ5N2YzZTlhQ0FOQVJZN2YzZTlh".to_owned());
    let place = fresh("s3");
    let cases: Vec<(String, BTreeMap<&str, String>, u8, &str)> = vec![
        ("s3://no-such-bucket/x".to_owned(), good.clone(), 2, "NoSuchBucket"),
        (fresh("az").replace("test", "absent"), azure.azure_variables(), 2, "ContainerNotFound"),
        (place.clone(), with(&[("AWS_SECRET_ACCESS_KEY", CANARY)]), 2, "credentials"),
        (place.clone(), with(&[("AWS_ACCESS_KEY_ID", CANARY)]), 2, "credentials"),
        (fresh("az"), wrong_azure, 2, "credentials"),
        (place.clone(), without("AWS_SECRET_ACCESS_KEY"), 2, "only one is set"),
        (place.clone(), with(&[("AWS_ENDPOINT_URL", "http://s3.example")]), 2, "AWS_ALLOW_HTTP"),
        (
            place.clone(),
            with(&[("AWS_ENDPOINT_URL", "https://user:canary7f3e9a@s3.example")]),
            2,
            "credentials",
        ),
        (place.clone(), with(&[("AWS_SERVER_SIDE_ENCRYPTION", "rot13")]), 2, "encryption"),
        // Nobody listens there.
        (place.clone(), with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]), 7, "connection"),
        (place.clone(), BTreeMap::from([("AWS_PROFILE", "x".to_owned())]), 2, "export-credentials"),
        (
            place.clone(),
            BTreeMap::from([("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1".to_owned())]),
            2,
            "AWS_ACCESS_KEY_ID",
        ),
        ("az://test/x".to_owned(), BTreeMap::new(), 2, "AZURE_STORAGE_ACCOUNT_NAME"),
        ("s3a://bucket/x".to_owned(), good.clone(), 2, "s3://bucket"),
        (format!("s3://key:{CANARY}@bucket/x"), good.clone(), 2, "environment"),
        ("s3:/bucket/x".to_owned(), good.clone(), 2, "s3://bucket"),
    ];
    for (place, variables, code, word) in &cases {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-02", place.as_ref());
        command.envs(variables);
        let outcome = run(command).expect((*code).into());
        let said = outcome.stderr.to_ascii_lowercase();
        assert!(said.contains(&word.to_ascii_lowercase()), "{place}: {}", outcome.stderr);
        assert!(said.contains("hint:"), "{}", outcome.stderr);
        assert!(!said.contains("canary7f3e9a") && !said.contains("authorization:"), "{}", outcome.stderr);
    }
    println!("{} wrong settings", cases.len());
}

#[test]
fn the_help_names_destinations_and_limits() {
    let mut help = program();
    help.args(["export", "--help"]);
    let said = run(help).expect(0).stdout;
    for word in
        ["s3://bucket/prefix", "az://", "--single-writer", "--storage-timeout", "--storage-retry-time"]
    {
        assert!(said.contains(word), "{word}");
    }
}
