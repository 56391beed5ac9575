#!/usr/bin/env python3
"""The licence texts of all that is in the static program: python3 packaging/notices.py > THIRD-PARTY-LICENCES.txt

MIT, BSD, ISC and Apache-2.0 ask that their texts go with the program. Taken are the files that each crate ships, each
text once, with the crates that carry it; a crate that ships none is listed with its licence's name. The standard
library's come from the toolchain (rustup component rust-docs or a distribution's package), musl's from Debian's package.
"""

import html
import json
import pathlib
import re
import subprocess
import sys

TARGET = "x86_64-unknown-linux-musl"
WANTED = re.compile(r"(licen[sc]e|copying|notice|copyright)", re.IGNORECASE)


def crates():
    """(name and version, licence, folder) of what is linked in: no build scripts' or tests' crates."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={TARGET}"]
    known = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in known["packages"]}
    nodes = {node["id"]: node for node in known["resolve"]["nodes"]}
    root = known["resolve"]["root"]
    open_, seen = [root], {root}
    while open_:
        for edge in nodes[open_.pop()]["deps"]:
            linked = any(kind["kind"] is None for kind in edge["dep_kinds"])
            macro = any("proc-macro" in target["kind"] for target in packages[edge["pkg"]]["targets"])
            if linked and not macro and edge["pkg"] not in seen:
                seen.add(edge["pkg"])
                open_.append(edge["pkg"])
    for package in sorted((packages[one] for one in seen - {root}), key=lambda p: (p["name"], p["version"])):
        folder = pathlib.Path(package["manifest_path"]).parent
        yield f"{package['name']} {package['version']}", package["license"] or "see its text", folder


def toolchain():
    """(name, text) of what the compiler itself links in."""
    root = subprocess.run(["rustc", "--print=sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    page = pathlib.Path(root, "share/doc/rust/COPYRIGHT-library.html").read_text(encoding="utf-8")
    body = re.sub(r"<(style|script|title)\b.*?</\1>", "", page, flags=re.DOTALL)
    yield "the Rust standard library", re.sub(r"\n\s*\n+", "\n\n", html.unescape(re.sub(r"<[^>]+>", "", body)))
    yield "musl libc", pathlib.Path("/usr/share/doc/musl/copyright").read_text(encoding="utf-8")


def main():
    texts, bare, count = {text.strip(): [name] for name, text in toolchain()}, [], 0
    for name, licence, folder in crates():
        count += 1
        # Depth two finds the texts of C code that a crate brings (zstd, ring's parts).
        files = sorted(path for pattern in ("*", "*/*") for path in folder.glob(pattern)
                       if path.is_file() and WANTED.search(path.name) and path.suffix not in (".rs", ".toml", ".yml"))
        if not files:
            bare.append(f"{name}: {licence}")
        for path in files:
            text = "\n".join(line.rstrip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
            texts.setdefault(text.strip(), []).append(f"{name} ({licence})")
    print("What is linked into vonage-audit, and under which licences.\n")
    for text, names in sorted(texts.items(), key=lambda item: item[1]):
        print("=" * 78, *dict.fromkeys(names), "-" * 78, text, "", sep="\n")
    if bare:
        print("=" * 78, "Crates that ship no text of their licence:", *bare, sep="\n")
    print(f"{count} crates, {len(texts)} texts, {len(bare)} without one", file=sys.stderr)


if __name__ == "__main__":
    main()
