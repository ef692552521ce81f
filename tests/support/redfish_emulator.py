"""sushy-emulator, and around it what real BMCs have and it lacks: sessions, serial numbers, lost answers.

A program: `python -m tests.support.redfish_emulator FRONT.json [arguments of sushy-emulator]`. The machines
are the emulator's own; the front only adds to its answers, or keeps them back. What happened is written to a
journal, one JSON object a line; a file in the folder `faults` makes the next request go wrong.
"""

import io
import json
import secrets
import socket
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

ROOT = "/redfish/v1"
SESSIONS = f"{ROOT}/SessionService/Sessions"
SYSTEMS = f"{ROOT}/Systems/"
RESET = "/Actions/ComputerSystem.Reset"

ANSWERS = {
    "deny": ("401 Unauthorized", "wrong password"),
    "forbid": ("403 Forbidden", "no privilege"),
    "refuse": ("400 Bad Request", "not in this state, said admin with correct horse"),
    "busy": ("503 Service Unavailable", "try later"),
    "elsewhere": ("307 Temporary Redirect", ""),
}


class Front:
    """A WSGI application around the emulator's."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], settings: dict[str, Any]) -> None:
        self.inner = inner
        self.settings = settings
        self.faults = Path(settings["faults"])
        self.journal = Path(settings["journal"])
        self.tokens: dict[str, str] = {}
        self.reset_at: dict[str, float] = {}

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"].rstrip("/"), environ["REQUEST_METHOD"]
        if self.settings["sessions"]:
            if path == SESSIONS and method == "POST":
                return self.log_in(environ, start)
            if path.startswith(f"{SESSIONS}/") and method == "DELETE":
                return self.log_out(path, start)
            if path != ROOT and not self.let_in(environ):
                return answer(start, *ANSWERS["deny"])
        if path.endswith(RESET) and method == "POST":
            return self.reset(environ, start, path.removesuffix(RESET).removeprefix(SYSTEMS))
        if path.startswith(SYSTEMS) and method == "GET":
            return self.system(environ, start, path.removeprefix(SYSTEMS))
        return self.inner(environ, start)

    def log_in(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        if self.fault("elsewhere"):
            return answer(start, *ANSWERS["elsewhere"], Location=self.settings["elsewhere"])
        if self.fault("deny") or [asked["UserName"], asked["Password"]] != self.settings["login"]:
            self.note(what="refused login")
            return answer(start, *ANSWERS["deny"])
        token, session = secrets.token_hex(16), f"{SESSIONS}/{secrets.token_hex(4)}"
        self.tokens[token] = session
        self.note(what="login")
        host = "https://bmc.invalid" if self.fault("own-name") else ""
        headers = {"X-Auth-Token": token, "Location": f"{host}{session}"}
        return answer(start, "201 Created", "", **headers)

    def log_out(self, path: str, start: StartResponse) -> Iterable[bytes]:
        self.tokens = {token: session for token, session in self.tokens.items() if session != path}
        self.note(what="logout")
        return answer(start, "204 No Content", None)

    def let_in(self, environ: Environ) -> bool:
        environ["HTTP_AUTHORIZATION"] = (
            "Basic " + b64encode(":".join(self.settings["login"]).encode()).decode()
        )
        return environ.get("HTTP_X_AUTH_TOKEN") in self.tokens

    def reset(self, environ: Environ, start: StartResponse, system: str) -> Iterable[bytes]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        for fault in ("refuse", "forbid", "busy"):
            if self.fault(fault):
                return answer(start, *ANSWERS[fault])
        if self.fault("hang"):
            wait_while(lambda: not (self.faults / "go-on").exists())
        kind = body["ResetType"]
        self.note(what="reset", system=system, type=kind)
        self.reset_at[system] = time.time()
        sent = json.dumps({"ResetType": "ForceRestart" if kind == "PowerCycle" else kind}).encode()
        environ |= {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent))}
        done = list(self.inner(environ, start))
        if self.fault("lose-reply"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return done

    def system(self, environ: Environ, start: StartResponse, system: str) -> Iterable[bytes]:
        if self.fault("busy-look"):
            return answer(start, *ANSWERS["busy"])
        said: list[Any] = []
        body = b"".join(self.inner(environ, lambda status, headers, *_: said.extend((status, headers))))
        if self.fault("forget"):
            self.reset_at.clear()
        status, headers = said
        if not status.startswith("200"):
            start(status, headers)
            return [body]
        told = json.loads(body) | self.settings["identities"].get(system, {})
        if self.settings["tells_resets"] and system in self.reset_at:
            told["LastResetTime"] = datetime.fromtimestamp(self.reset_at[system], UTC).isoformat()
        if self.settings["power_cycle"]:
            told["Actions"]["#ComputerSystem.Reset"]["ResetType@Redfish.AllowableValues"].append("PowerCycle")
        changed = json.dumps(told).encode()
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start(status, [*kept, ("Content-Length", str(len(changed)))])
        return [changed]

    def fault(self, name: str) -> bool:
        """Whether this request is to go wrong so; each file serves once."""
        try:
            (self.faults / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def note(self, **what: str) -> None:
        with self.journal.open("a") as file:
            file.write(json.dumps(what) + "\n")


def answer(start: StartResponse, status: str, message: str | None, **headers: str) -> Iterable[bytes]:
    error = {"error": {"code": "Base.1.0.GeneralError", "message": message}} if message else {}
    body = b"" if message is None else json.dumps(error).encode()
    start(
        status, [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers.items()]
    )
    return [body]


def wait_while(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while holds() and time.monotonic() < end:
        time.sleep(0.02)


def soonest(least: int, most: int) -> int:
    """The emulator's hardware takes a random number of seconds; the least of them is enough for tests."""
    del most
    return least


def main() -> int:
    settings = json.loads(Path(sys.argv.pop(1)).read_text())
    fakedriver.random = type("", (), {"randint": staticmethod(soonest)})
    emulator.app.configure(config_file=settings["config"])
    emulator.app.wsgi_app = Front(emulator.app.wsgi_app, settings)
    emulator.app.config.pop("SUSHY_EMULATOR_AUTH_FILE")  # or it puts a second check of its own around us
    return int(emulator.main())


if __name__ == "__main__":
    sys.exit(main())
