# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer of the server is: told by its status and its body together, with a sentence that says what to do. Pure.

The texts that the answers are told apart by are those of the recordings in C(tests/contract/recordings).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Callable

from .connection import Reply
from .resources import error_of

WORKFLOWS = "/_plugins/_flow_framework/workflow"

# What an answer can be. Everything else about an answer is its status, its body and its sentence.
OK = "ok"
INCOMPLETE = "incomplete"  # 202 with an error: some resources are left (recording connector_in_use)
NEEDS_ALLOW_DELETE = "needs_allow_delete"  # 403 after everything else is gone (recording everything_then_allow_delete)
MISSING = "missing"  # the server says that there is no such thing
UNREADABLE = "unreadable"  # 404 in the words of a failure (recording empty_cluster)
UNAUTHENTICATED = "unauthenticated"
FORBIDDEN = "forbidden"
BLOCK = "block"  # of an index or the cluster, whoever asks: index.blocks.metadata stops looking too, at one index and at lists that hold it
DISABLED = "disabled"
THROTTLED = "throttled"
UNAVAILABLE = "unavailable"  # 502, 503, 504: a proxy or a starting node; the server may be at work
UNREACHABLE = "unreachable"  # nothing was sent
CERTIFICATE = "certificate"  # nothing was sent
LOST = "lost"  # sent, and no answer
NOT_OPENSEARCH = "not_opensearch"  # an answer that is not OpenSearch's: HTML, broken JSON, nothing at all
NO_PLUGIN = "no_plugin"
REFUSED = "refused"  # another 4xx
FAILED = "failed"  # another 5xx

# After these nobody knows whether the server is at work.
UNKNOWN_OUTCOME = (LOST, UNAVAILABLE, NOT_OPENSEARCH)


@dataclass(frozen=True)
class Answer:
    """One answer, classified. ``status`` is None when none came; ``sentence`` says what it is and what to do."""

    outcome: str
    status: int | None
    body: Any
    sentence: str

    @property
    def ok(self) -> bool:
        """The server answered with what was asked for."""
        return self.outcome == OK


Readable = Callable[[Answer, str], Answer]  # passes an answer on, or says or raises what is missing; the text: what was being done


def classify(reply: Reply, url: str, action: str = "") -> Answer:
    """What one reply is, told by status and body together. Pure. ``action``: what was asked for, as permissions call it."""
    if reply.error:
        return Answer(reply.error, None, None, no_answer(reply) % {"url": url, "why": reply.text})
    body, is_json = decode(reply.text)
    status = reply.status or 0
    if status == 401:
        return Answer(
            UNAUTHENTICATED, status, body, "%s refuses the credentials, or got none (401). Check username and password, token or client certificate." % url
        )
    if status in (502, 503, 504):
        return Answer(UNAVAILABLE, status, body, "%s is not available (%d): a proxy before it, or a node that is starting. Try again later." % (url, status))
    if status == 429:
        return Answer(THROTTLED, status, body, "%s is busy (429): %s. Try again later." % (url, text_of(body).rstrip(".") or "it does not say why"))
    if not is_json:
        return Answer(NOT_OPENSEARCH, status, None, not_opensearch(reply, url))
    said = text_of(body)
    if 200 <= status < 300:
        if status == 202 and said:  # a 200 may hold an error too: the state document of a FAILED workflow does
            return Answer(INCOMPLETE, status, body, said)
        return Answer(OK, status, body, "")
    outcome = refusal(status, body, said)
    words = {"url": url, "status": status, "said": said, "denied": said.rstrip("."), "cure": cure_of(said, action)}
    return Answer(outcome, status, body, REFUSALS.get(outcome, "%(url)s answered %(status)d: %(said)s") % words)


NO_ANSWER = {
    UNREACHABLE: "%(url)s cannot be reached: %(why)s. Check url, and whether the node is up.",
    CERTIFICATE: "%(url)s cannot be trusted: %(why)s. Give the cluster's CA as ca_cert, and use the name that stands in its certificate.",
    LOST: "%(url)s did not answer: %(why)s. The connection was lost or request_timeout is too short.",
}
NO_TLS = "%(url)s does not speak TLS (%(why)s): write http:// in url, or the port that does."
CLIENT_REFUSED = (
    "%(url)s refuses the client certificate, or asks for one (%(why)s): check client_cert and client_key; the certificate has to be valid,"
    " and of a CA that the cluster trusts."
)


def no_answer(reply: Reply) -> str:
    """What to say where no answer came. An alert of TLS is the server's: it is not the server's certificate that is at fault."""
    said = reply.text.upper()
    if "WRONG_VERSION_NUMBER" in said:
        return NO_TLS
    if reply.error == CERTIFICATE and re.search(r"\b\w+_ALERT_\w*(CERTIFICATE|UNKNOWN_CA)", said):
        return CLIENT_REFUSED
    return NO_ANSWER[reply.error]


