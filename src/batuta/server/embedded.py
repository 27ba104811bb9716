"""The server as part of `batuta up`: in the process of a scheduler, whose parts it uses directly."""

from __future__ import annotations

import socket
from typing import Any

from batuta.core.errors import ParameterError
from batuta.runtime.people import person
from batuta.scheduler.service import Service
from batuta.server.accounts import Accounts
from batuta.server.app import create_app
from batuta.server.authentication import authenticator_for
from batuta.server.backend import Backend
from batuta.server.gate import Gate, names_of
from batuta.server.launching import Launcher
from batuta.server.serving import ServerThread, bind, is_loopback, refuse_open

VALIDATE_S = 30.0


def start(service: Service, *, host: str | None = None, port: int | None = None) -> ServerThread:
    """Serve the API of a service. Raises RequestError where the address cannot be used."""
    backend = Backend(service.store, service.project, clock=service.clock)
    config = service.project.config.server
    address = config.host if host is None else host
    accounts = accounts_for(address, backend)
    sock = bind(address, config.port if port is None else port)
    backend.wake = service.wake
    backend.service = service

    def validate(location: str, job: str, params: dict[str, Any]) -> dict[str, Any]:
        version = service.locations.get(location).version()
        answer = version.evaluate("validate", {"runs": [[job, params]]}, VALIDATE_S)["runs"][0]
        if "params" not in answer:
            raise ParameterError(answer["what"], where=answer["where"], hint=answer["hint"])
        return dict(answer["params"])

    serving = served(backend, accounts, sock, Launcher(backend, validate))
    service.url = serving.url
    return serving


def accounts_for(host: str, backend: Backend) -> Accounts:
    """Who may use a server that listens there. Raises RequestError where others could and nobody has to log in."""
    by_backend = bool(backend.project.config.server.authentication.backend)
    refuse_open(host, authenticated=by_backend or backend.store.accounts.count() > 0)
    is_open = is_loopback(host) and not by_backend
    return Accounts(backend.store, backend.clock, local=person() if is_open else None)


def served(backend: Backend, accounts: Accounts, sock: socket.socket, launcher: Launcher | None = None) -> ServerThread:
    """Serve the API of a backend on a socket."""
    authenticator = authenticator_for(backend.project, accounts)
    app = create_app(backend, launcher=launcher, accounts=accounts)
    hosts = (*names_of(sock), *backend.project.config.server.hosts)
    thread = ServerThread(Gate(app, authenticator, hosts), sock, feeds=[app.state.feed])
    thread.start()
    return thread
