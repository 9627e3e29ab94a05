"""Checks the forms of a report: one line per check, exit status 1 when one fails."""

import io
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import junitparser
import pandas
from hdrh.histogram import HdrHistogram

import accessible

TRIWIRE = os.environ["TRIWIRE"]
SCENARIO = """{
  "name": "forms", "description": "text & <marks>", "clients": 20,
  "traffic": [{ "direction": "echo", "rate": "50/s per client", "payload": "64 B" }],
  "warmUp": "100 ms", "duration": "1200 ms", "repetitions": 1, "tls": ["off", "1.3"],
  "thresholds": {
    "latency.p50": "< 10 s", "sse.serverCPUPerMessage": "< 1 ns", "overhead": "< 1 % advisory"
  }
}
"""
FORMATS = "html,markdown,csv,junit,hdr,github-action-benchmark,bencher"
failed = 0


def check(name, passed, why=""):
    """Prints the outcome of a check and remembers a failure."""
    global failed
    print(f"{'ok' if passed else 'FAILED'}  {name}{'' if passed else f': {why}'}")
    failed += 0 if passed else 1


def triwire(*words):
    """Runs the command and gives its status and output."""
    done = subprocess.run([TRIWIRE, *words], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def page(out):
    """tidy finds nothing to say about the page."""
    done = subprocess.run(
        ["tidy", "-q", "-e", str(out / "report.html")], capture_output=True, text=True)
    check("tidy finds no error and no warning", done.returncode == 0, done.stderr[:500])


def look(browser, name, page_path):
    """axe finds nothing, no text of a chart is cut or covered, and nothing is wider than the screen."""
    found = browser.findings(page_path)
    check(f"axe and the ruler find nothing on {name}", not found, "; ".join(found)[:2000])


def junit(out, report):
    """junitparser reads as many cases as there are assertions, and the same failures."""
    suites = junitparser.JUnitXml.fromfile(str(out / "junit.xml"))
    cases = [case for suite in suites for case in suite]
    broken = [case for case in cases if any(
        isinstance(result, junitparser.Failure) for result in case.result)]
    # 6 contenders: delivery, latency and overhead each, and the CPU of sse in two modes.
    check("junitparser reads 20 cases", len(cases) == 20, str(len(cases)))
    void = any(trial["failures"] for trial in report["trials"])
    check("junitparser finds the broken thresholds", void or
          [case.name for case in broken] == [
              f"sse {mode}: sse.serverCPUPerMessage < 1 ns" for mode in ("no TLS", "TLS 1.3")],
          str([case.name for case in broken]))
    check("the counts of a suite are those of its cases", all(
        suite.tests == len(list(suite)) for suite in suites))


def csv(out, report):
    """pandas reads the figures that result.json has."""
    table = pandas.read_csv(out / "result.csv", dtype={"tls": str})
    for trial in report["trials"]:
        rows = table[(table.transport == trial["transport"]) & (table.tls == trial["tls"])
                     & (table.repetition == trial["repetition"])].set_index("metric").value
        delivered, p50 = trial["delivery"]["delivered"], trial["latencyMicroseconds"]["p50"]
        name = f"pandas reads {trial['transport']} {trial['tls']} as result.json has it"
        check(name, rows["delivered"] == delivered and (
            p50 is None or abs(rows["latency.p50"] - p50) < 0.001), str(rows.to_dict()))
    check("pandas finds one value for each key", not table.duplicated(
        ["scenario", "transport", "tls", "repetition", "metric", "control"]).any())


def hdr(out, report):
    """The percentile text has HdrHistogram's form, and its buckets' figures at each level.

    Levels and footer are those of HdrHistogram in Java and C. Its Python library takes other levels
    beyond the second row, prints the deviation in other units than the mean, and the count as a
    fraction: so rows are checked against its buckets, and the footer by its figures.
    """
    for trial in report["trials"]:
        histogram = HdrHistogram.decode(trial["latencyMicroseconds"]["hdrHistogram"])
        text = io.BytesIO()
        histogram.output_percentile_distribution(text, 1e6)
        theirs = text.getvalue().decode().splitlines()
        name = f"latency-forms-{trial['transport']}-tls-{trial['tls']}.hgrm"
        ours = (out / name).read_text().splitlines()
        check(f"{name} begins as HdrHistogram prints it", ours[:4] == theirs[:4], str(ours[:4]))
        footer = [
            f"#[Mean    = {histogram.get_mean_value() / 1e6:12.3f}, "
            f"StdDeviation   = {histogram.get_stddev() / 1e6:12.3f}]",
            f"#[Max     = {histogram.get_max_value() / 1e6:12.3f}, "
            f"Total count    = {histogram.get_total_count():12d}]"]
        check(f"{name} ends with HdrHistogram's figures",
              ours[-4:] == [theirs[-4], *footer, theirs[-1]], f"{ours[-4:]} {footer}")
        total = histogram.get_total_count()
        passed, buckets = 0, []
        for item in histogram.get_recorded_iterator():
            passed += item.count_added_in_this_iter_step
            buckets.append((item.value_iterated_to, passed))
        level, expected = 0.0, []
        for row in ours[2:-4]:
            value, count = next(each for each in buckets if 100 * each[1] / total >= level)
            expected.append(f"{value / 1e6:12.3f} {level / 100:14.12f} {count:10d} "
                            f"{1 / (1 - level / 100):14.2f}")
            # Five steps for each half of what is left, as in AbstractHistogram.java.
            halves = int(math.log(100 / (100 - level)) / math.log(2)) + 1
            level += 100 / (5 * 2 ** halves)
        wrong = [pair for pair in zip(ours[2:-4], expected) if pair[0] != pair[1]]
        check(f"{name} has the figures of HdrHistogram's buckets", not wrong, str(wrong[:3]))


def feeds(out):
    """The feeds of services have the shape that their documents ask for."""
    entries = json.loads((out / "github-action-benchmark.json").read_text())
    check("github-action-benchmark: name, unit and value of each", bool(entries) and all(
        isinstance(entry["name"], str) and isinstance(entry["unit"], str)
        and isinstance(entry["value"], (int, float)) for entry in entries))
    measures = json.loads((out / "bencher.json").read_text())
    check("bencher: a value for each measure", bool(measures) and all(
        isinstance(measure["value"], (int, float))
        for benchmark in measures.values() for measure in benchmark.values()))


def main():
    """Runs the scenario and all checks."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "forms.json").write_text(SCENARIO)
        run, out = root / "run", root / "again"
        status, text = triwire(
            "run", str(root / "forms.json"), "--profile", "full", "--output", str(run))
        check("a broken strict threshold makes the run exit with 99", status in (1, 99), text)
        check("the broken threshold stands before the tables", "✗ forms sse" in text.split(
            "(×: times the best)")[0], text[:500])
        status, text = triwire("report", str(run), "--format", FORMATS, "--output", str(out))
        check("triwire report makes all forms", status == 0, text)
        for name in ("report.html", "report.md", "result.csv", "junit.xml"):
            check(f"{name} is the same again",
                  (run / name).read_bytes() == (out / name).read_bytes())
        report = json.loads((run / "result.json").read_text())
        page(out)
        junit(out, report)
        csv(out, report)
        hdr(out, report)
        feeds(out)
        both = root / "both"
        status, text = triwire("report", str(run), str(run), "--output", str(both))
        check("two results make one report", status == 0, text)
        page(both)
        machines = pandas.read_csv(both / "result.csv").machine.nunique()
        check("two machines stay apart", machines == 2, str(machines))
        pages = [("the page", out), ("the page of two machines", both)]
        # More pages to look at, such as those that the tests write with TRIWIRE_PAGES.
        if more := os.environ.get("PAGES"):
            pages += [(path.parent.name, path.parent)
                      for path in sorted(pathlib.Path(more).glob("*/report.html"))]
        with accessible.Browser() as browser:
            for name, place in pages:
                look(browser, name, place / "report.html")
    sys.exit(1 if failed else 0)


main()
