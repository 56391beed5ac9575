#!/usr/bin/env python3
"""vonage-audit and its peers over the same events, whole processes in turn.

usage: peers.py [--binary PATH] [--events 100000,1000000,5000000] [--formats parquet,csv,ndjson] [--runs 3] [--work DIR]

The events are made here and are the same on every machine. DuckDB makes the table's source columns, asked of
`vonage-audit schema show`, with the context's text and one folder a day; it makes no derived columns, checks no
identity and proves no row. It is measured with as many threads as there are cores. dlt is measured where it is
installed. Printed are medians and their ratios to vonage-audit; absolute figures drift, ratios of one run do not.
Needs: pip install duckdb
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

DUCKDB = """
import sys, duckdb
source, target, options, threads, columns, picked = sys.argv[1:]
con = duckdb.connect()
con.execute(f"SET threads={threads}; SET preserve_insertion_order=false")
con.execute(f"COPY (SELECT {picked}, created_at::DATE AS day FROM read_json('{source}', format='newline_delimited', "
            f"columns={columns})) TO '{target}' ({options}, PARTITION_BY (day))")
"""

DLT = """
import json, sys, dlt
source, target = sys.argv[1:]
def events():
    with open(source) as lines:
        for line in lines:
            yield json.loads(line)
pipeline = dlt.pipeline("peer", pipelines_dir=target + "/state", destination=dlt.destinations.filesystem("file://" + target))
pipeline.run(dlt.resource(events, name="events", max_table_nesting=3), loader_file_format=FORMAT)
"""

OPTIONS = {"parquet": "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3", "csv": "FORMAT csv, HEADER", "ndjson": "FORMAT json"}


def generate(count, path, days=30):
    """`count` events over some days, sorted by time: the documented contexts and some undocumented ones."""
    pick = random.Random(20260301)
    digits = lambda n: f"{pick.getrandbits(4 * n):0{n}x}"
    uuid = lambda: f"{digits(8)}-{digits(4)}-4{digits(3)}-b{digits(3)}-{digits(12)}"
    country = lambda: pick.choice(("DE", "ES", "FR", "GB", "IN", "US"))
    number = lambda: f"4477{pick.randrange(10**8):08d}"
    account = lambda: f"{pick.randrange(64):08x}"

    def application():
        own = uuid()
        url = lambda what: {"method": "POST", "url": f"https://example.com/{what}/{pick.randrange(10**5)}"}
        created = {"accountId": account(), "appId": own, "name": f"Caf\u00e9 {pick.randrange(5000)}", "type": "voice",
                   "answer_url": url("answer"), "event_url": url("event")}
        return {"appId": own, "created": created}

    kinds = [
        (30, "USER_LOGIN", lambda: {"email": f"p{pick.randrange(500)}@example.com", "agent": f"Mozilla/5.0 rv:{pick.randrange(90, 140)}"}),
        (15, "USER_PRODUCT_SEARCH", lambda: {"product": "SMS", "query": {"to": number(), "limit": pick.randrange(500)}}),
        (15, "NUMBER_ASSIGN", lambda: {"country": country(), "msisdn": number(), "features": ["SMS", "VOICE"]}),
        (10, "NUMBER_UPDATED", lambda: {"country": country(), "msisdn": number(), "voice-type": "sip", "voice-value": f"sip:{pick.randrange(10**6)}@example.com"}),
        (10, "NUMBER_LINKED", lambda: {"country": country(), "account": account(), "msisdn": number(), "applicationId": uuid()}),
        (10, "APP_CREATE", application),
        (5, "APP_DELETE", lambda: {"appId": uuid()}),
        (5, "ACCOUNT_SECRET_CREATE", lambda: {"secretId": uuid(), "accountId": account()}),
    ]
    weights = [weight for weight, _, _ in kinds]
    with open(path, "w", encoding="utf-8") as out:
        for position in range(count):
            second = position * days * 86_400 // count
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_772_323_200 + second))
            own, (_, kind, context) = uuid(), pick.choices(kinds, weights)[0]
            event = {"_links": {"self": {"href": f"http://api.nexmo.com/beta/audit/events/{own}"}}, "id": own, "event_type": kind,
                     "event_type_description": kind.replace("_", " ").capitalize(), "created_at": at}
            if pick.random() < 0.6:
                user = pick.randrange(500)
                event |= {"user_email": f"p{user}@example.com", "user_id": 2_000_000 + user}
            event |= {"account_id": account(), "source": "DEVAPI", "source_ip": f"203.0.113.{pick.randrange(256)}",
                      "source_description": "Developer API", "source_country": country(), "context": context()}
            out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")


def duckdb_query(binary):
    """What DuckDB reads and selects, from our own table."""
    table = json.loads(subprocess.run([binary, "schema", "show", "--output", "json"], check=True, capture_output=True).stdout)
    read, select, paths, names = {}, [], [], []
    for column in table["columns"]:
        pointer = (column.get("pointer") or "").split("/")[1:]
        if column["kind"] not in ("source", "copy") or not pointer:
            continue
        name = column["name"]
        if len(pointer) == 1:
            read[pointer[0]] = {"created_at": "TIMESTAMP", "context": "JSON"}.get(pointer[0], "VARCHAR")
            select.append(f'"{pointer[0]}"::VARCHAR AS "{name}"' if pointer[0] == "context" else f'"{pointer[0]}" AS "{name}"')
        elif pointer[0] == "context":
            paths.append("$." + ".".join(f'"{part}"' for part in pointer[1:]))
            names.append(name)
        else:
            read[pointer[0]] = "JSON"
            select.append(f"""{pointer[0]}->>'$.{".".join(pointer[1:])}' AS "{name}\"""")
    struct = ", ".join(f"'{path}'" for path in paths)
    select += [f'json_extract_string(context, [{struct}])[{at + 1}] AS "{name}"' for at, name in enumerate(names)]
    return "{" + ", ".join(f"'{key}': '{kind}'" for key, kind in read.items()) + "}", ", ".join(select)


