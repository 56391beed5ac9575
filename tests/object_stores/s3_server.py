"""An S3 server on a free loopback port, with a bucket and users, until standard input ends.

moto checks signatures and policies only after its first few calls; those make the administrator and the bucket. Prints one
line of JSON: the URL, the administrator's key, and the key of a user with the policy given as the first argument. With
`--open` nothing is checked, as a test needs that changes requests on their way.
"""

import json
import os
import sys
import threading

OPEN = sys.argv[1:] == ["--open"]
# Four calls without a signature: user, policy, key, bucket.
if not OPEN:
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"
# Every listing has several pages.
os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = "5"
# Nothing of this machine's own settings.
for name in list(os.environ):
    if name.startswith("AWS_"):
        del os.environ[name]

import boto3
from botocore.config import Config
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

BUCKET = "test"


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are sent apart; without this each answer waits for an acknowledgement, 40 ms.
    disable_nagle_algorithm = True

    def log(self, *_):
        pass


class Serial:
    """moto looks whether an object is there, then writes it: without this, two creators of one object can both win."""

    def __init__(self, application):
        self.application, self.lock = application, threading.Lock()

    def __call__(self, environ, start_response):
        # For a bucket with Object Lock, Amazon asks for a checksum; moto, for the header by which an SDK announces one.
        if "HTTP_X_AMZ_CHECKSUM_SHA256" in environ:
            environ.setdefault("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", "SHA256")
        with self.lock:
            return list(self.application(environ, start_response))


def main():
    application = Serial(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"

    def client(service, key="free", secret="free"):
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam = client("iam")
    iam.create_user(UserName="admin")
    iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=json.dumps(everything))
    admin = iam.create_access_key(UserName="admin")["AccessKey"]
    client("s3").create_bucket(Bucket=BUCKET)

    iam = client("iam", admin["AccessKeyId"], admin["SecretAccessKey"])
    writer = None
    if len(sys.argv) > 1 and not OPEN:
        iam.create_user(UserName="writer")
        iam.put_user_policy(UserName="writer", PolicyName="writer", PolicyDocument=sys.argv[1])
        writer = iam.create_access_key(UserName="writer")["AccessKey"]

    keys = lambda key: key and {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    print(json.dumps({"url": url, "bucket": BUCKET, "admin": keys(admin), "writer": keys(writer)}), flush=True)
    sys.stdin.read()


main()
