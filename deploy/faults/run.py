#!/usr/bin/env python3
"""Does to plants what the alerts are for, and sees each alert fire in a Prometheus.

The rules are those of deploy/prometheus, with their ranges and waits cut to seconds; every bound stays. For each alert the
first query of its runbook must tell of the plant that has the fault. Nothing may fire for the plant that has none.
Exit code 1 if an alert did not fire. The last line is `N passed, M failed, K not run`.
"""

import argparse
import asyncio
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import faults
import files
import watch
from plants import free_port

#: Alerts of a whole job: whose plant it is, they do not tell.
OF_ALL = {"TickwireDeliveryBudgetBurn", "TickwireFreshnessBudgetBurn", "TickwireAvailabilityBudgetBurn"}


def fits(labels, wanted):
    return all(labels.get(key) == value for key, value in wanted.items())


class Seen:
    """What has fired, and what its runbook told."""

    def __init__(self, stage):
        self.stage, self.fired, self.told, self.strays, self.arrived = stage, {}, {}, set(), set()
        self.began = time.monotonic()

    def look(self, service):
        for labels in watch.firing(service):
            alert = labels["alertname"]
            if labels.get("instance") == "calm" and alert not in OF_ALL:
                self.strays.add(alert)
            wanted = self.stage.expected.get(alert)
            if wanted is None or not fits(labels, wanted):
                continue
            if alert not in self.fired:
                self.fired[alert] = time.monotonic() - self.began
            if alert not in self.told:
                query, series = watch.first_answer(service, alert)
                # A ratio that is not there is no answer.
                series = [told for told in series if fits(told[0], {key: wanted[key] for key in wanted}) and told[1] != "NaN"]
                # What says 0 names no cause, but where 0 is the fault.
                if series:
                    self.told[alert] = (query, max(series, key=lambda told: float(told[1])))

    def receive(self, service):
        self.arrived |= {alert["labels"]["alertname"] for alert in service.ask("/api/v2/alerts")}

    def lacks(self):
        return [alert for alert in self.stage.expected if alert not in self.told]


async def run(asked, home):
    stage = faults.Stage(asked.binary, home)
    services = []
    tools = asked.tools
    try:
        for make in faults.STAGES:
            make(stage)
        for plant in stage.plants.values():
            plant.start()
        for plant in stage.plants.values():
            plant.wait_until_live()
        ports = [free_port() for _ in range(3)]
        targets = {name: plant.admin for name, plant in stage.plants.items()}
        services.append(watch.prometheus(tools / "prometheus", home, ports[0], targets, f"127.0.0.1:{ports[2]}"))
        # One that was told of no plant.
        services.append(watch.prometheus(tools / "prometheus", home, ports[1], {}, None))
        services.append(watch.alertmanager(tools / "prometheus-alertmanager", home, ports[2]))
        for service in services:
            service.wait("/-/ready")
        stage.expect("TickwireAbsent")
        # What is before a rise must have been seen.
        await asyncio.sleep(5)
        seen = Seen(stage)
        stage.go(faults.begin(stage))
        while seen.lacks() and time.monotonic() - seen.began < asked.seconds:
            await asyncio.sleep(1)
            for service in services[:2]:
                await asyncio.to_thread(seen.look, service)
            await asyncio.to_thread(seen.receive, services[2])
            for task in stage.tasks:
                if task.done() and not task.cancelled() and task.exception():
                    raise task.exception()
        await asyncio.sleep(2)
        seen.receive(services[2])
        return report(stage, seen)
    finally:
        await stage.end()
        for service in services:
            service.end()


def report(stage, seen):
    names, failed = files.alerts(), 0
    for alert in names:
        if alert in stage.left_out:
            print(f"-     {alert}: {stage.left_out[alert]}")
        elif alert in seen.told:
            query, (labels, value) = seen.told[alert]
            who = ", ".join(f"{key} {labels[key]}" for key in ("instance", "feed") if key in labels) or "all"
            print(f"ok    {alert} after {seen.fired[alert]:.0f} s; its runbook asks {' '.join(query.split())[:90]}: {who}: {float(value):.4g}")
        else:
            failed += 1
            told = "did not fire" if alert not in seen.fired else "fired, but the first query of its runbook tells nothing of it"
            print(f"FAIL  {alert} {told}")
    passed = len(names) - failed - len(stage.left_out)
    checks = {
        f"nothing fires for a plant without a fault: {', '.join(sorted(seen.strays)) or 'calm'}": not seen.strays,
        f"{len(seen.arrived)} alerts have reached Alertmanager": set(seen.fired) - {"TickwireAbsent"} <= seen.arrived,
        "no alert is untried": set(names) == set(stage.expected) | set(stage.left_out),
    }
    for name, holds in checks.items():
        print(f"{'ok   ' if holds else 'FAIL '} {name}")
        passed, failed = passed + holds, failed + (not holds)
    print(f"{passed} passed, {failed} failed, {len(stage.left_out)} not run")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path, help="the program")
    parser.add_argument("--tools", required=True, type=pathlib.Path, help="the folder of prometheus and prometheus-alertmanager")
    parser.add_argument("--seconds", type=int, default=240, help="how long alerts are waited for")
    parser.add_argument("--keep", type=pathlib.Path, help="a new folder for logs and data that stays")
    asked = parser.parse_args()
    if asked.keep:
        asked.keep.mkdir(parents=True)
        return asyncio.run(run(asked, asked.keep.resolve()))
    with tempfile.TemporaryDirectory(prefix="tickwire-faults-") as home:
        return asyncio.run(run(asked, pathlib.Path(home)))


if __name__ == "__main__":
    sys.exit(main())
