"""The fifteen questions of `examples/questions/`, asked about a month in which an intrusion is planted.

    questions.py plant EVENTS_FILE
    questions.py ask VIEW_SQL QUESTIONS_FOLDER

What lives here: ordinary weeks of two people and a program, the intrusion among them, and by hand what each question
must find of it. A planted event that no answer shows, or an answer that shows an ordinary one, fails.
"""

import datetime
import json
import pathlib
import sys

import duckdb

ACCOUNT = "abcd1234"
ADA, BEN = "ada@example.org", "ben@example.org"
OFFICE, SERVER, INTRUDER, ROGUE = "192.0.2.10", "192.0.2.20", "198.51.100.66", "203.0.113.9"
OURS = {"http": "https://hooks.example.org/in"}
UTC = datetime.UTC


def at(day, time):
    return datetime.datetime.fromisoformat(f"2026-03-{day:02}T{time}+00:00")


def events():
    """Every event of March 2026: (type, day, time, user, address, country, context)."""
    for day in range(2, 28):
        if datetime.date(2026, 3, day).isoweekday() > 5:
            continue
        for user in (ADA, BEN):
            yield "USER_LOGIN", day, "09:00:00", user, OFFICE, "GB", None
            yield "NUMBER_UPDATED", day, "10:00:00", user, OFFICE, "GB", {"msisdn": f"4477009000{day:02}", **OURS}
            yield "USER_PRODUCT_SEARCH", day, "11:00:00", user, OFFICE, "GB", {"product": "sms"}
            yield "USER_LOGOUT", day, "17:30:00", user, OFFICE, "GB", None
        yield "NUMBER_RELEASE", day, "12:00:00", ADA, OFFICE, "GB", {"msisdn": f"4477009001{day:02}", "country": "GB"}
        yield "NUMBER_ASSIGN", day, "13:00:00", None, SERVER, "GB", {"msisdn": f"4477009002{day:02}", "country": "GB"}
    # The intrusion: a Saturday, before sunrise.
    def theirs(kind, time, context=None):
        return kind, 21, time, BEN, INTRUDER, "RO", context

    yield theirs("USER_LOGIN", "02:00:00")
    for minute in range(25):
        yield theirs("USER_PRODUCT_SEARCH", f"02:01:{minute:02}", {"product": "voice"})
    yield theirs("ACCOUNT_SECRET_CREATE", "02:05:00", {"secretId": "11111111-2222-4333-8444-555555555555"})
    yield theirs("IP_WHITELIST_CREATE", "02:06:00", {"ip": ROGUE})
    yield theirs("USER_CREATE", "02:07:00", {"email": "new@example.net"})
    yield theirs("USER_API_KEYS_UPDATE", "02:08:00", {"email": "new@example.net", "added": [ACCOUNT]})
    yield theirs("NUMBER_UPDATED", "02:10:00", {"msisdn": "447700900002", "voice-type": "sip", "voice-value": "sip:a@evil.example"})
    yield theirs("NUMBER_UPDATED", "02:11:00", {"msisdn": "447700900003", "voice-type": {"sip": "sip:b@evil.example"}})
    yield theirs("APP_UPDATE", "02:12:00", {"updated": {"event_url": {"url": "https:\\/\\/hooks.example.org@Evil.example:8443/x"}}})
    yield theirs("ACCOUNT_UPDATE_SETTINGS", "02:13:00", {"mo-callback-url": "http://example.org.evil.example/"})
    yield theirs("APP_DELETE", "02:14:00", {"appId": "aaaaaaaa-0000-4000-8000-000000000001"})
    yield theirs("APP_DISABLE", "02:15:00", {"appId": "aaaaaaaa-0000-4000-8000-000000000002"})
    yield theirs("AUTORELOAD_UPDATE", "02:16:00", {"amount": 5000})
    yield theirs("USER_BILLING_UPDATE", "02:17:00", {"balanceAlert": False})
    for number in range(7):
        yield theirs("NUMBER_RELEASE", f"02:2{number}:00", {"msisdn": f"44770090010{number}", "country": "GB"})
    yield theirs("ACCOUNT_SECRET_DELETE", "03:30:00", {"secretId": "66666666-2222-4333-8444-555555555555"})
    yield "APP_CREATE", 22, "04:00:00", None, ROGUE, "RO", {"created": {"appId": "aaaaaaaa-0000-4000-8000-000000000003"}}
    yield "TRUNK_CREATE", 23, "10:00:00", ADA, OFFICE, "GB", None
    yield "IP_WHITELIST_DELETE", 23, "soon", ADA, OFFICE, "GB", {"ip": OFFICE}


def plant(file):
    with open(file, "w", encoding="utf-8") as out:
        for number, (kind, day, time, user, address, country, context) in enumerate(events()):
            event = {
                "id": f"00000000-0000-4000-8000-{number:012}",
                "event_type": kind,
                "created_at": time if time == "soon" else f"2026-03-{day:02}T{time}",
                "account_id": ACCOUNT,
                "source": "CD" if user else "DEVAPI",
                "source_ip": address,
                "source_country": country,
                "context": context,
            }
            if user:
                event |= {"user_email": user, "user_id": 7 if user == ADA else 8}
            # A slash may be escaped in JSON.
            out.write(json.dumps(event, separators=(",", ":")).replace("\\\\/", "\\/") + "\n")


NIGHT = datetime.date(2026, 3, 21)


def saturday(time):
    return at(21, time)


