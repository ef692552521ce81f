"""HTTP to one BMC, where a request is sent once, to that BMC, and nowhere else.

sushy's own connector serves provisioning, where trying again is right: it repeats any request that got no
answer, POST included, three times. A restart that is sent again because its answer was lost is the very thing
that must not happen here.
"""

import logging
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sushy.connector import Connector

# What it would say is in our outcomes, without request bodies and without a line for every try.
logging.getLogger("sushy").setLevel(logging.CRITICAL)


class OneTryConnector(Connector):  # type: ignore[misc]  # sushy has no types
    """Sends every request once; follows no redirection, no proxy and no host but that of its address."""

    def __init__(self, address: str, *, verify: bool | str, connect: float, read: float) -> None:
        """`verify`: True for the usual authorities, or the path of a file with others. Spans in seconds."""
        super().__init__(
            address,
            verify=verify,
            server_side_retries=1,  # sushy counts the first try as one, and takes 0 for three
            default_request_timeout=read,
            connect_timeout=connect,
            response_callback=self._note_date,
        )
        # The environment's proxies, .netrc and authorities are for other traffic than this.
        self._session.trust_env = False
        self._session.max_redirects = 0
        self.told_at: float | None = None

    def check_retry_on_exception(self, exception_msg: object) -> bool:
        """Never: whether to ask again is not decided here."""
        del exception_msg
        return False

    def _op(self, method: str, path: str = "", **options: Any) -> Any:  # noqa: ANN401 - as sushy's own
        # A BMC may call itself by another name than we do, and must not be able to call us anywhere else.
        here = urlunsplit(("", "", *urlsplit(path)[2:4], ""))
        options |= {"allow_reauth": False, "server_side_retries_left": 0}
        return super()._op(method, here, **options)

    def _note_date(self, response: Any) -> None:  # noqa: ANN401 - sushy's callback has no types
        """Keep what the BMC's clock said last (Unix seconds); its own times are counted from there."""
        try:
            self.told_at = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except ValueError:
            self.told_at = None
