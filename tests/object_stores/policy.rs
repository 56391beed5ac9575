//! A writer that may neither delete nor read elsewhere suffices.
//!
//! The server enforces actions and resources of the policy that ships; it does not know the condition keys, so that the
//! demand for `If-None-Match` is shown by what every PUT carries.

use std::process::Command;

use crate::program::{run, scratch};
use crate::proxy::{Conditions, Fault, Proxy, When};
use crate::python::environment;
use crate::sandbox::{Sandbox, export};
use crate::servers::{folder, limits, s3, store};

const DENIED: &str = "
import os, sys, boto3, botocore
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'], region_name='us-east-1')
key = s3.list_objects_v2(Bucket='test', Prefix='audit/')['Contents'][0]['Key']
for what, call in {
    'delete': lambda: s3.delete_object(Bucket='test', Key=key),
    'write elsewhere': lambda: s3.put_object(Bucket='test', Key='elsewhere/x', Body=b'x', IfNoneMatch='*'),
    'read elsewhere': lambda: s3.get_object(Bucket='test', Key='elsewhere/x'),
}.items():
    try:
        call()
    except botocore.exceptions.ClientError as error:
        assert error.response['Error']['Code'] in ('AccessDenied', '403'), error
    else:
        sys.exit(f'the writer may {what}')
";

#[test]
fn a_writer_without_delete_and_without_overwrite_suffices() {
    let policy = include_str!("../../examples/s3-writer-policy.json");
    let server = s3(Some(&policy.replace("BUCKET", "test").replace("PREFIX", "audit")));
    let sandbox = Sandbox::start(&["--events", "1000"]);
    let variables = server.s3_as("writer");
    for to in ["2026-01-04", "2026-01-06", "2026-01-06"] {
        let mut command = export(&sandbox.url, "2026-01-01", to, "s3://test/audit".as_ref());
        command.envs(&variables);
        run(command).expect(0);
    }
    let mut elsewhere = export(&sandbox.url, "2026-01-01", "2026-01-02", "s3://test/other".as_ref());
    elsewhere.envs(&variables);
    // Here the server refuses the first read; one that knows the conditions refuses the listing before it, which is 2.
    run(elsewhere).expect(7);

    let python = environment("servers-venv", &folder().join("requirements.txt"));
    let mut denied = Command::new(python);
    denied.current_dir(scratch("object-stores-policy")).envs(&variables).args(["-c", DENIED]);
    run(denied).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_put_is_conditional_whole_and_checksummed_and_nothing_else_changes_anything() {
    use vonage_audit::store::Store as _;
    let server = crate::servers::shared_s3();
    let proxy = Proxy::start(&server.text("/url"), Conditions::Kept).await;
    proxy.script(When::Never, Fault::Closed);
    let mut variables = server.s3_as("admin");
    variables.insert("AWS_ENDPOINT_URL", proxy.url());
    variables.insert("AWS_SERVER_SIDE_ENCRYPTION", "AES256".to_owned());
    let opened = store("s3://test/heads", &variables, limits()).await.unwrap();
    let path = vonage_audit::store::ObjectPath::new("a/b").unwrap();
    // Larger than the size from which libraries like to send parts.
    let bytes = vec![7_u8; 12 << 20];
    opened.create(&path, bytes.into()).await.unwrap();
    let heads = proxy.heads();
    let puts: Vec<_> = heads.iter().filter(|head| !head.starts_with("GET ")).collect();
    assert_eq!(puts.len(), 1, "{puts:?}");
    let head = puts[0].to_ascii_lowercase();
    assert!(head.starts_with("put /test/heads/a/b http/1.1"), "{head}");
    for line in [
        "if-none-match: *",
        "x-amz-checksum-sha256: ",
        "x-amz-content-sha256: ",
        "x-amz-server-side-encryption: aes256",
        "content-length: 12582912",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
}
