"""Writes the events that the sandbox serves in the readers test.

    population.py DATA_FOLDER clean|flawed OUT.ndjson

What lives here: the published and the plausible examples, made servable, and hostile events: each value that a
careless reader, writer or number type gets wrong. `flawed` adds events that cannot become a row. What this file must
not know: what the program makes of them.
"""

import json
import pathlib
import sys

from lossless import member_text, parse

#: Events that cannot become a row; the program keeps their bytes apart and counts them.
FLAWED = [
    '{"event_type":"USER_LOGIN","created_at":"2024-02-10T10:00:00","note":"no id"}',
    '{"id":null,"event_type":"USER_LOGIN","created_at":"2024-02-10T10:00:01"}',
    '{"id":"too-deep","created_at":"2024-02-11T10:00:00","context":' + '{"a":' * 80 + "1" + "}" * 80 + "}",
]

# Values for any member, as JSON text.
VALUES = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1.0",
    "1e2",
    "1E2",
    "1e400",
    "-12.50",
    "1180591620717411303424",
    "12345678901234567890123.000",
    '""',
    '" "',
    '"0012"',
    '"null"',
    '"=1+1"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\U0001f600 \u202e \ufeff"',
    '"line\\nfeed, \\"quoted\\"\\ttab\\\\"',
    '"a\\/b"',
    "[]",
    "{}",
    '[1,"1",null,{"a":[]}]',
    '{"a":1,"a":2}',
]

# Members that each of VALUES is tried at: the envelope.
MEMBERS = [
    "event_type",
    "event_type_description",
    "user_email",
    "user_id",
    "account_id",
    "source",
    "source_ip",
    "source_description",
    "source_country",
    "_links",
    "context",
    "extra",
    "",
]

# The same inside the context, at pointers that have columns.
CONTEXT_MEMBERS = [
    "country",
    "msisdn",
    "account",
    "accountId",
    "appId",
    "voice-type",
    "voice-value",
    "http",
    "created",
]

CREATED_AT = [
    "2024-02-29T00:00:00",
    "2024-02-29T23:59:59",
    "2024-03-01T00:00:00",
    "2023-12-31T23:59:59",
    "2024-01-01T00:00:00",
    "2024-02-01T10:00:00Z",
    "2024-02-01T10:00:00+02:00",
    "2024-02-01 10:00:00",
    "2024-02-01T10:00:00.5",
    "2024-02-01T10:00:00.123456",
    "2024-02-01T23:59:59.999999",
    "2024-02-01T10:00:00.100000",
    "2024-02-02T00:30:00+05:30",
]

# What follows `id` and `created_at` in single events.
SINGLE = [
    '"event\\u005ftype":"USER_LOGIN","\\u0063ontext":{"\\u0061ppId":"x"}',
    '"user_email":"first@example.com","user_email":"second@example.com"',
    '"user_id":1,"user_id":"1"',
    '"context":{"a":1},"context":{"a":2}',
    '"_links":{"self":{"href":"x","templated":false},"next":{}}',
    '"_links":{"self":{}}',
    '"_links":{"self":{"href":null}}',
    '"_links":{"self":"x"}',
    '"_links":{"self":{"href":"one"},"self":{"href":"two"}}',
    '"_links":{"self":{"href":"one","href":"two"}}',
    '"context":{ "white" : [ 1 ,\t2 ] , "space":\t{ } }',
    '"context":{"a/b":1,"c~d":2,"":3,"a.b":4,"été":5,"created":{"answer_url":[],"event_url":{"url":7,"method":null}}}',
    '"context":' + '{"a":' * 40 + "[]" + "}" * 40,
    '"context":{"text":"' + "long " * 60_000 + '"}',
    '"event_type":"A_TYPE_OF_TOMORROW","context":{"ip":"2001:db8::1","next":"198.51.100.7"}',
    '"Event_Type":"case","EVENT_TYPE":"twins","ID":"no identity"',
    '"source":"devapi","account_id":"00123456"',
    '"account_id":"1e234567"',
]


def published(folder):
    """The published examples with an identity and a time of their own, which they share or lack as published."""
    for number, line in enumerate((folder / "events-published.ndjson").read_text("utf-8").splitlines()):
        identity = f"11111111-0000-4000-8000-{number:012}"
        own = member_text(line, "id")
        if own:
            line = line.replace(f'"id": {own}', f'"id": "{identity}"', 1)
        else:
            line = f'{{"id": "{identity}", ' + line[1:]
        if not member_text(line, "created_at"):
            line = line[:-1] + f', "created_at": "2019-01-{number + 1:02}T12:00:00"}}'
        yield line


def hostile():
    number = 0

    def event(rest, at=None):
        nonlocal number
        number += 1
        at = at or f"2024-01-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:{number // 60 % 60:02}"
        return (
            f'{{"id":"22222222-0000-4000-8000-{number:012}","created_at":"{at}"{"," if rest else ""}{rest}}}'
        )

    for name in MEMBERS:
        for value in VALUES:
            yield event(f"{json.dumps(name)}:{value}")
    for name in CONTEXT_MEMBERS:
        for value in VALUES:
            yield event(f'"event_type":"NUMBER_UPDATED","context":{{{json.dumps(name)}:{value}}}')
    for at in CREATED_AT:
        yield event('"event_type":"USER_LOGIN"', at)
    for rest in SINGLE:
        yield event(rest)
    # More than two pages of one second; the last of a day and the first of the next.
    for second in ["2024-01-15T23:59:59", "2024-01-16T00:00:00"]:
        for _ in range(230):
            yield event('"event_type":"USER_LOGOUT"', second)
    for identity in [
        "not a uuid",
        "ABCDEFAB-0000-4000-8000-000000000001",
        "abcdefab-0000-4000-8000-000000000001",
        "ïd",
        "0",
        "x" * 256,
    ]:
        yield f'{{"id":{json.dumps(identity, ensure_ascii=False)},"created_at":"2024-02-20T20:20:20"}}'


def main(folder, kind, out):
    folder = pathlib.Path(folder)
    lines = [
        *published(folder),
        *(folder / "events-plausible.ndjson").read_text("utf-8").splitlines(),
        *hostile(),
    ]
    lines = [line for line in lines if line]
    ids = [parse(line).last("id") for line in lines]
    assert len(set(ids)) == len(ids), "an identity occurs twice"
    lines += FLAWED if kind == "flawed" else []
    pathlib.Path(out).write_text("".join(line + "\n" for line in lines), "utf-8", newline="\n")
    print(f"{len(lines)} events")


if __name__ == "__main__":
    main(*sys.argv[1:])
