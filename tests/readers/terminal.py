"""Runs a command on a terminal of its own and says what a person would have seen there.

terminal.py LINESxCOLUMNS [--resize LINESxCOLUMNS] -- COMMAND …: with --resize the terminal changes once the first progress has
been seen. Prints one JSON object: `code`; `raw`, all that came; `frames`, each screen that stood there, as lines without the
blank ones at the end; `screen`, the last of them; `scrolled`, how many lines left it at the top; `resized`, the first frame after it.
"""

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios

import pyte


def size(text):
    lines, columns = text.split("x")
    return int(lines), int(columns)


words = sys.argv[1:]
command = words[words.index("--") + 1 :]
lines, columns = size(words[0])
wanted = size(words[2]) if words[1] == "--resize" else None

main, side = pty.openpty()
fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
screen = pyte.HistoryScreen(columns, lines, history=10_000)
stream = pyte.Stream(screen)
decoder = codecs.getincrementaldecoder("utf-8")()
child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=side, stderr=side)
os.close(side)

raw, frames, resized = "", [], None


def shown():
    rows = [line.rstrip() for line in screen.display]
    while rows and not rows[-1]:
        rows.pop()
    return rows


while True:
    readable, _, _ = select.select([main], [], [], 300)
    assert readable, "the command says nothing"
    try:
        data = os.read(main, 65536)
    except OSError:  # The other end is closed.
        break
    if not data:
        break
    text = decoder.decode(data)
    raw += text
    stream.feed(text)
    frame = shown()
    if frame and (not frames or frames[-1] != frame):
        frames.append(frame)
    if wanted and any("windows" in line for line in frame):
        lines, columns = wanted
        # Before the program hears of it, so that what it says next is taken as it is meant. Then from an empty screen: what stood
        # there is the terminal's to lay out anew, and terminals differ.
        screen.resize(lines, columns)
        screen.reset()
        fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        resized, wanted = len(frames), None

print(json.dumps({
    "code": child.wait(), "raw": raw, "frames": frames, "screen": shown(), "scrolled": len(screen.history.top), "resized": resized,
}))
