"""HTTP requests, by the library httpx."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from batuta.authoring import ports
from batuta.authoring.context import StepContext
from batuta.authoring.lookups import connection_of
from batuta.authoring.operators.base import Operator, OperatorError, pause
from batuta.authoring.operators.sensors import Sensor
from batuta.core.errors import DefinitionError, TransientError
from batuta.core.triggers import POLL_S_MIN, HttpAnswers, Trigger

if TYPE_CHECKING:
    import httpx

Returns = Literal["auto", "json", "text", "bytes", "status", "none"]
Expected = int | Sequence[int] | None
_TEXT_CHARS = 300
_RETRY_DELAY_S_MAX = 60.0


@dataclass(frozen=True)
class Request:
    """One request."""

    url: str
    method: str = "GET"
    query: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    json: Any = None
    data: Any = None
    auth: tuple[str, str] | None = None
    timeout_s: float = 30.0
    follow_redirects: bool = True

    def send(self, context: StepContext) -> httpx.Response:
        """Its answer, whatever the status. Raises TransientError where there is none."""
        library = _library(context)
        data = self.data
        try:
            with library.Client(timeout=self.timeout_s, follow_redirects=self.follow_redirects) as client:
                answer: httpx.Response = client.request(
                    self.method,
                    self.url,
                    params=self.query,
                    headers=self.headers,
                    json=self.json,
                    data=data if isinstance(data, Mapping) else None,
                    content=data if isinstance(data, (str, bytes)) else None,
                    auth=self.auth,
                )
                return answer
        except (library.InvalidURL, library.UnsupportedProtocol) as error:
            raise OperatorError(f"{self.url!r} is no URL: {error}", where=context.key, hint="give http://...") from None
        except library.HTTPError as error:
            what = f"{self.method} {_bare(self.url)} failed: {type(error).__name__}: {error}"
            raise TransientError(what, where=context.key) from None


def request_to(connection: Any, request: Request) -> Request:
    """The request below the URL of an HTTP connection (given by name or itself), with its headers and log-in."""
    if connection is None:
        return request
    known = connection_of(connection)
    url = request.url
    if "://" not in url:
        url = f"{known.base_url}/{url.removeprefix('/')}" if url else known.base_url
    elif not url.startswith((known.base_url + "/", known.base_url + "?")) and url != known.base_url:
        what = f"{_bare(url)} is not below {known.base_url}, to which connection {known.name!r} belongs"
        raise DefinitionError(what, hint="give the path alone, so that its log-in goes nowhere else")
    headers = {**known.headers, **(request.headers or {})}
    return replace(request, url=url, headers=headers, auth=request.auth or known.auth)


class HTTPOperator(Operator):
    """Sends a request; needs the extra `batuta[http]`.

    `connection` is the name of one whose URL, headers and log-in count; `url` is then a path below it. `query` is added
    to the URL, `json` or `data` is the body, `auth` is (user, password). The answer's status must be one of
    `expected_status` (None: any below 400), else the step fails. The output is the body as JSON where it says that
    it is, and as text otherwise (`returns="auto"`), or what `returns` says. `request_retries` more tries are made,
    `request_retry_delay_s` apart and doubling, after a status of 500 and more or a failed connection.
    """

    template_fields = ("url", "query", "headers", "json", "data", "connection")

    def __init__(
        self,
        url: str = "",
        *,
        connection: Any = None,
        method: str = "GET",
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Any = None,
        auth: tuple[str, str] | None = None,
        expected_status: Expected = None,
        returns: Returns = "auto",
        request_timeout_s: float = 30.0,
        request_retries: int = 0,
        request_retry_delay_s: float = 1.0,
        follow_redirects: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.url = url
        self.connection = connection
        self.method = method.upper()
        self.query = query
        self.headers = headers
        self.json = json
        self.data = data
        self.auth = auth
        self.expected_status = expected_status
        self.returns = returns
        self.request_timeout_s = request_timeout_s
        self.request_retries = request_retries
        self.request_retry_delay_s = request_retry_delay_s
        self.follow_redirects = follow_redirects

    def execute(self, context: StepContext) -> Any:
        """Send it. Raises TransientError for a status of 500 and more or a failed connection, OperatorError for
        another that was not expected."""
        delay_s = self.request_retry_delay_s
        for left in range(self.request_retries, -1, -1):
            try:
                return self._read(request_to(self.connection, self._request()).send(context), context)
            except TransientError as error:
                if not left:
                    raise
                context.log.warning("%s; trying again in %g s", error.what, delay_s)
            pause(context, delay_s)
            delay_s = min(delay_s * 2, _RETRY_DELAY_S_MAX)
        raise TransientError("no request was made", where=context.key, hint="request_retries is below 0")

    def _request(self) -> Request:
        return Request(
            self.url,
            self.method,
            query=self.query,
            headers=self.headers,
            json=self.json,
            data=self.data,
            auth=self.auth,
            timeout_s=self.request_timeout_s,
            follow_redirects=self.follow_redirects,
        )

    def _read(self, answer: httpx.Response, context: StepContext) -> Any:
        context.log.info("%s %s: %s", self.method, _bare(self.url), answer.status_code)
        if not expects(self.expected_status, answer.status_code):
            what = f"{self.method} {_bare(self.url)} gave status {answer.status_code}"
            said = answer.text[:_TEXT_CHARS].strip()
            kind = TransientError if answer.status_code >= 500 else OperatorError
            raise kind(what + (f": {said}" if said else ""), where=context.key, hint="see expected_status=")
        match self.returns:
            case "none":
                return None
            case "status":
                return answer.status_code
            case "bytes":
                return answer.content
            case "text":
                return answer.text
        if self.returns == "auto" and "json" not in answer.headers.get("content-type", ""):
            return answer.text
        try:
            return answer.json()
        except ValueError as error:
            what = f"the answer of {_bare(self.url)} is not JSON: {error}"
            raise OperatorError(what, where=context.key, hint='use returns="text"') from None


class HTTPSensor(Sensor):
    """Waits until a request to `url` is answered with one of `expected_status` (None: any below 400).

    `connection`: see `HTTPOperator`.

    `check(response)`, if given, must also be truthy; its value, unless it is True, is the output.
    """

    template_fields = ("url", "query", "headers", "connection")

    def __init__(
        self,
        url: str = "",
        *,
        connection: Any = None,
        method: str = "GET",
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        expected_status: Expected = None,
        check: Callable[[Any], Any] | None = None,
        request_timeout_s: float = 30.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.url = url
        self.connection = connection
        self.method = method
        self.query = query
        self.headers = headers
        self.auth = auth
        self.expected_status = expected_status
        self.check = check
        self.request_timeout_s = request_timeout_s

    def poke(self, context: StepContext) -> Any:
        """Ask once; a failed connection counts as not yet."""
        request = Request(
            self.url,
            self.method.upper(),
            query=self.query,
            headers=self.headers,
            auth=self.auth,
            timeout_s=self.request_timeout_s,
        )
        try:
            answer = request_to(self.connection, request).send(context)
        except TransientError as error:
            context.log.info("not yet: %s", error.what)
            return False
        if not expects(self.expected_status, answer.status_code):
            context.log.info("not yet: status %s", answer.status_code)
            return False
        return True if self.check is None else self.check(answer)

    def trigger(self, context: StepContext) -> Trigger | None:
        """The request itself, where it is all that is looked at and holds nothing that may be secret."""
        own = self.check is not None or self.connection is not None or type(self).poke is not HTTPSensor.poke
        if own or self.query or self.headers or self.auth or _bare(self.url) != self.url or ports.has_secret(self.url):
            return None
        expected = self.expected_status
        statuses = () if expected is None else (expected,) if isinstance(expected, int) else tuple(expected)
        poll_s = max(self.poll_s, POLL_S_MIN)
        return HttpAnswers(
            self.url, self.method.upper(), statuses=statuses, timeout_s=self.request_timeout_s, poll_s=poll_s
        )


def expects(expected: Expected, status: int) -> bool:
    """Whether a status is one of those expected."""
    if expected is None:
        return status < 400
    return status == expected if isinstance(expected, int) else status in expected


def _library(context: StepContext) -> Any:
    try:
        import httpx
    except ModuleNotFoundError:
        hint = 'install the extra: pip install "batuta[http]"'
        raise DefinitionError("httpx is not installed", where=context.key, hint=hint) from None
    return httpx


def _bare(url: str) -> str:
    """The URL without what may be secret: user, password, query."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else url
