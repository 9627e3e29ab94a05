"""Histograms of `triwire run`, read by HdrHistogram's own library."""

import json
import math
import pathlib
import subprocess
import tempfile

from hdrh.histogram import HdrHistogram

from checks import check, expect, expect_equal

SECTION = "histograms"
PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "p999": 99.9}
SCENARIO = {
    "name": "histograms", "clients": 20, "warmUp": "0 s", "duration": "2 s", "repetitions": 1,
    "traffic": [{"direction": "echo", "rate": "100/s per client", "payload": "64 B"}]}


def measured(server):
    """What a short run wrote: all that is called `…Microseconds` and has a histogram."""
    with tempfile.TemporaryDirectory(prefix="triwire-histograms-") as folder:
        path = pathlib.Path(folder) / "histograms.json"
        path.write_text(json.dumps(SCENARIO))
        report = pathlib.Path(folder) / "report"
        done = subprocess.run(
            [server.command[0], "run", str(path), "--profile", "full", "--retries", "0", "--quiet",
             "--output", str(report)],
            capture_output=True, text=True, timeout=100)
        expect(done.returncode == 0, "triwire run:", done.returncode, done.stdout, done.stderr)
        trials = json.loads((report / "result.json").read_text())["trials"]
    expect_equal(len(trials), 3, "trials")
    return [
        (f"{trial['transport']} {key}", value)
        for trial in trials
        for key, value in list(trial.items()) + list((trial["connection"] or {}).items())
        if key.endswith("Microseconds") and isinstance(value, dict)]


def rank(count, percent):
    """Which of the durations, counted from the shortest, stands for a percentile."""
    return max(1, math.ceil(round(count * percent / 100, 6)))


@check(SECTION, "HdrHistogram's library finds the same counts and percentiles", seconds=120)
def same_figures(server):
    histograms = compared = absent = 0
    for name, durations in measured(server):
        form = durations["hdrHistogram"]
        theirs = HdrHistogram.decode(form)
        count = durations["count"]
        expect_equal(theirs.get_total_count(), count, f"count of {name}")
        for key, percent in PERCENTILES.items():
            place = rank(count, percent) if count else 0
            if count - place < 10 or count == 0:
                expect_equal(durations[key], None, f"{key} of {name} with {count} durations")
                absent += 1
                continue
            # Asked by rank, since the library rounds it where ours never goes below.
            value = theirs.get_value_at_percentile(100 * place / count)
            # Ours knows the true maximum, theirs the edge of its bucket. Microseconds with three
            # digits behind the point are whole nanoseconds, but for the last bit of a double.
            expect_equal(
                round(durations[key] * 1000), min(value, round(durations["max"] * 1000)),
                f"{key} of {name} in ns")
            compared += 1
        # Read, written and read again by the library, the buckets are the same.
        buckets = durations["histogram"]["buckets"]
        again = HdrHistogram.decode(theirs.encode())
        for index, counted in buckets:
            expect_equal(again.get_count_at_index(index), counted, f"bucket {index} of {name}")
        histograms += 1
    expect(compared >= 10, "only", compared, "percentiles were compared")
    return f"{histograms} histograms, {compared} percentiles the same, {absent} rightly absent"
