#!/usr/bin/env python3
"""vonage-audit and its peers over HTTP against one sandbox, whole processes in turn; then the export alone under delays.

usage: http_peers.py [--binary PATH] [--events 100000] [--runs 3] [--delays 50,200] [--concurrency 4,16]
                     [--floor-events 20000,100000] [--work DIR]

The sandbox is started here with --prerender and serves the events of peers.py, byte for byte; its CPU is nobody's. In turn:
`export` to Parquet, `convert` of the same events from a file, dlt's rest_api source, and a careful asyncio program (aiohttp,
32 requests in flight, orjson, columns straight into pyarrow), all to Parquet by day at zstd 3. The peers read each page once,
check nothing and write no log; the asyncio one makes our source columns and the context's text. Printed are medians and
their ratios to `export`. Under delays, the wall time is held against requests x delay / concurrency.
Needs: pip install 'dlt[filesystem,parquet]' aiohttp orjson pyarrow; the peers run in the Python that runs this.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from peers import generate, measure

DAYS = 90
RANGE = ["--from", "2026-03-01", "--to", "2026-05-30"]
SECRET = "sandbox-secret"

DLT = """
import os, sys
url, out = sys.argv[1:]
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "NORMALIZE__DATA_WRITER__COMPRESSION": "zstd",
               "NORMALIZE__DATA_WRITER__COMPRESSION_LEVEL": "3", "DATA_WRITER__BUFFER_MAX_ITEMS": "20000"}
import dlt
from dlt.sources.rest_api import rest_api_source
auth = {"type": "http_basic", "username": os.environ["VONAGE_API_KEY"], "password": os.environ["VONAGE_API_SECRET"]}
pages = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": "page.totalPages"}
source = rest_api_source({"client": {"base_url": url, "auth": auth, "paginator": pages}, "resources": [
    {"name": "events", "endpoint": {"path": "events", "params": {"size": 100}, "data_selector": "_embedded.events"}}]})
target = dlt.destinations.filesystem(bucket_url="file://" + out)
dlt.pipeline("peer", pipelines_dir=out + "/state", destination=target, dataset_name="audit").run(source, loader_file_format="parquet")
"""

ASYNCIO = """
import asyncio, base64, json, os, sys
import aiohttp, orjson, pyarrow as pa, pyarrow.compute as pc, pyarrow.dataset as ds
url, out, flight, paths = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
plain = [(name, path[0]) for name, path in paths if len(path) == 1 and path[0] != "context"]
linked = [(name, path) for name, path in paths if len(path) > 1 and path[0] != "context"]
text = next(name for name, path in paths if path == ["context"])
typed = {}
for name, path in paths:
    if len(path) > 1 and path[0] == "context":
        typed.setdefault(path[1], []).append((name, path[2:]))

def empty():
    return {name: [] for name, _ in paths}

def add(columns, events):
    for name, key in plain:
        columns[name] += [event.get(key) for event in events]
    for name, path in linked:
        for value in events:
            for key in path:
                value = value.get(key) if isinstance(value, dict) else None
            columns[name].append(value)
    contexts = [event.get("context") for event in events]
    columns[text] += [None if context is None else orjson.dumps(context).decode() for context in contexts]
    for key, members in typed.items():
        values = [(context or {}).get(key) for context in contexts]
        for name, rest in members:
            if rest:
                deep = []
                for value in values:
                    for step in rest:
                        value = value.get(step) if isinstance(value, dict) else None
                    deep.append(value)
                columns[name] += deep
            else:
                columns[name] += values

def write(columns, number):
    arrays = {}
    for name, values in columns.items():
        if not all(value is None or isinstance(value, str) for value in values):
            values = [value if value is None or isinstance(value, str) else orjson.dumps(value).decode() for value in values]
        arrays[name] = pa.array(values, pa.string())
    arrays["event_date"] = pc.utf8_slice_codeunits(arrays["created_at"], 0, 10)
    arrays["created_at"] = arrays["created_at"].cast(pa.timestamp("us"))
    ds.write_dataset(pa.table(arrays), out, format="parquet", partitioning=ds.partitioning(pa.schema([("event_date", pa.string())]), flavor="hive"),
                     basename_template=f"part-{number}-{{i}}.parquet", existing_data_behavior="overwrite_or_ignore",
                     file_options=ds.ParquetFileFormat().make_write_options(compression="zstd", compression_level=3))

async def main():
    account = os.environ["VONAGE_API_KEY"] + ":" + os.environ["VONAGE_API_SECRET"]
    headers = {"Authorization": "Basic " + base64.b64encode(account.encode()).decode()}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=flight)) as session:
        async def page(number):
            async with session.get(url + "/events", params={"page": number, "size": 100}) as reply:
                reply.raise_for_status()
                return orjson.loads(await reply.read())
        first = await page(1)
        last, asked, waiting, files, columns = first["page"]["totalPages"], 2, [], 0, empty()
        add(columns, first["_embedded"]["events"])
        while asked <= last or waiting:
            while asked <= last and len(waiting) < flight:
                waiting.append(asyncio.create_task(page(asked)))
                asked += 1
            add(columns, (await waiting.pop(0))["_embedded"]["events"])
            if len(columns[text]) >= 50_000:
                write(columns, files)
                files, columns = files + 1, empty()
        write(columns, files)

