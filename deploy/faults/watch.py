"""A Prometheus and an Alertmanager of our own, with the rules as they are but for their times."""

import json
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from files import DEPLOY, RULES, RUNBOOKS, runbook_queries

#: What a range of the rules is here. Their order is kept, so that long windows are longer than short ones.
RANGES = {"5m": "15s", "10m": "20s", "15m": "30s", "30m": "30s", "1h": "40s", "2h": "40s", "6h": "50s", "1d": "60s", "3d": "60s"}


def shortened(expression):
    return re.sub(r"\[(\w+)\]", lambda found: f"[{RANGES.get(found.group(1), found.group(1))}]", expression)


def rendered(text):
    """Rules that are looked at each second, over seconds; every bound stays what it is."""
    text = re.sub(r"^    interval: \w+$", "    interval: 1s", text, flags=re.M)
    text = re.sub(r"^        for: (?!0m)\w+$", "        for: 2s", text, flags=re.M)
    return shortened(text)


class Service:
    """A process that answers over HTTP, on a port of its own choosing."""

    def __init__(self, name, command, folder, port):
        self.name, self.url = name, f"http://127.0.0.1:{port}"
        self.log = (folder / f"{name}.log").open("wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def ask(self, path, **query):
        url = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            # What is wrong with a question stands in the answer.
            return json.load(error)

    def wait(self, path, seconds=30):
        until = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url + path, timeout=5):
                    return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not start: see {self.log.name}") from None
                time.sleep(0.2)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


#: Where Debian's Alertmanager has its templates, and looks for them wherever it lies itself.
TEMPLATES = pathlib.Path("/usr/share/prometheus/alertmanager/default.tmpl")


def alertmanager(tool, folder, port):
    before = []
    if not TEMPLATES.exists():
        # One that is not installed is shown its own share beside the system's.
        mount = 'mount -t overlay overlay -o "lowerdir=$0:/usr/share" /usr/share && exec "$@"'
        before = ["unshare", "--mount", "sh", "-c", mount, tool.resolve().parent.parent / "share"]
    return Service("alertmanager", [
        *before, tool.resolve(), f"--config.file={DEPLOY / 'prometheus' / 'alertmanager.yml'}", f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], folder, port)


def prometheus(tool, folder, port, targets, alerts_to):
    """`targets`: the name of each plant, and where its metrics are."""
    home = folder / f"prometheus-{port}"
    home.mkdir()
    for path in RULES:
        (home / path.name).write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
    static = [{"targets": [address], "labels": {"instance": name}} for name, address in targets.items()]
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": ["*.rules.yml"],
        "scrape_configs": [{"job_name": "tickwire", "static_configs": static}],
    }
    if alerts_to:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alerts_to]}]}]}
    # What is JSON is YAML.
    (home / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    return Service(f"prometheus-{port}", [
        tool, f"--config.file={home / 'prometheus.yml'}", f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--query.lookback-delta=10s"], folder, port)


def firing(service):
    """The labels of each alert that fires."""
    alerts = service.ask("/api/v1/alerts")["data"]["alerts"]
    return [alert["labels"] for alert in alerts if alert["state"] == "firing"]


def first_answer(service, alert):
    """What the first query of an alert's runbook tells: each series with its value."""
    query = shortened(runbook_queries(RUNBOOKS / f"{alert}.md")[0])
    answer = service.ask("/api/v1/query", query=query)
    return query, [(series["metric"], series["value"][1]) for series in answer.get("data", {}).get("result", [])]