def size(folder):
    return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)


def measure(command, out):
    shutil.rmtree(out, ignore_errors=True)
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, size(out) / 1e6


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--binary", default="target/release/vonage-audit")
    words.add_argument("--events", default="100000,1000000,5000000")
    words.add_argument("--formats", default="parquet,csv,ndjson")
    words.add_argument("--runs", type=int, default=3)
    words.add_argument("--work", default="target/peers")
    words = words.parse_args()
    if importlib.util.find_spec("duckdb") is None:
        sys.exit("DuckDB is missing: pip install duckdb")
    os.makedirs(words.work, exist_ok=True)
    columns, picked = duckdb_query(words.binary)
    for count in map(int, words.events.split(",")):
        source = os.path.join(words.work, f"events-{count}.ndjson")
        generate(count, source)
        print(f"{count:,} events, {os.path.getsize(source) / 1e6:.0f} MB, {words.runs} runs in turn, {os.cpu_count()} cores", flush=True)
        for form in words.formats.split(","):
            out = {name: os.path.join(words.work, name) for name in ("vonage-audit", "duckdb", "dlt")}
            commands = {
                "vonage-audit": [words.binary, "convert", source, "--account", "bench001", "--dest", out["vonage-audit"], "--format", form],
                "duckdb": [sys.executable, "-c", DUCKDB, source, out["duckdb"], OPTIONS[form], str(os.cpu_count()), columns, picked],
            }
            if importlib.util.find_spec("dlt"):
                kind = {"ndjson": "jsonl"}.get(form, form)
                commands["dlt"] = [sys.executable, "-c", DLT.replace("FORMAT", repr(kind)), source, os.path.abspath(out["dlt"])]
            taken = {name: [] for name in commands}
            for _ in range(words.runs):
                for name, command in commands.items():
                    taken[name].append(measure(command, out[name]))
            medians = {name: [statistics.median(run) for run in zip(*runs)] for name, runs in taken.items()}
            ours = medians["vonage-audit"]
            for name, (cpu, wall, memory, megabytes) in medians.items():
                ratios = " ".join(f"{other / own:5.2f}" for own, other in zip(ours, medians[name]))
                print(f"  {form:<8} {name:<13} {count / cpu:>9,.0f} events/CPU-s  wall {wall:7.2f} s  peak {memory:6.0f} MB  out {megabytes:7.1f} MB  "
                      f"ratios cpu wall peak out: {ratios}", flush=True)
            for folder in out.values():
                shutil.rmtree(folder, ignore_errors=True)
        os.unlink(source)


if __name__ == "__main__":
    main()
