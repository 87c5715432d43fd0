"""``[monitoring]``: where ``/health`` and ``/metrics`` are, and who may read them."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from gateway.configuration import ConfigError, Frozen
from gateway.settings.doors import Network, Token
from gateway.settings.payments import WebSettings, host_and_port


def _listen(value: str) -> str:
    return value if value == "web" else host_and_port(value)


class MonitoringSettings(Frozen):
    """``[monitoring]``; without the table neither is served."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:9464"
    """A server of its own; ``web``: on the server of ``[web]``."""
    allow: tuple[Network, ...] = ()
    """Addresses and networks that may read; empty: any."""
    token: Token = SecretStr("")
    """What has to be in ``Authorization: Bearer TOKEN``; empty: nothing. With ``allow`` both
    must be right."""

    @property
    def is_on_web(self) -> bool:
        """Whether the server of ``[web]`` serves them."""
        return self.listen == "web"


def check_monitoring(
    file: Path, web: WebSettings | None, monitoring: MonitoringSettings | None
) -> None:
    """Raise ``ConfigError`` for a table that could not work, or that is open to everybody."""
    if monitoring is None:
        return
    if monitoring.is_on_web and web is None:
        problem = 'is "web", and there is no [web] table'
        raise ConfigError(file, "monitoring.listen", problem, "write HOST:PORT")
    if web is not None and monitoring.listen == web.listen:
        problem = f"{web.listen} is the address of [web] already"
        raise ConfigError(file, "monitoring.listen", problem, 'write "web" to be served there')
    if monitoring.allow or monitoring.token.get_secret_value():
        return
    if monitoring.is_on_web or not _is_loopback(monitoring.listen):
        problem = "anybody could read how the daemon is: it has neither token nor allow"
        raise ConfigError(file, "monitoring", problem, "write one of them")


def _is_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
