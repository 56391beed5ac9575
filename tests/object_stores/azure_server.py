"""An Azure Blob server on a free loopback port, with a container, until standard input ends.

The first argument is the folder with node_modules. Prints one line of JSON: the URL of the account, its name and key.
"""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
import urllib.request
from email.utils import formatdate

ACCOUNT = "devstoreaccount1"
# The server's documented key of that account; no secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CONTAINER = "test"


def main():
    server = subprocess.Popen(
        ["node", f"{sys.argv[1]}/node_modules/azurite/dist/src/blob/main.js", "--silent", "--inMemoryPersistence",
         "--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )
    try:
        for line in server.stdout:
            if found := re.search(r"successfully listen\w* (?:at|on) (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise SystemExit("azurite does not listen")
        url = f"{found[1]}/{ACCOUNT}"
        create(url)
        print(json.dumps({"url": url, "bucket": CONTAINER, "account": ACCOUNT, "key": KEY}), flush=True)
        sys.stdin.read()
    finally:
        server.kill()
        server.wait()


def create(url):
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    canonical = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    resource = f"/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
    text = "PUT\n" + "\n" * 11 + canonical + resource
    mac = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(mac).decode()}"
    headers["Content-Length"] = "0"
    request = urllib.request.Request(f"{url}/{CONTAINER}?restype=container", method="PUT", headers=headers)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201, answer.status


main()
