#!/usr/bin/env python3
"""Checks what operators are given: rules, alerts, runbooks, dashboards, units, manifests.

Needs nothing but Python. Tools that are not there are named and passed over; `--need TOOL` makes that a failure.
`--metrics FILE` holds the names in use against a scrape; without it, against what crates/*/src/metrics.rs and
metrics.md declare.
`--prometheus URL` asks that server each query of rules, dashboards and runbooks, and lists those without data.
Exit code 1 if anything is wrong. The last line is `N passed, M failed, K not run`.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import files
from files import DASHBOARDS, DEPLOY, ROOT, RULES, RUNBOOKS, TESTS

OVERLAYS = ("base", "overlays/dev", "overlays/prod")
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
ANNOTATIONS = ["summary", "description", "runbook_url", "dashboard_url"]
EXPOSURE_MAX = 1.5
#: Kinds that the cluster learns from others: no schema of them is at hand.
FOREIGN = {"ServiceMonitor"}


class Report:
    """What was found, told as it comes."""

    def __init__(self):
        self.passed, self.failed, self.not_run = 0, 0, []

    def result(self, name, faults):
        faults = list(faults)
        if faults:
            self.failed += 1
            print(f"FAIL  {name}")
            for fault in faults:
                print(f"      {fault}")
        else:
            self.passed += 1
            print(f"ok    {name}")

    def missing(self, tool, what):
        self.not_run.append(tool)
        print(f"-     {what}: {tool} is not here")


# The checks -----------------------------------------------------------------------------------------------------------

def check_alerts(report):
    tests = "\n".join(path.read_text(encoding="utf-8") for path in TESTS)
    faults = []
    for rule in files.rules():
        if rule["kind"] != "alert":
            continue
        name = rule["name"]
        faults += [f"{name} has no {key}" for key in ANNOTATIONS if key not in rule["annotations"]]
        if not rule["annotations"].get("runbook_url", "").endswith(f"/runbooks/{name}.md"):
            faults.append(f"{name} names another runbook")
        board = re.search(r"/d/([\w-]+)", rule["annotations"].get("dashboard_url", ""))
        if not board or board.group(1) not in {board["uid"] for board in files.boards().values()}:
            faults.append(f"{name} names a dashboard that is not there")
    report.result("each alert says what, how bad, what to do and where to look", faults)
    faults = []
    for name in files.alerts():
        cases = re.split(r"^  - name: ", tests, flags=re.M)
        fires = [case for case in cases if re.search(rf'ALERTS\{{alertname="{name}"[^\n]*\n[^\n]*\n +exp_samples:\n', case)]
        quiet = [case for case in cases if re.search(rf"alertname: {name}\n[^\n]*\n +exp_alerts: \[\]", case)]
        faults += [f"{name} has no test in which it fires"] * (not fires) + [f"{name} has no test in which it does not"] * (not quiet)
    report.result("each alert has a test in which it fires and one in which it does not", faults)


def check_runbooks(report):
    names, pages = set(files.alerts()), {path.stem for path in RUNBOOKS.glob("Tickwire*.md")}
    faults = [f"{name} has no runbook" for name in sorted(names - pages)]
    faults += [f"{name}.md has no alert" for name in sorted(pages - names)]
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    for name in sorted(pages):
        path = RUNBOOKS / f"{name}.md"
        found = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), flags=re.M)
        if found != SECTIONS:
            faults.append(f"{name}.md has the sections {found}")
        if not files.runbook_queries(path):
            faults.append(f"{name}.md has no query")
        if f"]({name}.md)" not in index:
            faults.append(f"{name}.md is not in the list of runbooks")
    report.result("each alert has its runbook, with all sections, and each runbook its alert", faults)


def anchors(path):
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def check_links(report):
    faults = []
    for path in [*DEPLOY.rglob("*.md"), *DASHBOARDS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            if "://" in target:
                continue
            if not there.exists():
                faults.append(f"{path.relative_to(ROOT)}: {target} is not there")
            elif anchor and anchor not in anchors(there):
                faults.append(f"{path.relative_to(ROOT)}: {target} has no such heading")
    for name, board in files.boards().items():
        for url in re.findall(r'/runbooks/(\w+)\.md', json.dumps(board)):
            if not (RUNBOOKS / f"{url}.md").exists():
                faults.append(f"{name}: there is no runbook {url}")
    report.result("each link leads somewhere", faults)
    done = subprocess.run([sys.executable, DEPLOY / "urls.py", "--check"], capture_output=True, text=True, check=False)
    report.result("rules say where things are as urls.json does", done.stdout.splitlines() or ([done.stderr] if done.returncode else []))


def check_dashboards(report):
    done = subprocess.run([sys.executable, DASHBOARDS / "generate.py", "--check"], capture_output=True, text=True, check=False)
    report.result("dashboards are what generate.py makes", done.stdout.splitlines() or ([done.stderr] if done.returncode else []))
    faults, uids = [], [board["uid"] for board in files.boards().values()]
    for name, board in files.boards().items():
        if board["id"] is not None or uids.count(board["uid"]) != 1:
            faults.append(f"{name}: the id is not null, or the uid not its own")
        if board["schemaVersion"] not in (41, 42):
            faults.append(f"{name}: schemaVersion is neither 41 nor 42")
        if not {"datasource", "job", "instance"} <= {variable["name"] for variable in board["templating"]["list"]}:
            faults.append(f"{name}: a variable is missing")
        if len(board["annotations"]["list"]) < 3 or not board["links"]:
            faults.append(f"{name}: annotations or links are missing")
        ids = [panel["id"] for panel in files.panels(board)]
        if len(ids) != len(set(ids)):
            faults.append(f"{name}: two panels have one id")
        taken = set()
        for panel in files.panels(board):
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            if taken & cells or place["x"] + place["w"] > 24:
                faults.append(f"{name}: {panel['title']} lies over another panel, or outside")
            taken |= cells
            if panel["type"] == "row":
                continue
            if not panel.get("description") or not panel["fieldConfig"]["defaults"].get("unit"):
                faults.append(f"{name}: {panel['title']} has no description or no unit")
            if panel["datasource"]["uid"] != "${datasource}":
                faults.append(f"{name}: {panel['title']} has a data source of its own")
            for target in panel["targets"]:
                if re.search(r"(?<!_over_time)\brate\([^$]*\[\d", target["expr"]):
                    faults.append(f"{name}: {panel['title']} has a rate over a fixed window")
    report.result("dashboards keep the conventions", faults)


def check_names(report, metrics):
    there = files.declared(metrics)
    made = {rule["name"] for rule in files.rules() if rule["kind"] == "record"}
    wanted = {}
    for where, expression in files.queries():
        for name in files.lacking(expression, there | made):
            wanted.setdefault(name, where)
    source = metrics or "crates/*/src/metrics.rs or metrics.md"
    report.result(
        f"each metric in use is in {source} or recorded by a rule",
        [f"{name} ({where})" for name, where in sorted(wanted.items())],
    )


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    return done.returncode, (done.stdout + done.stderr).strip()


def failing(code, text, lines=12):
    return text.splitlines()[-lines:] or [f"exit code {code}"] if code else []


def check_tools(report, binary, have):
    prometheus = DEPLOY / "prometheus"
    if tool := have("promtool"):
        report.result("promtool check rules", failing(*run([tool, "check", "rules", "--lint=all", "--lint-fatal", *RULES])))
        report.result("promtool test rules", failing(*run([tool, "test", "rules", *TESTS])))
        config = prometheus / "prometheus.yml"
        report.result("promtool check config", failing(*run([tool, "check", "config", "--syntax-only", config])))
    else:
        report.missing("promtool", "rules and their tests")
    if tool := have("amtool"):
        config = prometheus / "alertmanager.yml"
        report.result("amtool check-config", failing(*run([tool, "check-config", config])))
        ways = [("critical", "page"), ("warning", "ticket")]
        faults = []
        for severity, receiver in ways:
            code, text = run([tool, "config", "routes", "test", f"--config.file={config}", f"severity={severity}"])
            faults += [f"{severity} goes to {text}"] * (code != 0 or text.splitlines()[:1] != [receiver])
        report.result("amtool: alerts go where they should", faults)
    else:
        report.missing("amtool", "the ways of alerts")
    if tool := have("yamllint"):
        report.result("yamllint", failing(*run([tool, "--strict", "-c", DEPLOY / ".yamllint.yml", DEPLOY, DASHBOARDS])))
    else:
        report.missing("yamllint", "the style of YAML")
    check_configurations(report, binary)
    check_commands(report, binary)
    check_systemd(report, binary, have)
    check_kubernetes(report, have)
    if tool := have("check-jsonschema"):
        compose = DEPLOY / "compose.yaml"
        report.result("compose.yaml has the shape it must have", failing(*run([tool, "--builtin-schema", "vendor.compose-spec", compose])))
    else:
        report.missing("check-jsonschema", "the shape of compose.yaml")


def check_configurations(report, binary):
    if not binary:
        report.missing("--binary", "the configurations")
        return
    faults = []
    for path in sorted(DEPLOY.rglob("*.toml")):
        with tempfile.TemporaryDirectory() as folder:
            key = pathlib.Path(folder) / "secret.key"
            key.write_text("0123456789abcdef" * 4, encoding="utf-8")
            text = re.sub(r'^secret_file = .*$', f'secret_file = "{key}"', path.read_text(encoding="utf-8"), flags=re.M)
            # A certificate is for whoever has one.
            text = re.sub(r"^tls_cert_file.*$", "allow_plain = true", re.sub(r"^tls_key_file.*\n", "", text, flags=re.M), flags=re.M)
            config = pathlib.Path(folder) / "tickwire.toml"
            config.write_text(text.replace("/var/lib/tickwire", folder), encoding="utf-8")
            code, text = run([binary, "serve", "-c", str(config), "--check-config"])
            faults += [f"{path.relative_to(ROOT)}: {line}" for line in failing(code, text)]
    report.result("tickwire serve --check-config of each configuration", faults)


def check_commands(report, binary):
    if not binary:
        report.missing("--binary", "the commands of runbooks")
        return
    faults, helps = [], {}
    for file, command, flags in files.runbook_commands():
        key = tuple(command)
        helps[key] = helps.get(key) or run([binary, *command, "--help"])
        code, text = helps[key]
        if code:
            faults.append(f"{file}: there is no tickwire {' '.join(command)}")
        faults += [f"{file}: tickwire {' '.join(command)} has no {flag}" for flag in flags if not re.search(rf"(?<!\S){flag}\b", text)]
    report.result("each command of a runbook is one that the program knows", faults)


def check_systemd(report, binary, have):
    tool = have("systemd-analyze")
    if not tool:
        report.missing("systemd-analyze", "units")
        return
    units = [DEPLOY / "systemd" / name for name in ("tickwire.service", "tickwire.socket")]
    code, text = run([tool, "security", "--offline=true", units[0]])
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", text)
    level = float(found.group(1)) if found else 10.0
    report.result(f"systemd-analyze security: exposure {level}, at most {EXPOSURE_MAX}", [] if level <= EXPOSURE_MAX else [f"{level}"])
    if not binary:
        report.missing("--binary", "systemd-analyze verify")
        return
    version = re.match(r"systemd (\d+)", run([tool, "--version"])[1])
    is_old = version is not None and int(version.group(1)) < 253
    drop_ins = [DEPLOY / "systemd" / "tickwire.service.d" / name for name in (["before-253.conf"] if is_old else []) + ["handover.conf"]]
    for place, taken in {"as it is": drop_ins[:-1], "with hand-over": drop_ins}.items():
        verify(report, tool, binary, units, taken, place)


def verify(report, tool, binary, units, drop_ins, place):
    with tempfile.TemporaryDirectory() as folder:
        # The units name the program where it will be: here it is elsewhere.
        for unit in [*units, *drop_ins]:
            text = unit.read_text(encoding="utf-8").replace("/usr/local/bin/tickwire", str(pathlib.Path(binary).resolve()))
            made = pathlib.Path(folder) / unit.relative_to(DEPLOY / "systemd")
            made.parent.mkdir(exist_ok=True)
            made.write_text(text, encoding="utf-8")
        code, text = run([tool, "verify", "--man=no", *(str(pathlib.Path(folder) / unit.name) for unit in units)])
    # An older systemd passes over what its drop-in puts right.
    is_known = drop_ins and drop_ins[0].name == "before-253.conf"
    faults = [line for line in text.splitlines() if "tickwire" in line and not (is_known and line.endswith("ignoring: notify-reload"))]
    report.result(f"systemd-analyze verify, {place}", faults or ([text] if code else []))


def check_kubernetes(report, have):
    tool, validate = have("kubectl"), have("kubernetes-validate")
    if not tool:
        report.missing("kubectl", "manifests")
        return
    if not validate:
        report.missing("kubernetes-validate", "manifests against their schemas")
    for name in OVERLAYS:
        code, text = run([tool, "kustomize", DEPLOY / "kubernetes" / name])
        report.result(f"kubectl kustomize {name}", failing(code, text))
        if code or not validate:
            continue
        documents = [part for part in text.split("\n---\n") if not re.search(rf"^kind: ({'|'.join(FOREIGN)})$", part, flags=re.M)]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write("\n---\n".join(documents) + "\n")
            file.flush()
            report.result(f"kubernetes-validate --strict {name}", failing(*run([validate, "--strict", file.name])))


def ask(url, expression):
    """The number of series that a query gives, or why it gives none."""
    for variable, value in (("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*")):
        expression = expression.replace(variable, value)
    data = urllib.parse.urlencode({"query": expression}).encode()
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/query", data, timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        return None, json.load(error).get("error", str(error))
    return [series for series in result if series["value"][1] != "NaN"], None


def without_comparison(expression):
    """What an alert looks at, without the bound that it must cross: that has data also where all is well."""
    bare = re.sub(r"\s+(and|unless)\b.*", "", expression, flags=re.S)
    return re.sub(r"\s*(==|!=|>=|<=|>|<)\s*[-\d.* ]+$", "", bare.strip())


def check_live(report, url, metrics):
    there = files.declared(metrics)
    there |= files.recorded(there)
    alerting = {rule["expr"] for rule in files.rules() if rule["kind"] == "alert"}
    faults, empty, absent, count = [], set(), set(), 0
    for where, expression in files.queries():
        count += 1
        bounded = expression in alerting or where.endswith(".md")
        asked = without_comparison(expression) if bounded else expression
        found, error = ask(url, asked)
        told = f"{where}: {' '.join(asked.split())[:150]}"
        if error:
            faults.append(f"{where}: {error}")
        elif not found:
            missing = files.lacking(expression, there)
            (absent if missing else empty).add(told + (f" <- {', '.join(missing)}" if missing else ""))
    report.result(f"{count} queries are understood by Prometheus", faults)
    for title, lines in (("without data, though their metrics are there", empty), ("without data, for a metric that is not there", absent)):
        print(f"      {len(lines)} {title}")
        for line in sorted(lines):
            print(f"        {line}")
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/rules", timeout=30) as answer:
            groups = json.load(answer)["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        bad = [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("health") == "err"]
    except (OSError, KeyError) as error:
        bad = [str(error)]
    report.result("Prometheus works out every rule that it has", bad)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metrics", metavar="FILE", help="a scrape of /metrics")
    parser.add_argument("--prometheus", metavar="URL", help="a Prometheus that scrapes a loaded plant")
    parser.add_argument("--binary", metavar="FILE", help="the program, for systemd-analyze verify")
    parser.add_argument("--tools", metavar="FOLDER", action="append", default=[], help="where tools are, beside the PATH; may be repeated")
    parser.add_argument("--need", metavar="TOOL", action="append", default=[], help="fail without this tool; may be repeated")
    asked = parser.parse_args()
    report = Report()
    places = os.pathsep.join([*asked.tools, os.environ.get("PATH", "")])

    def have(tool):
        return shutil.which(tool, path=places)

    check_alerts(report)
    check_runbooks(report)
    check_links(report)
    check_dashboards(report)
    check_names(report, asked.metrics)
    check_tools(report, asked.binary, have)
    if asked.prometheus:
        check_live(report, asked.prometheus, asked.metrics)
    lacking = [tool for tool in asked.need if not have(tool)]
    if lacking:
        report.result("the tools that are needed are here", lacking)
    print(f"{report.passed} passed, {report.failed} failed, {len(report.not_run)} not run")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
