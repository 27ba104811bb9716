"""Messages to chats, phones and pagers, by the library apprise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from batuta.authoring.context import StepContext
from batuta.authoring.operators.base import Operator, OperatorError
from batuta.core.errors import DefinitionError, TransientError


class NotifyOperator(Operator):
    """Sends a message to each of `urls`, in apprise's notation: `slack://...`, `mailto://...`, `json://host`.

    Needs the extra: `pip install "batuta[notify]"`. Fails where one of them cannot be reached.
    """

    template_fields = ("urls", "title", "body")

    def __init__(
        self,
        urls: str | Sequence[str],
        *,
        body: str,
        title: str = "",
        kind: Literal["info", "success", "warning", "failure"] = "info",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.urls = [urls] if isinstance(urls, str) else list(urls)
        self.body = body
        self.title = title
        self.kind = kind

    def execute(self, context: StepContext) -> None:
        """Send it. Raises TransientError where one of the services does not take it."""
        try:
            import apprise
        except ModuleNotFoundError:
            hint = 'install the extra: pip install "batuta[notify]"'
            raise DefinitionError("apprise is not installed", where=context.key, hint=hint) from None
        services = apprise.Apprise()
        for number, url in enumerate(self.urls, 1):
            if not services.add(url):
                scheme = url.partition(":")[0]
                raise OperatorError(
                    f"apprise does not understand URL {number} ({scheme}://...)",
                    where=context.key,
                    hint="see the list of services in apprise's documentation",
                )
        if not services.notify(body=self.body, title=self.title, notify_type=self.kind):
            raise TransientError("not every service took the message", where=context.key, hint="see the log")
