#!/usr/bin/env python3
"""Says in rules, their tests and dashboards where your runbooks and your Grafana are: urls.json is the one place.

urls.py            writes what urls.json says
urls.py --check    tells what differs from it
"""

import json
import re
import subprocess
import sys

from files import DASHBOARDS, DEPLOY, RULES, TESTS

URLS = json.loads((DEPLOY / "urls.json").read_text(encoding="utf-8"))


def rewritten(text):
    """The same with these URLs, whatever it had before."""
    text = re.sub(r"\S+?(?=/Tickwire\w+\.md\b)", URLS["runbooks"].rstrip("/"), text)
    return re.sub(r"\S+?(?=/d/tickwire-\w)", URLS["grafana"].rstrip("/"), text)


def differing():
    """Files that say otherwise, with what they should say."""
    for path in [*RULES, *TESTS]:
        text = path.read_text(encoding="utf-8")
        if (made := rewritten(text)) != text:
            yield path, made


def main():
    found = list(differing())
    for path, made in found:
        print(path.name)
        if "--check" not in sys.argv:
            path.write_text(made, encoding="utf-8")
    if "--check" in sys.argv:
        return 1 if found else 0
    return subprocess.run([sys.executable, DASHBOARDS / "generate.py"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
