#!/usr/bin/env python3
"""Builds the container with buildah, starts it, both without rights, and asks it what its users would.

The program must be linked statically. Root is needed for a user that has none: buildah runs rootless, in a namespace of users whose root
is nobody outside, as newuidmap would make it. Nothing stays: images and containers lie in a folder of their own, which is removed. Where
the machine does not let containers start, that is told, and is no failure; what is wrong with ours is, with exit code 1.
The last line is `N passed, M failed, K not run`.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy"), str(ROOT / "deploy" / "faults")]

from plants import free_port

USER = 65532
#: Who is root in the container, outside of it, and how many users follow.
OUTSIDE, USERS = 100_000, 65_536
#: What a machine says that lets nobody start containers.
FORBIDDEN = ("operation not permitted", "permission denied", "user namespace")
PROGRAM = "/usr/local/bin/tickwire"


class Forbidden(Exception):
    """The machine does not let it be tried."""


def rootless(words, **more):
    """Starts a command as root of a namespace of users, who is nobody outside."""
    alone = ["setpriv", "--reuid", str(OUTSIDE), "--regid", str(OUTSIDE), "--clear-groups", "unshare", "--user", "--mount"]
    process = subprocess.Popen([*alone, "sh", "-c", 'read -r _ && exec "$@"', "sh", *words], stdin=subprocess.PIPE, text=True, **more)
    ours, theirs = os.readlink("/proc/self/ns/user"), f"/proc/{process.pid}/ns/user"
    try:
        if not wait(lambda: process.poll() is not None or os.readlink(theirs) != ours):
            raise Forbidden("there is no namespace of users")
        if process.poll() is None:
            for kind in ("uid", "gid"):
                pathlib.Path(f"/proc/{process.pid}/{kind}_map").write_text(f"0 {OUTSIDE} {USERS}\n", encoding="utf-8")
            process.stdin.write("\n")
            process.stdin.flush()
    except OSError as error:
        process.kill()
        process.wait()
        raise Forbidden(f"there is no namespace of users: {error}") from None
    return process


class Buildah:
    def __init__(self, home):
        self.start = ["buildah", "--root", f"{home}/images", "--runroot", f"{home}/run", "--storage-driver", "vfs"]
        self.more = {"cwd": home, "env": {**os.environ, "HOME": str(home), "TMPDIR": str(home), "XDG_RUNTIME_DIR": str(home)}}

    def __call__(self, *words):
        process = self.running(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        told, wrong = process.communicate(timeout=300)
        if process.returncode:
            raise RuntimeError(f"buildah {words[0]}: {wrong.strip()}")
        return told.strip()

    def running(self, *words, **more):
        return rootless([*self.start, *words], **self.more, **more)


def inside(process):
    """The id of the program in the container, below the one that started it."""
    children = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text(encoding="utf-8").rpartition(")")
            children.setdefault(int(rest.split()[1]), []).append((int(folder.name), name.partition("(")[2]))
        except OSError:
            pass
    waiting = [process.pid]
    while waiting:
        for child, name in children.get(waiting.pop(), []):
            if name == "tickwire":
                return child
            waiting.append(child)
    return None


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def get(address, path, **headers):
    asked = urllib.request.Request(f"http://{address}{path}", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return None, str(error)


def wait(holds, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def probe(buildah, home, static):
    """What must hold, and whether it does, with what was seen."""
    context = home / "context"
    shutil.copytree(ROOT / "deploy", context / "deploy")
    shutil.copy(static, context / "tickwire")
    buildah("build", "--isolation", "chroot", "--format", "docker", "--build-arg", "BINARY=tickwire", "-f", str(context / "deploy" / "Containerfile"), "-t", "tickwire", str(context))
    config = json.loads(buildah("inspect", "--type", "image", "localhost/tickwire"))["Docker"]["config"]
    yield "the image names its user, its port and how it is asked whether it is well", (
        config["User"] == f"{USER}:{USER}" and "8080/tcp" in config["ExposedPorts"] and config["Healthcheck"]["Test"] == ["CMD", PROGRAM, "health"]), config
    container = buildah("from", "--pull-never", "localhost/tickwire")
    mounted = pathlib.Path(buildah("mount", container))
    files = sorted(str(path.relative_to(mounted)) for path in mounted.rglob("*") if path.is_file())
    yield "it holds the program, a list of users, and nothing else", files == ["etc/passwd", "usr/local/bin/tickwire", "var/lib/tickwire/.keep"], files
    buildah("umount", container)
    # Needs nothing of ours but the program.
    try:
        buildah("run", "--isolation", "chroot", container, "--", PROGRAM, "--version")
    except RuntimeError as error:
        if any(word in str(error).lower() for word in FORBIDDEN):
            raise Forbidden(f"this machine lets no container start: {error}") from None
        raise

    listen, admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
    secret = home / "secret.key"
    secret.write_text("0123456789abcdef" * 4, encoding="utf-8")
    secret.chmod(0o444)
    # Its ports are those of the machine here, of which some may be taken.
    config = (ROOT / "deploy" / "container" / "tickwire.toml").read_text(encoding="utf-8")
    (home / "tickwire.toml").write_text(config.replace("0.0.0.0:8080", listen).replace("0.0.0.0:9090", admin), encoding="utf-8")
    mounts = ["-v", f"{home}/tickwire.toml:/etc/tickwire/tickwire.toml:ro", "-v", f"{secret}:/run/secrets/tickwire_key:ro"]
    start = ["run", "--isolation", "chroot", "-e", f"TICKWIRE_ADMIN_LISTEN={admin}", *mounts, container, "--"]
    with (home / "log").open("wb") as log:
        served = buildah.running(*start, PROGRAM, "serve", stdout=log, stderr=log)
        try:
            ready = wait(lambda: get(admin, "/readyz")[0] == 200 or served.poll() is not None)
            told = (home / "log").read_text(encoding="utf-8", errors="replace")
            if not ready or served.poll() is not None:
                raise RuntimeError(told[-600:])
            pid = inside(served)
            if pid is None:
                raise RuntimeError("it is ready, and no process of it is there")
            now = status(pid)
            seen = (now["Uid"], now["CapEff"])
            yield f"it runs as {USER} of users that are nobody outside, without any capability", seen == ([str(OUTSIDE + USER)] * 4, ["0" * 16]), seen
            if not os.access(f"/proc/{pid}/root/etc", os.R_OK):
                raise Forbidden("this machine shows nobody what a process sees")
            places = ("", "etc", "usr/local/bin", "run", "var/lib/tickwire")
            owned = [place for place in places if (pathlib.Path(f"/proc/{pid}/root") / place).stat().st_uid == OUTSIDE + USER]
            yield "it owns the folder of its recordings, and no other", owned == ["var/lib/tickwire"], owned
            yield "it is well, by its own word", "ready" in buildah(*start, PROGRAM, "health"), ""
            token = buildah(*start, PROGRAM, "token", "mint", "--sub", "probe", "--scope", "stream:*")
            yield "who has no token is turned away", get(listen, "/v1/symbols")[0] == 401, get(listen, "/v1/symbols")
            symbols = get(listen, "/v1/symbols", Authorization=f"Bearer {token}")
            yield "who has one that was minted inside is served", symbols[0] == 200 and "BTC-USD" in symbols[1], symbols
            recorded = lambda: [path for path in pathlib.Path(f"/proc/{pid}/root/var/lib/tickwire/recordings").rglob("*") if path.is_file()]
            yield "it records into its folder", wait(lambda: any(path.stat().st_size for path in recorded())), ""
            os.kill(pid, signal.SIGTERM)
            served.wait(60)
            yield "it goes when it is told to", served.returncode == 0, served.returncode
        finally:
            pid = inside(served)
            if pid:
                os.kill(pid, signal.SIGKILL)
            served.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path, help="the program, linked statically")
    asked = parser.parse_args()
    passed = failed = 0
    home = pathlib.Path(tempfile.mkdtemp(prefix="tickwire-container-"))
    os.chown(home, OUTSIDE, OUTSIDE)
    buildah = Buildah(home)
    try:
        for name, holds, seen in probe(buildah, home, asked.binary):
            passed, failed = passed + holds, failed + (not holds)
            print(f"{'ok   ' if holds else 'FAIL '} {name}" + ("" if holds else f": {seen}"))
    except Forbidden as why:
        print(f"-     {why}")
        print(f"{passed} passed, {failed} failed, 1 not run")
        return 1 if failed else 0
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"FAIL  {error}")
        print(f"{passed} passed, {failed + 1} failed, 0 not run")
        return 1
    finally:
        try:
            buildah("rm", "--all")
            buildah("rmi", "--all", "--force")
        except (RuntimeError, Forbidden):
            pass
        shutil.rmtree(home, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, 0 not run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
