#!/usr/bin/env python3
"""A dataset of many nightly runs, and what a run costs when there is nothing new.

usage: long_log.py [--binary PATH] [--nights 3650] [--runs 5] [--work DIR] [--keep]

Makes the nights one after the other: `export` of one day, each a commit, against the sandbox, up to yesterday. Then the
whole range again, `export --incremental`, and the same without reading the last three days again, with wall time, CPU and
requests of each run.
"""

import argparse
import datetime
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time


def export(binary, *flags):
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([binary, "export", *flags, "--quiet", "--output", "json"], capture_output=True)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr.decode())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, json.loads(done.stdout)["requests"]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--binary", default="target/release/vonage-audit")
    words.add_argument("--nights", type=int, default=3650)
    words.add_argument("--runs", type=int, default=5)
    words.add_argument("--work", default="target/long-log")
    words.add_argument("--keep", action="store_true")
    words = words.parse_args()
    os.makedirs(words.work, exist_ok=True)
    dest = os.path.join(words.work, f"nights-{words.nights}")
    last = datetime.datetime.now(datetime.timezone.utc).date()
    first = last - datetime.timedelta(days=words.nights)
    command = [words.binary, "sandbox", "--prerender", "--port", "0", "--events", str(words.nights * 5), "--from", str(first), "--to", str(last)]
    sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"VONAGE_API_SECRET": "sandbox-secret"})
    try:
        os.environ |= {"VONAGE_AUDIT_API_URL": sandbox.stdout.readline().split()[-1], "VONAGE_API_KEY": "abcd1234", "VONAGE_API_SECRET": "sandbox-secret"}
        start = time.monotonic()
        if not os.path.exists(dest):
            for night in range(words.nights):
                day = first + datetime.timedelta(days=night)
                export(words.binary, "--from", str(day), "--to", str(day + datetime.timedelta(days=1)), "--dest", dest)
        log = os.path.join(dest, "_audit/commits")
        sizes = [os.path.getsize(os.path.join(log, name)) for name in os.listdir(log)]
        print(f"{len(sizes):,} commits, {sum(sizes) / 1e6:.1f} MB, in {time.monotonic() - start:.0f} s", flush=True)
        again = ["--from", str(first), "--to", str(last)]
        for name, flags in (("the same range", again), ("--incremental", ["--incremental"]), ("--lookback 0d", ["--incremental", "--lookback", "0d"])):
            runs = [export(words.binary, *flags, "--dest", dest) for _ in range(words.runs)]
            walls = ", ".join(f"{wall:.2f}" for wall, _, _ in runs)
            print(f"  {name:<15} wall {statistics.median(wall for wall, _, _ in runs):.2f} s ({walls})  "
                  f"CPU {statistics.median(cpu for _, cpu, _ in runs):.2f} s  requests {[requests for _, _, requests in runs]}", flush=True)
    finally:
        sandbox.terminate()
        sandbox.wait()
    if not words.keep:
        shutil.rmtree(dest)


if __name__ == "__main__":
    main()