REFUSALS = {
    NEEDS_ALLOW_DELETE: "%(said)s",
    DISABLED: "Flow Framework is switched off on this cluster (%(status)d): set plugins.flow_framework.enabled to true.",
    BLOCK: "%(url)s refuses it because of a block, whoever asks (%(status)d): %(denied)s.",
    FORBIDDEN: "%(url)s denies this to these credentials (%(status)d): %(denied)s. %(cure)s",
    NO_PLUGIN: "The Flow Framework plugin is not installed on %(url)s, or the URL is not OpenSearch's: %(said)s.",
}


def refusal(status: int, body: Any, said: str) -> str:
    """Which refusal a status with a JSON body is (behaviour.md 5.3 for the 403s, recording empty_cluster for the 404s)."""
    if status == 403:
        if error_of(body).get("type") == "cluster_block_exception":
            return BLOCK
        if said.startswith("These resources require the allow_delete parameter"):
            return NEEDS_ALLOW_DELETE
        return DISABLED if said.startswith("This API is disabled") else FORBIDDEN
    if status == 404:
        return UNREADABLE if said.startswith("Failed to get workflow status of") else MISSING
    if status == 400 and said.startswith("no handler found for uri"):
        return NO_PLUGIN
    if status == 400 and said.startswith("User does not have permissions to access workflow"):
        return FORBIDDEN  # 2.17 to 2.19 answer 400 where 3.0 answers 403 (A04, A05)
    return FAILED if status >= 500 else REFUSED


def cure_of(said: str, action: str) -> str:
    """What helps against a refusal. Flow Framework names the permission in none of them, the security plugin in all (behaviour.md 5.3)."""
    if said.startswith("User does not have permissions to access workflow"):
        return "filter_by_backend_roles is on, and a workflow is let near those who share a backend role with its owner: use such credentials."
    if said.startswith("Tenant ID"):
        return "The cluster has tenants: set tenant_id."
    if said == "No permission to access this resource":
        return "The workflow belongs to another tenant: set its tenant_id."
    if said.startswith("User doesn't have privilege to perform this operation on this"):
        return "ML Commons lets only some near it: it is in a model group of others, or hidden. Use credentials that may see it."
    if action and "no permissions for [" not in said:
        return "Grant the permission %s, or use others." % action
    return "Grant the permission, or use others."


def action_of(method: str, target: str) -> str:
    """What a request to Flow Framework asks for, as permissions call it (behaviour.md 5.1); empty for any other request."""
    path = target.partition("?")[0]
    if not path.startswith(WORKFLOWS + "/"):
        return ""
    for ending, action in ENDINGS.items():
        if path.endswith(ending):
            return ACTIONS + action
    return ACTIONS + ("workflow/delete" if method == "DELETE" else "workflow/get")


ACTIONS = "cluster:admin/opensearch/flow_framework/"
ENDINGS = {
    "/_deprovision": "workflow/deprovision",
    "/_status": "workflow_state/get",
    "/state/_search": "workflow_state/search",
    "/workflow/_search": "workflow/search",
}


def decode(text: str) -> tuple[Any, bool]:
    """The JSON of an answer, and whether it is any."""
    try:
        return json.loads(text), True
    except ValueError:
        return None, False


def not_opensearch(reply: Reply, url: str) -> str:
    """What to say of an answer that is no JSON."""
    if not reply.text.strip():
        what = "an empty answer"
    elif "<html" in reply.text[:1000].lower() or "text/html" in reply.content_type:
        what = "an HTML page"
    else:
        what = "an answer that is broken off or no JSON"
    return "%s gave %s (%d), not OpenSearch's JSON: probably a proxy or a login page is in between. Check url." % (url, what, reply.status or 0)


def text_of(body: Any) -> str:
    """The words of an error: the plugin's own envelope is a string, the core's an object."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error")
    return error if isinstance(error, str) else str(error_of(body).get("reason", ""))


def hits_of(answer: Answer) -> list[dict[str, Any]]:
    """The hits of a search, as far as they are hits, or none."""
    if not answer.ok or not isinstance(answer.body, dict):
        return []
    hits = (answer.body.get("hits") or {}).get("hits")
    return [hit for hit in hits if isinstance(hit, dict) and isinstance(hit.get("_source", {}), dict)] if isinstance(hits, list) else []


def is_whole(answer: Answer) -> bool:
    """Whether the hits of a search are all that it found."""
    if not answer.ok or not isinstance(answer.body, dict):
        return True
    total = (answer.body.get("hits") or {}).get("total") or {}
    return bool(total.get("relation", "eq") == "eq" and total.get("value", 0) <= len(hits_of(answer)))
