"""Where remote workers come in: the gateway of a scheduler, as its configuration says."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from batuta.core.errors import RequestError
from batuta.executors.remote import RemoteExecutor
from batuta.executors.remote_gateway import RemoteGateway
from batuta.executors.remote_protocol import Hello
from batuta.runtime.project import WorkersConfig
from batuta.scheduler.remote_location import RemoteLocation, run_files

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

TOKEN_VARIABLE = "BATUTA_WORKER_TOKEN"
PORT = 8422


def gateway_of(service: Service) -> RemoteGateway | None:
    """The gateway of a scheduler, if a location is remote. Raises RequestError where it is not configured as it has to
    be."""
    project = service.project
    if not any(each.remote for each in project.locations):
        return None
    config = project.config.workers
    host, port = parse_address(config.listen, project.file)

    def take(hello: Hello) -> RemoteExecutor:
        location = service.locations.get(hello.location)
        if not isinstance(location, RemoteLocation):
            hint = "set remote = true for it in the scheduler's batuta.toml"
            raise RequestError(f"the location {hello.location!r} has its code with the scheduler", hint=hint)
        location.changed = service.wake
        former = location.current
        executor = location.take(hello, service.clock())
        if location.current is not former:
            service.locations.announce(location)
        return executor

    token = os.environ.get(TOKEN_VARIABLE, "")
    tls = _tls(config, project.root, project.file)
    return RemoteGateway(host, port, token, take, run_files(project), lease_s=config.lease_s, tls=tls)


def parse_address(text: str, where: str = "") -> tuple[str, int]:
    """`host:port`, or a host alone. Raises RequestError."""
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(PORT))
    if not host or not port.isdigit() or int(port) > 65535:
        hint = "write host:port, for example 0.0.0.0:8422"
        raise RequestError(f"{text!r} is no address to listen at", where=where or None, hint=hint)
    return host.strip("[]"), int(port)


def _tls(config: WorkersConfig, root: str, where: str) -> ssl.SSLContext | None:
    if not config.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        key = os.path.join(root, config.key) if config.key else None
        context.load_cert_chain(os.path.join(root, config.certificate), key)
    except (OSError, ssl.SSLError) as error:
        hint = "certificate and key of [workers] are PEM files, relative to the project"
        raise RequestError(f"the certificate cannot be used: {error}", where=where or None, hint=hint) from None
    return context