#: Of each question, columns by position, and the whole answer in these.
ANSWERS = {
    1: ((0, 1, 2, 3, 6), [
        (saturday("02:05:00"), "create", BEN, INTRUDER, "11111111-2222-4333-8444-555555555555"),
        (saturday("03:30:00"), "delete", BEN, INTRUDER, "66666666-2222-4333-8444-555555555555"),
    ]),
    2: ((0, 1, 2, 3), [(BEN, "RO", saturday("02:00:00"), 1)]),
    3: ((0, 1, 2, 3, 4), [
        (saturday("02:06:00"), "create", ROGUE, BEN, INTRUDER),
        (None, "delete", OFFICE, ADA, OFFICE),
    ]),
    4: ((0, 1, 2, 3), [(BEN, NIGHT, 7, 7)]),
    5: ((0, 1, 2), [(BEN, kind, count) for kind, count in [
        ("ACCOUNT_SECRET_CREATE", 1), ("IP_WHITELIST_CREATE", 1), ("USER_CREATE", 1), ("USER_API_KEYS_UPDATE", 1),
        ("NUMBER_UPDATED", 2), ("APP_UPDATE", 1), ("ACCOUNT_UPDATE_SETTINGS", 1), ("APP_DELETE", 1), ("APP_DISABLE", 1),
        ("AUTORELOAD_UPDATE", 1), ("USER_BILLING_UPDATE", 1), ("NUMBER_RELEASE", 7), ("ACCOUNT_SECRET_DELETE", 1),
    ]] + [(ACCOUNT, "APP_CREATE", 1)]),
    6: ((0, 1, 2, 4), [
        (saturday("02:07:00"), "USER_CREATE", BEN, '{"email":"new@example.net"}'),
        (saturday("02:08:00"), "USER_API_KEYS_UPDATE", BEN, f'{{"email":"new@example.net","added":["{ACCOUNT}"]}}'),
    ]),
    7: ((0, 1, 2, 3), [
        (saturday("02:10:00"), "447700900002", OURS["http"], "sip sip:a@evil.example"),
        (saturday("02:11:00"), "447700900003", OURS["http"],
         '{"msisdn":"447700900003","voice-type":{"sip":"sip:b@evil.example"}}'),
    ]),
    8: ((0, 1, 2), [
        (saturday("02:12:00"), "APP_UPDATE", "evil.example"),
        (saturday("02:13:00"), "ACCOUNT_UPDATE_SETTINGS", "example.org.evil.example"),
    ]),
    9: ((0, 1, 2), [
        (saturday("02:14:00"), "delete", "aaaaaaaa-0000-4000-8000-000000000001"),
        (saturday("02:15:00"), "disable", "aaaaaaaa-0000-4000-8000-000000000002"),
    ]),
    10: ((0, 1, 3, 4), [(ACCOUNT, ROGUE, "APP_CREATE", 1), (ACCOUNT, SERVER, "NUMBER_ASSIGN", 20)]),
    11: ((0, 1, 2, 3, 4), [
        (INTRUDER, "RO", saturday("02:00:00"), 46, 1), (ROGUE, "RO", at(22, "04:00:00"), 1, 1),
    ]),
    12: ((0, 1, 2), [
        (saturday("02:16:00"), "AUTORELOAD_UPDATE", BEN), (saturday("02:17:00"), "USER_BILLING_UPDATE", BEN),
    ]),
    13: ((0, 1, 2), [(BEN, NIGHT, 25)]),
    14: ((0, 1, 2), [(BEN, kind, count) for kind, count in [
        ("USER_LOGIN", 1), ("USER_PRODUCT_SEARCH", 25), ("ACCOUNT_SECRET_CREATE", 1), ("IP_WHITELIST_CREATE", 1),
        ("USER_CREATE", 1), ("USER_API_KEYS_UPDATE", 1), ("NUMBER_UPDATED", 2), ("APP_UPDATE", 1),
        ("ACCOUNT_UPDATE_SETTINGS", 1), ("APP_DELETE", 1), ("APP_DISABLE", 1), ("AUTORELOAD_UPDATE", 1),
        ("USER_BILLING_UPDATE", 1), ("NUMBER_RELEASE", 7),
    ]]),
    15: ((0, 1, 2, 3, 5, 6, 7, 8), [
        (249, 0, 1, 1, 0, 81, at(2, "09:00:00"), at(27, "17:30:00")),
    ]),
}


def ask(view, folder):
    engine = duckdb.connect()
    engine.execute("SET autoinstall_known_extensions = false; SET TimeZone = 'UTC'")
    engine.execute(pathlib.Path(view).read_text("utf-8"))
    questions = sorted(pathlib.Path(folder).glob("*.sql"))
    assert [int(path.name[:2]) for path in questions] == list(ANSWERS), questions
    for path in questions:
        columns, wanted = ANSWERS[int(path.name[:2])]
        rows = engine.execute(path.read_text("utf-8")).fetchall()
        found = [tuple(row[column] for column in columns) for row in rows]
        found = [tuple(v.astimezone(UTC) if isinstance(v, datetime.datetime) and v.tzinfo else v for v in row) for row in found]
        assert found == wanted, f"{path.name}:\nfound  {found}\nwanted {wanted}"
        print(f"{path.name}: {len(found)} rows, as planted")


if __name__ == "__main__":
    {"plant": plant, "ask": ask}[sys.argv[1]](*sys.argv[2:])
