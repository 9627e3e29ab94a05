"""Writes the specifications of an Autobahn run, and judges its reports."""

import json
import pathlib
import sys

# What a perfect peer leaves to the reader: how it ends TCP, and codes nobody defined.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
ALL_CASES = 517


def spec(side, url, cases, reports):
    wanted = {
        "outdir": f"{reports}/{side}",
        "cases": cases.split(","),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    if side == "server":
        wanted["servers"] = [{"agent": "server", "url": url}]
    else:
        wanted["url"] = url
    print(json.dumps(wanted))


def judge(side, cases, reports):
    index = json.loads(pathlib.Path(reports, side, "index.json").read_text())[side]
    bad = []
    for case, result in index.items():
        for verdict in (result["behavior"], result["behaviorClose"]):
            if verdict == "OK" or (verdict == "INFORMATIONAL" and case in INFORMATIONAL):
                continue
            bad.append(f"{case} {verdict}")
    missing = ALL_CASES - len(index) if cases == "*" else 0
    print(f"as {side}: {len(index)} cases, {len(bad)} not OK, {missing} missing")
    for line in bad:
        print(f"  {line}")
    return 1 if bad or missing else 0


if sys.argv[1] == "spec":
    spec(*sys.argv[2:6])
else:
    sys.exit(judge(*sys.argv[2:5]))
