#!/usr/bin/env python3
"""Runs the examples on the simulators and writes what they print as pictures, into `examples/pictures`.

Run it in the root of the checkout, after `cargo build --examples`. The picture of `report` is a screenshot: see
`examples/report/screenshots.sh`.
"""

import html
import os
import subprocess
import unicodedata

COLUMNS = 118
CHARACTER = 7.8
LINE = 18
PICTURES = [
    ("list_accounts", ["--provider", "annature", "--provider", "sailpoint", "--max", "268"], [0, 1, 2, 3, -8, -7, -6, -5]),
    ("simulate", ["--accounts", "250"], [0, 1, 6, -1]),
    ("diff", [], list(range(0, 12))),
    ("create_fortanix_account", ["Payments"], list(range(0, 12))),
    ("account_lifecycle", [], None),
    ("custom_provider", [], list(range(0, 6))),
]


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def lines_of(name, arguments, chosen):
    """Returns the lines of the standard output, and after them those of the standard error."""
    command = [os.path.join("target", "debug", "examples", name), *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FORTANIX_", "HUAWEICLOUD_", "ANNATURE_", "SAIL_"))}
    process = subprocess.Popen(
        command, env={**environment, "COLUMNS": str(COLUMNS)}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = process.communicate(timeout=3 if name == "simulate" else 60)
    except subprocess.TimeoutExpired:
        # It serves until it is interrupted.
        process.terminate()
        out, err = process.communicate()
    out, err = out.splitlines(), err.splitlines()
    if chosen is not None:
        shown = [out[index] for index in chosen if -len(out) <= index < len(out)]
        out = shown + ([f"… {len(out) - len(shown)} more lines"] if len(out) > len(shown) else [])
    return [(line, False) for line in out] + [(line, True) for line in err]


def svg(command, lines):
    rows = [(f"$ {command}", "c")] + [(text, "e" if is_error else "o") for text, is_error in lines]
    height = LINE * (len(rows) + 1) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{round(COLUMNS * CHARACTER + 32)}" height="{height}" role="img">',
        f"<title>{html.escape(command)}</title>",
        "<style>text{font:13px ui-monospace,Menlo,Consolas,monospace;white-space:pre}"
        ".o{fill:#e6edf3}.e{fill:#d29922}.c{fill:#7ee787}</style>",
        f'<rect width="100%" height="{height}" rx="8" fill="#0d1117"/>',
    ]
    for number, (text, kind) in enumerate(rows, 1):
        if width(text) > COLUMNS:
            text = text[: COLUMNS - 1] + "…"
        parts.append(f'<text class="{kind}" x="16" y="{number * LINE + 6}" xml:space="preserve">{html.escape(text)}</text>')
    return "\n".join([*parts, "</svg>", ""])


for name, arguments, chosen in PICTURES:
    options = f" -- {' '.join(arguments)}" if arguments else ""
    picture = svg(f"cargo run --example {name}{options}", lines_of(name, arguments, chosen))
    with open(os.path.join("examples", "pictures", f"{name}.svg"), "w", encoding="utf-8") as file:
        file.write(picture)
