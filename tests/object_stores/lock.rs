//! A bucket that keeps what it has: Object Lock in compliance mode, and the bucket's policy that ships.
//!
//! The server enforces retention, and of the policy its actions and resources; it knows neither principals nor conditions,
//! so that statements with a condition are left out here.

use std::collections::BTreeMap;
use std::process::Command;

use crate::program::{program, run, scratch};
use crate::python::environment;
use crate::sandbox::{Sandbox, export};
use crate::servers::{folder, s3};

const BUCKET: &str = "
import json, os, sys, boto3
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'], region_name='us-east-1')
s3.create_bucket(Bucket='locked', ObjectLockEnabledForBucket=True)
s3.put_object_lock_configuration(Bucket='locked', ObjectLockConfiguration={
    'ObjectLockEnabled': 'Enabled', 'Rule': {'DefaultRetention': {'Mode': 'COMPLIANCE', 'Days': 30}}})
";

const POLICY: &str = "
import json, os, sys, boto3
policy = json.load(open(sys.argv[1]))
assert len({statement['Sid'] for statement in policy['Statement']}) == 5
assert all(statement['Effect'] == 'Deny' for statement in policy['Statement']), 'it only takes away'
policy['Statement'] = [statement for statement in policy['Statement'] if 'Condition' not in statement]
assert len(policy['Statement']) == 2
text = json.dumps(policy).replace('BUCKET', 'locked').replace('PREFIX', 'audit')
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'], region_name='us-east-1')
s3.put_bucket_policy(Bucket='locked', Policy=text)
";

/// What the administrator tries. Without the policy it is the lock alone that stands in the way.
const DESTROY: &str = "
import os, sys, boto3, botocore
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'], region_name='us-east-1')
versions = s3.list_object_versions(Bucket='locked', Prefix='audit/_audit/commits/')['Versions']
tries = 0
for version in versions:
    assert s3.head_object(Bucket='locked', Key=version['Key'], VersionId=version['VersionId'])['ObjectLockMode'] == 'COMPLIANCE'
    attempts = {'a version': dict(VersionId=version['VersionId']),
                'a version, past governance': dict(VersionId=version['VersionId'], BypassGovernanceRetention=True)}
    if sys.argv[1] == 'policy':
        attempts['the newest version'] = {}
    for what, how in attempts.items():
        try:
            s3.delete_object(Bucket='locked', Key=version['Key'], **how)
        except botocore.exceptions.ClientError as error:
            assert error.response['Error']['Code'] in ('AccessDenied', '403'), error
            tries += 1
        else:
            sys.exit(f'the administrator can delete {what}')
assert tries >= 4, tries
print(tries)
";

#[test]
fn what_is_committed_into_a_locked_bucket_stays() {
    let writer = include_str!("../../examples/s3-writer-policy.json");
    let server = s3(Some(&writer.replace("BUCKET", "locked").replace("PREFIX", "audit")));
    let python = environment("servers-venv", &folder().join("requirements.txt"));
    let place = scratch("object-stores-lock");
    let variables = server.s3_as("writer");
    let as_admin = |script: &str, argument: &str| {
        let mut command = Command::new(&python);
        command.current_dir(&place).envs(server.s3_as("admin")).args(["-c", script, argument]);
        run(command).expect(0).stdout
    };
    let bucket_policy = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/s3-bucket-policy.json");
    let sandbox = Sandbox::start(&["--events", "1000"]);
    let export_to = |to: &str, variables: &BTreeMap<&'static str, String>| {
        let mut command = export(&sandbox.url, "2026-01-01", to, "s3://locked/audit".as_ref());
        command.envs(variables);
        run(command).expect(0);
    };
    as_admin(BUCKET, "");
    // The program needs no right that the lock or the policy takes away, in the first run and in later ones.
    export_to("2026-01-04", &variables);
    export_to("2026-01-06", &variables);
    let by_the_lock = as_admin(DESTROY, "lock");
    as_admin(POLICY, bucket_policy);
    export_to("2026-01-08", &variables);
    let by_both = as_admin(DESTROY, "policy");
    println!(
        "refused to the administrator: {} times by the lock, {} times by both",
        by_the_lock.trim(),
        by_both.trim()
    );

    let mut verify = program();
    verify
        .args(["verify", "s3://locked/audit", "--deep", "--covers", "2026-01-01..2026-01-08"])
        .envs(&variables);
    run(verify).expect(0);
}
