# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client of the contract: sends exactly the path it is given, once, and follows nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connectionpool import HTTPConnectionPool, connection_from_url

NOT_SENT = object()
"""Marks a request without a body (``None`` would be the JSON value null)."""

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Answer:
    """One answer. ``body`` is the decoded JSON, or the text where the answer is not JSON."""

    status: int
    content_type: str
    body: Any


@dataclass
class Client:
    """A server by URL, with the credentials that are used where a request names no other user.

    ``user`` and ``password`` are None on a server without security. ``timeout`` is in seconds, for one request.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    insecure: bool = False
    timeout: float = 120.0
    _pool: HTTPConnectionPool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = connection_from_url(self.url, maxsize=8, **self._tls())
        self._base = urlsplit(self.url).path.rstrip("/")

    def _tls(self) -> dict[str, Any]:
        if not self.url.startswith("https"):
            return {}
        if self.insecure:
            urllib3.disable_warnings()
            return {"cert_reqs": "CERT_NONE", "assert_hostname": False}
        return {"cert_reqs": "CERT_REQUIRED", "ca_certs": self.ca_cert}

    def send(
        self,
        method: str,
        path: str,
        body: Any = NOT_SENT,
        *,
        credentials: tuple[str, str] | str | None = "own",
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request; ``path`` goes out as it is, with its query, escapes and doubled slashes.

        ``credentials``: a user and password, None for anonymous, or "own" for those of this client.
        Raises urllib3.exceptions.HTTPError when there is no answer; nothing is ever sent twice.
        """
        sent = dict(headers or {})
        pair = (self.user, self.password) if credentials == "own" else credentials
        if pair and pair[0] is not None:
            sent.update(urllib3.util.make_headers(basic_auth=f"{pair[0]}:{pair[1]}"))
        data = None
        if body is not NOT_SENT:
            data = json.dumps(body).encode()
            sent["Content-Type"] = JSON_TYPE
        answer = self._pool.urlopen(
            method,
            self._base + path,
            body=data,
            headers=sent,
            retries=False,
            redirect=False,
            timeout=timeout or self.timeout,
        )
        return _decoded(answer.status, answer.headers.get("Content-Type", ""), answer.data)

    def close(self) -> None:
        self._pool.close()


def _decoded(status: int, content_type: str, data: bytes) -> Answer:
    text = data.decode("utf-8", "replace")
    if content_type.startswith(JSON_TYPE) and text:
        return Answer(status, content_type, json.loads(text))
    return Answer(status, content_type, text)
