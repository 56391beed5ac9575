"""Reads every event of a still server, page by page: the truth that an export is held against.

    walk.py URL KEY SECRET OUT.ndjson

What lives here: an own client of the API, made of the standard library alone. It is sound only while nothing
changes, which is why the program does not work like this. Each event is kept as the text that was received.
"""

import base64
import sys
import urllib.request

from lossless import elements, member_text


def page(url, key, secret, number):
    token = base64.b64encode(f"{key}:{secret}".encode()).decode()
    request = urllib.request.Request(
        f"{url}/events?page={number}&size=100", headers={"Authorization": f"Basic {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        text = reply.read().decode("utf-8")
    total = int(member_text(member_text(text, "page"), "totalElements"))
    embedded = member_text(text, "_embedded")
    events = member_text(embedded, "events") if embedded else None
    return total, list(elements(events)) if events else []


def walk(url, key, secret):
    total, events = page(url, key, secret, 1)
    number = 1
    while len(events) < total:
        number += 1
        again, more = page(url, key, secret, number)
        if again != total or not more:
            raise SystemExit(
                f"the server is not still: {total} events, then {again}; {len(more)} on page {number}"
            )
        events += more
    return events


if __name__ == "__main__":
    url, key, secret, out = sys.argv[1:]
    found = walk(url, key, secret)
    with open(out, "w", encoding="utf-8", newline="\n") as file:
        # A line break inside an event can only be white space between tokens.
        file.writelines(event.replace("\r", " ").replace("\n", " ") + "\n" for event in found)
    print(f"{len(found)} events")
