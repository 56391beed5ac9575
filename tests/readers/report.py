"""Holds a report page against the rules of HTML and against DuckDB's numbers over the same files.

    report.py DEST PAGE

What lives here: the strict parse, what a page that loads nothing may hold, what a screen reader needs, and the queries.
Working hours and bulk are those of the defaults: Monday to Friday, 08:00 to 18:00 UTC, 10 numbers.
"""

import pathlib
import re
import sys

import duckdb
import html5lib

#: Elements that could load or run something.
FORBIDDEN = {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video", "audio", "source", "image", "use"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"

CHANGE = "coalesce(event_category, '') NOT IN ('auth', 'data_access')"
AFTER = f"({CHANGE} AND created_at IS NOT NULL AND (isodow(created_at) > 5 OR hour(created_at) NOT BETWEEN 8 AND 17))"

GROUPS = {
    "secrets": "event_category = 'secret'",
    "ip-allow-list": "event_category = 'ip_allowlist'",
    "users": "event_category = 'user'",
    "webhooks": "(event_type = 'NUMBER_UPDATED' AND (context__http IS NOT NULL OR context__voice_value IS NOT NULL))"
    " OR (event_type IN ('APP_CREATE', 'APP_UPDATE') AND (contains(context_json, 'http://') OR contains(context_json, 'https://')))",
    "account": "event_category = 'account'",
    "after-hours": AFTER,
}


def name(element):
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def text(element):
    return " ".join("".join(element.itertext()).split())


def structure(root):
    ids, wanted = [], []
    for element in root.iter():
        tag = name(element)
        assert tag not in FORBIDDEN, f"<{tag}> on the page"
        for key, value in element.attrib.items():
            assert not key.lower().startswith("on"), f"a handler: {key}"
            assert key not in ("src", "srcset", "data", "action", "background"), f"{key} on <{tag}>"
            if key == "href":
                assert value.startswith("#"), f"a link that leaves the page: {value}"
                wanted.append(value[1:])
            if key in ("aria-labelledby", "aria-describedby"):
                wanted += value.split()
            if key == "style":
                assert re.fullmatch(r"--w:\d+%", value), f"style={value}"
            if key == "id":
                ids.append(value)
        if tag == "table":
            assert any(name(child) == "caption" and text(child) for child in element), "a table without a caption"
        if tag == "th":
            assert element.attrib.get("scope") in ("col", "row"), "a <th> without scope"
        if tag == "svg":
            assert element.attrib.get("role") == "img" and name(element[0]) == "title", "a chart without a title"
    assert len(ids) == len(set(ids)), "an id occurs twice"
    assert set(wanted) <= set(ids), f"references to nothing: {set(wanted) - set(ids)}"
    levels = [int(name(e)[1]) for e in root.iter() if re.fullmatch(r"h[1-6]", name(e))]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels
    policies = [e.attrib["content"] for e in root.iter() if e.attrib.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [POLICY], policies


def rows(root, table):
    found = [e for e in root.iter() if e.attrib.get("id") == table]
    if not found:
        return None
    body = [e for e in found[0] if name(e) == "tbody"][0]
    return [[text(cell) for cell in row] for row in body if name(row) == "tr"]


def number(cell):
    return int(cell.replace(",", ""))


def main(dest, page):
    document = pathlib.Path(page).read_text("utf-8")
    root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(document)
    structure(root)
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'UTC'")
    files = f"read_parquet('{dest}/parquet/**/*.parquet', union_by_name = true, hive_partitioning = false)"
    engine.execute(f"CREATE VIEW events AS SELECT * REPLACE (created_at::TIMESTAMP AS created_at) FROM {files}")
    ask = lambda sql: engine.execute(sql).fetchall()
    compared = 0

    def same(what, shown, true):
        nonlocal compared
        assert shown == true, f"{what}\n page   {shown}\n DuckDB {true}"
        compared += max(len(true), 1) if isinstance(true, list) else 1

    totals = [e for e in root.iter() if e.attrib.get("id") == "t-totals"][0]
    shown = [number(text(e)) for e in totals.iter() if name(e) == "dd"]
    same("totals", shown[:5], list(ask(
        f"SELECT count(*), count(*) FILTER ({CHANGE}), count(*) FILTER ({AFTER}), count(DISTINCT actor),"
        " count(DISTINCT source_ip) FROM events")[0]))
    same("distinct ids", ask("SELECT count(DISTINCT id) FROM events")[0][0], shown[0])
    for table, column, limit in [
        ("t-actors", "actor", 20), ("t-countries", "source_country", 40), ("t-addresses", "source_ip", 20),
        ("t-types", "event_type", 40), ("t-entries", "source", 20),
    ]:
        named = f"FROM events WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, {column} LIMIT {limit}"
        true = ask(f"SELECT {column}, count(*), count(*) FILTER ({CHANGE}), count(*) FILTER ({AFTER}),"
                   f" min(created_at)::DATE::VARCHAR, max(created_at)::DATE::VARCHAR {named}")
        own = rows(root, table)
        # The numbers of every row; the name where it needs no escape or cut.
        for line, (key, *values) in zip(own[: len(true)], true, strict=True):
            if key.isprintable() and 0 < len(key) <= 80 and key == " ".join(key.split()) and "U+" not in line[0]:
                same(table, line[0], key)
            same(f"{table} {key!r}", [*map(number, (line[1], line[3], line[4])), line[5], line[6]],
                 [*values[:3], *(value or "not given" for value in values[3:])])
        same(f"{table} adds up", sum(number(line[1]) for line in own), shown[0])
    months = rows(root, "t-months") or []
    true = ask("SELECT strftime(created_at, '%Y-%m'), count(*) FROM events WHERE created_at IS NOT NULL GROUP BY 1 ORDER BY 1")
    same("months", [(row[0], number(row[1])) for row in months], true)
    head = [e for e in root.iter() if e.attrib.get("id") == "t-months"]
    if head:
        names = [text(e) for e in head[0].iter() if name(e) == "th" and e.attrib["scope"] == "col"][2:]
        for place, category in enumerate(names, 2):
            true = ask(f"SELECT count(*) FILTER (coalesce(event_category, '(none)') = '{category}') FROM events WHERE"
                       " created_at IS NOT NULL GROUP BY strftime(created_at, '%Y-%m') ORDER BY strftime(created_at, '%Y-%m')")
            same(category, [(number(row[place]),) for row in months], true)
    groups = rows(root, "t-groups")
    for (group, rule), line in zip(GROUPS.items(), groups):
        (total,), = ask(f"SELECT count(*) FROM events WHERE {rule}")
        same(group, number(line[1]), total)
        newest = ask(f"SELECT coalesce(strftime(created_at, '%Y-%m-%d %H:%M:%S'), 'not given') FROM events WHERE {rule}"
                     " ORDER BY created_at DESC NULLS LAST, id DESC LIMIT 25")
        same(f"newest of {group}", [(row[0].split(".")[0],) for row in rows(root, f"t-{group}") or []], newest)
    bulk = "FROM events WHERE event_category = 'number' AND event_action = 'release' AND created_at IS NOT NULL" \
           " GROUP BY date_trunc('hour', created_at), actor HAVING count(*) >= 10"
    (hours,), = ask(f"SELECT count(*) FROM (SELECT 1 {bulk})")
    same("bulk", number(groups[len(GROUPS)][1]), hours)
    print(f"{compared} numbers equal")


if __name__ == "__main__":
    main(*sys.argv[1:])
