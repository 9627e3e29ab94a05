"""Writes the specifications of an Autobahn run, and judges its reports."""

import collections
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
        if url.startswith("wss:"):
            wanted["key"] = f"{reports}/client.key"
            wanted["cert"] = f"{reports}/client.pem"
    print(json.dumps(wanted))


def judge(side, cases, reports):
    index = json.loads(pathlib.Path(reports, side, "index.json").read_text())[side]
    bad = []
    verdicts = collections.Counter()
    for case, result in index.items():
        verdicts[result["behavior"]] += 1
        for verdict in (result["behavior"], result["behaviorClose"]):
            if verdict == "OK" or (verdict == "INFORMATIONAL" and case in INFORMATIONAL):
                continue
            bad.append(f"{case} {verdict}")
    missing = ALL_CASES - len(index) if cases == "*" else 0
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    over = pathlib.Path(reports).name
    print(f"as {side} over {over}: {counts}; {len(bad)} not as wanted, {missing} missing")
    for line in bad:
        print(f"  {line}")
    return 1 if bad or missing else 0


if sys.argv[1] == "spec":
    spec(*sys.argv[2:6])
else:
    sys.exit(judge(*sys.argv[2:5]))