asyncio.run(main())
"""


@contextlib.contextmanager
def sandbox(binary, source, delay=None):
    """The API's base URL while the sandbox runs."""
    command = [binary, "sandbox", "--prerender", "--port", "0", "--data", source]
    command += ["--delay-ms", str(delay)] if delay else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"VONAGE_API_SECRET": SECRET})
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def compare(words, count, source):
    out = {name: os.path.abspath(os.path.join(words.work, name)) for name in ("export", "convert", "asyncio", "dlt")}
    table = json.loads(subprocess.run([words.binary, "schema", "show", "--output", "json"], check=True, capture_output=True).stdout)
    paths = [(column["name"], (column.get("pointer") or "").split("/")[1:]) for column in table["columns"] if column["kind"] in ("source", "copy")]
    paths = [(name, path) for name, path in paths if path]
    with sandbox(words.binary, source) as url:
        os.environ |= {"VONAGE_AUDIT_API_URL": url, "VONAGE_API_KEY": "abcd1234", "VONAGE_API_SECRET": SECRET}
        commands = {
            "export": [words.binary, "export", *RANGE, "--dest", out["export"], "--quiet"],
            "convert": [words.binary, "convert", source, "--account", "abcd1234", "--dest", out["convert"], "--quiet"],
            "asyncio": [sys.executable, "-c", ASYNCIO, url, out["asyncio"], "32", json.dumps(paths)],
            "dlt": [sys.executable, "-c", DLT, url, out["dlt"]],
        }
        taken = {name: [] for name in commands}
        for _ in range(words.runs):
            for name, command in commands.items():
                taken[name].append(measure(command, out[name]))
    medians = {name: [statistics.median(run) for run in zip(*runs)] for name, runs in taken.items()}
    for name, (cpu, wall, memory, megabytes) in medians.items():
        ratios = " ".join(f"{other / own:6.2f}" for own, other in zip(medians["export"], medians[name]))
        print(f"  {name:<8} {count / cpu:>9,.0f} events/CPU-s  wall {wall:6.2f} s  peak {memory:5.0f} MB  out {megabytes:6.1f} MB  "
              f"ratios cpu wall peak out: {ratios}", flush=True)
    for folder in out.values():
        shutil.rmtree(folder, ignore_errors=True)


def floor(words, count, source, delay):
    out = os.path.join(words.work, "floor")
    with sandbox(words.binary, source, delay) as url:
        os.environ |= {"VONAGE_AUDIT_API_URL": url, "VONAGE_API_KEY": "abcd1234", "VONAGE_API_SECRET": SECRET}
        for flight in map(int, words.concurrency.split(",")):
            walls, requests = [], 0
            for _ in range(words.runs):
                shutil.rmtree(out, ignore_errors=True)
                command = [words.binary, "export", *RANGE, "--dest", out, "--quiet", "--output", "json", "--concurrency", str(flight)]
                start = time.monotonic()
                said = subprocess.run(command, check=True, capture_output=True).stdout
                walls.append(time.monotonic() - start)
                requests = json.loads(said)["requests"]
            lowest = requests * delay / 1000 / flight
            ratios = ", ".join(f"{wall / lowest:.2f}" for wall in walls)
            print(f"  {count:,} events, {delay} ms, {flight} in flight: {requests} requests, at least {lowest:.2f} s; "
                  f"{statistics.median(walls):.2f} s, ratio {statistics.median(walls) / lowest:.2f} ({ratios})", flush=True)
    shutil.rmtree(out, ignore_errors=True)


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--binary", default="target/release/vonage-audit")
    words.add_argument("--events", default="100000")
    words.add_argument("--runs", type=int, default=3)
    words.add_argument("--delays", default="50,200")
    words.add_argument("--concurrency", default="4,16")
    words.add_argument("--floor-events", default="20000,100000")
    words.add_argument("--work", default="target/http")
    words = words.parse_args()
    os.makedirs(words.work, exist_ok=True)
    if numbers(words.events) and any(importlib.util.find_spec(name) is None for name in ("aiohttp", "dlt", "orjson", "pyarrow")):
        sys.exit("a peer is missing: pip install 'dlt[filesystem,parquet]' aiohttp orjson pyarrow, or --events ''")
    source = os.path.join(words.work, "events.ndjson")
    for count in numbers(words.events):
        generate(count, source, DAYS)
        print(f"{count:,} events over {DAYS} days, {words.runs} runs in turn, {os.cpu_count()} cores", flush=True)
        compare(words, count, source)
    for count in numbers(words.floor_events):
        generate(count, source, DAYS)
        for delay in numbers(words.delays):
            floor(words, count, source, delay)
    os.unlink(source)


if __name__ == "__main__":
    main()
