#!/usr/bin/env python3
"""Peak memory of whole conversions, by number of events and of days.

usage: memory.py [--binary PATH] [--events 1000000,5000000,10000000] [--days 1,3650] [--formats parquet,csv,ndjson]
                 [--memory MIB] [--work DIR]

The events are those of peers.py. The peak is what the kernel counts for the process (ru_maxrss); it holds the program's own
pages as well. Temporary files go below --work: beside the input, three times its length must fit there.
"""

import argparse
import os
import shutil
import sys
import time

from peers import generate


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--binary", default="target/release/vonage-audit")
    words.add_argument("--events", default="1000000,5000000,10000000")
    words.add_argument("--days", default="1,3650")
    words.add_argument("--formats", default="parquet,csv,ndjson")
    words.add_argument("--memory", default="128")
    words.add_argument("--work", default="target/memory")
    words = words.parse_args()
    os.makedirs(words.work, exist_ok=True)
    source, out = os.path.join(words.work, "events.ndjson"), os.path.join(words.work, "out")
    for days in map(int, words.days.split(",")):
        for count in map(int, words.events.split(",")):
            generate(count, source, days)
            for form in words.formats.split(","):
                shutil.rmtree(out, ignore_errors=True)
                command = [words.binary, "convert", source, "--account", "bench001", "--dest", out, "--format", form, "--quiet",
                           "--memory", words.memory, "--spill-dir", words.work]
                start = time.monotonic()
                pid = os.posix_spawn(command[0], command, os.environ,
                                     file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
                _, status, usage = os.wait4(pid, 0)
                if status:
                    sys.exit(f"ended with {os.waitstatus_to_exitcode(status)}")
                cpu, wall = usage.ru_utime + usage.ru_stime, time.monotonic() - start
                print(f"{count:>10,} events, {days:>5,} days, {form:<8} peak {usage.ru_maxrss / 1024:6.0f} MiB  "
                      f"CPU {cpu:7.1f} s  wall {wall:7.1f} s", flush=True)
            shutil.rmtree(out, ignore_errors=True)
            os.unlink(source)


if __name__ == "__main__":
    main()
