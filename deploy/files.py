"""What is written down for operators: rules, dashboards, runbooks, and the metrics that they ask for."""

import json
import pathlib
import re

DEPLOY = pathlib.Path(__file__).resolve().parent
ROOT = DEPLOY.parent
RULES = sorted((DEPLOY / "prometheus").glob("*.rules.yml"))
TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.test.yml"))
RUNBOOKS = DEPLOY / "runbooks"
DASHBOARDS = ROOT / "dashboards" / "grafana"
#: What Prometheus makes itself.
ITS_OWN = {"up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"}


def rules():
    """Each rule of the rule files: kind, name, expression, annotations. Reads the plain style they are written in."""
    for path in RULES:
        blocks = re.split(r"^      - (?=alert:|record:)", path.read_text(encoding="utf-8"), flags=re.M)[1:]
        for block in blocks:
            kind, name = re.match(r"(alert|record): (\S+)", block).groups()
            body = re.search(r"^        expr: (\|\n(?:(?:          .*)?\n)+|.*\n)", block, flags=re.M).group(1)
            expression = body.removeprefix("|\n").strip().strip("'")
            annotations = dict(re.findall(r"^          (\w+): *(.*)$", block, flags=re.M))
            yield {"file": path.name, "kind": kind, "name": name, "expr": expression, "annotations": annotations}


def alerts():
    return sorted({rule["name"] for rule in rules() if rule["kind"] == "alert"})


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def boards():
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def runbook_queries(path):
    return [query.strip() for query in re.findall(r"^```promql\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.M | re.S)]


def queries():
    """Each query there is, with the place where it stands."""
    for rule in rules():
        yield f"{rule['file']}: {rule['name']}", rule["expr"]
    for name, board in boards().items():
        for panel in panels(board):
            for target in panel.get("targets", []):
                yield f"{name}: {panel['title']}", target["expr"]
        for annotation in board["annotations"]["list"]:
            if "expr" in annotation:
                yield f"{name}: annotation {annotation['name']}", annotation["expr"]
    for path in sorted(RUNBOOKS.glob("Tickwire*.md")):
        for query in runbook_queries(path):
            yield path.name, query


def names_in(expression):
    """The metrics that a query asks for."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\[[^\]]*\]|\b(by|on|without|ignoring|group_left|group_right)\s*(\([^)]*\))?", " ", bare)
    bare = re.sub(r"\{[^}]*\}", "{} ", bare)
    words = re.findall(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])", bare)
    return {word for word in words if word not in {"and", "or", "unless", "bool", "offset", "inf"}}


def declared(metrics):
    """Names of metrics that there are: in a scrape, or in the code."""
    if metrics:
        text = pathlib.Path(metrics).read_text(encoding="utf-8")
        return set(re.findall(r"^# TYPE (\S+) ", text, flags=re.M)) | set(re.findall(r"^([a-zA-Z_:][\w:]*)[ {]", text, flags=re.M))
    found = set()
    for path in ROOT.glob("crates/*/src/metrics.rs"):
        found |= set(re.findall(r'"((?:tickwire|process)_\w+)"', path.read_text(encoding="utf-8")))
    # The page that the code writes has also those of the process, which a library declares.
    page = DEPLOY / "metrics.md"
    if page.exists():
        found |= set(re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), flags=re.M))
    return found


def recorded(there):
    """The names that recording rules make of metrics that are there, and of one another."""
    made, before = set(), None
    records = [rule for rule in rules() if rule["kind"] == "record"]
    while made != before:
        before = set(made)
        made |= {rule["name"] for rule in records if not lacking(rule["expr"], there | made)}
    return made


def lacking(expression, there):
    """The metrics of a query that are not there."""
    stems = {name: re.sub(r"_(bucket|sum|count)$", "", name) for name in names_in(expression)}
    return sorted(name for name, stem in stems.items() if not {name, stem} & (there | ITS_OWN))


def runbook_commands():
    """Each `tickwire` command of a runbook: the file, the words of the subcommand, its flags."""
    for path in sorted(RUNBOOKS.glob("*.md")):
        for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.M | re.S):
            for line in re.findall(r"^tickwire (.*)$", block, flags=re.M):
                words = line.split("|")[0].split("<")[0].split(";")[0].split()
                depth = 2 if words[0] == "token" else 1
                yield path.name, words[:depth], [word for word in words[depth:] if re.match(r"--?[a-z]", word)]
