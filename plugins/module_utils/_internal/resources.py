# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue: one row a kind of resource that Flow Framework provisions. Everything else asks the row.

Facts come from the recordings in C(tests/contract/recordings) and, per version, from the vectors beside them (D20, X04);
C(tests/contract/behaviour.md) sums them up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Tuple
from urllib.parse import quote

Key = Tuple[str, str]  # kind and id: what makes it one resource on the cluster
Version = Tuple[int, ...]

ALLOW_DELETE_SINCE: Version = (2, 16)  # below, indices and pipelines are dropped from the record and stay (D20, D21)
STATE_GOES_WITH_TEMPLATE_SINCE: Version = (2, 14)  # a workflow without template leaves no state behind (D06, D07)
CLEAR_STATUS_SINCE: Version = (2, 15)  # DELETE takes a state with its records along (X04, X06)
TRIMMED = "".join(map(chr, range(33)))  # what the server trims off each item of allow_delete (behaviour.md 2.3)


def always(version: Version, security: bool) -> bool:
    """The server gets over it in every version."""
    return True


def never(version: Version, security: bool) -> bool:
    """The server gets over it in no version."""
    return False


def ungated(version: Version, security: bool) -> bool:
    """Before allow_delete the server forgot these without looking (D20; recording 2.15.0 gone_before)."""
    return version < ALLOW_DELETE_SINCE


def model_gone(version: Version, security: bool) -> bool:
    """Since 2.16 (D25, D26), but not under the security plugin (recording 2.19.1 undeployed_model_gone)."""
    return version >= (2, 16) and not security


def agent_gone(version: Version, security: bool) -> bool:
    """2.12, and again since 2.16 (D28, D29, D30)."""
    return version < (2, 13) or version >= (2, 16)


@dataclass(frozen=True)
class Step:
    """What a step of a template that records a resource means for the teardown.

    ``gone_is_success``: does the server get over it when the resource is gone already? If not, every later
    deprovision of that workflow answers 202.
    """

    action: str  # what a deprovision does with the resource: delete, undeploy, or nothing
    gone_is_success: Callable[[Version, bool], bool]
    named_by: str = ""  # the input of the step that is the name of what it creates
    since: Version = ()  # versions before do not know the step, and hang over it (behaviour.md 2.2)


def index_danger(index: str) -> str:
    """Why the cluster would take this index name for more, or other, than one index; empty if it would not."""
    if any(sign in index for sign in "*?,<"):
        return "it holds one of * ? , <, which the cluster takes for a pattern or a list"
    if index[:1] in ("-", "_", "+"):
        return "it starts with %s, which no index name does" % index[:1]
    if index in ("", ".", "..") or index != index.strip(TRIMMED):
        return "it is no name"
    return ""


def pipeline_danger(pipeline: str) -> str:
    """Why the cluster would take this pipeline id for more than itself, or allow_delete cannot name it; else empty (D44)."""
    if "*" in pipeline or "," in pipeline:
        return "it holds * or , which the cluster takes for a pattern or a list"
    if not pipeline or pipeline != pipeline.strip(TRIMMED):
        return "it is empty, or starts or ends with a blank, which allow_delete cannot express"
    return ""


def generated_danger(generated: str) -> str:
    """Why this is not an id that OpenSearch generates; empty if it may be. A leading - or _ is harmless."""
    if not re.match(r"^[A-Za-z0-9_-]+\Z", generated):
        return "it holds other characters than letters, digits, - and _"
    return ""


def gone_index(body: Any) -> bool:
    """404 of an index that does not exist (recording ml_checks)."""
    return error_of(body).get("type") == "index_not_found_exception"


def gone_pipeline(body: Any) -> bool:
    """404 of a pipeline that does not exist: an empty object (recording ml_checks)."""
    return isinstance(body, dict) and not body


def gone_ml(body: Any) -> bool:
    """404 of ML Commons for an id it does not hold, or when its index does not exist (recordings ml_checks, empty_cluster)."""
    error = error_of(body)
    reason = str(error.get("reason", ""))
    return error.get("type") == "index_not_found_exception" or reason.startswith(("Fail to find ", "Failed to find ")) or reason == "Failed to get agent index"


def error_of(body: Any) -> dict[str, Any]:
    """The error object of the core envelope, or an empty one."""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


MARK = "opensearch_ops.flow_framework: an empty placeholder, so that Flow Framework can clear its record"


def index_placeholder() -> dict[str, Any]:
    """An empty index that nobody can write to, with our mark."""
    settings = {"index.number_of_shards": 1, "index.number_of_replicas": 0, "index.blocks.write": True}
    return {"settings": settings, "mappings": {"_meta": {"description": MARK}}}


def is_index_placeholder(body: dict[str, Any]) -> bool:
    """Whether an index carries our mark. That it is empty has to be counted."""
    return bool(((body.get("mappings") or {}).get("_meta") or {}).get("description") == MARK)


def ingest_placeholder() -> dict[str, Any]:
    """An ingest pipeline that does nothing, with our mark."""
    return {"description": MARK, "processors": []}


def search_placeholder() -> dict[str, Any]:
    """A search pipeline that does nothing, with our mark."""
    return {"description": MARK, "request_processors": []}


def is_pipeline_placeholder(body: dict[str, Any]) -> bool:
    """Whether a pipeline carries our mark and does nothing."""
    return bool(body.get("description") == MARK) and not any(value for name, value in body.items() if name.endswith("processors"))


def no_placeholder(body: dict[str, Any]) -> bool:
    """There is no such thing for this kind."""
    return False


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    ``type``: what records call it; ``path``: where it is looked at and deleted; ``right``: the permission to delete it, of
    the user who sends the call (behaviour.md 5.1); ``is_gone``: whether the body of a 404 says so; ``steps``: what records it.
    """

    name: str
    type: str
    path: str
    right: str
    is_gone: Callable[[Any], bool]
    steps: Mapping[str, Step]
    danger: Callable[[str], str] = generated_danger  # why an id would be taken for more than itself
    needs_allow_delete: bool = False  # since 2.16 the server deletes it only when named
    leftover: bool = False  # the server never deletes it, and the option leftovers decides
    settings: tuple[str, ...] = ()  # the settings of an index that name one, and so use it
    listed: bool = False  # a look at its path without an id shows all of them by their ids, as a look at one does
    placeholder: Callable[[], dict[str, Any]] | None = None  # what lets the server get over one that is gone
    is_placeholder: Callable[[dict[str, Any]], bool] = no_placeholder
    plural: str = ""  # of its title, where that is not its title with an s

    @property
    def generated(self) -> bool:
        """ML Commons makes its ids: nobody else has such an id, and a search finds it by its id."""
        return self.danger is generated_danger

    @property
    def collection(self) -> str:
        """Where all of them are, for kinds that have such a path."""
        return self.path.rsplit("/", 1)[0]

    def target(self, resource_id: str) -> str:
        """The quoted path of one resource."""
        return self.path % quote(resource_id, safe="")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "connector",
            type="connector_id",
            path="/_plugins/_ml/connectors/%s",
            right="cluster:admin/opensearch/ml/connectors/delete",
            is_gone=gone_ml,
            steps={"create_connector": Step("delete", always)},
        ),
        Kind(
            "model",
            type="model_id",
            path="/_plugins/_ml/models/%s",
            right="cluster:admin/opensearch/ml/models/delete",
            is_gone=gone_ml,
            steps={
                "register_remote_model": Step("delete", model_gone),
                "register_local_custom_model": Step("delete", model_gone),
                "register_local_sparse_encoding_model": Step("delete", model_gone),
                "register_local_pretrained_model": Step("delete", model_gone),
                "deploy_model": Step("undeploy", never),
            },
        ),
        Kind(
            "model_group",
            type="model_group_id",
            path="/_plugins/_ml/model_groups/%s",
            right="cluster:admin/opensearch/ml/model_groups/delete",
            is_gone=gone_ml,
            steps={"register_model_group": Step("nothing", always, named_by="name")},
            leftover=True,
        ),
        Kind(
            "agent",
            type="agent_id",
            path="/_plugins/_ml/agents/%s",
            right="cluster:admin/opensearch/ml/agents/delete",
            is_gone=gone_ml,
            steps={"register_agent": Step("delete", agent_gone)},
        ),
        Kind(
            "index",
            type="index_name",
            path="/%s",
            right="indices:admin/delete",
            is_gone=gone_index,
            steps={
                "create_index": Step("delete", ungated, named_by="index_name"),
                "reindex": Step("nothing", always, since=(2, 15)),
            },
            danger=index_danger,
            needs_allow_delete=True,
            placeholder=index_placeholder,
            is_placeholder=is_index_placeholder,
            plural="indices",
        ),
        Kind(
            "ingest_pipeline",
            type="pipeline_id",
            path="/_ingest/pipeline/%s",
            right="cluster:admin/ingest/pipeline/delete",
            is_gone=gone_pipeline,
            steps={"create_ingest_pipeline": Step("delete", ungated, named_by="pipeline_id")},
            danger=pipeline_danger,
            needs_allow_delete=True,
            settings=("index.default_pipeline", "index.final_pipeline"),
            listed=True,
            placeholder=ingest_placeholder,
            is_placeholder=is_pipeline_placeholder,
        ),
        Kind(
            "search_pipeline",
            type="pipeline_id",
            path="/_search/pipeline/%s",
            right="cluster:admin/search/pipeline/delete",
            is_gone=gone_pipeline,
            steps={"create_search_pipeline": Step("delete", ungated, named_by="pipeline_id", since=(2, 13))},
            danger=pipeline_danger,
            needs_allow_delete=True,
            settings=("index.search.default_pipeline",),
            listed=True,
            placeholder=search_placeholder,
            is_placeholder=is_pipeline_placeholder,
        ),
    )
}

UNDEPLOY_RIGHTS = "cluster:admin/opensearch/ml/undeploy_models and cluster:admin/opensearch/ml/undeploy_model"  # the first calls the second

OTHER = "other"  # the kind of what a step recorded that this catalogue does not know


def kind_of(step_name: str) -> str:
    """The kind of resource that a recorded step made, or C(other)."""
    return next((kind.name for kind in KINDS.values() if step_name in kind.steps), OTHER)


def generated_kinds() -> list[str]:
    """The kinds whose ids ML Commons makes."""
    return [name for name, kind in KINDS.items() if kind.generated]


def steps_of(kind: str) -> Mapping[str, Step]:
    """The steps that record a kind; none of C(other)."""
    return KINDS[kind].steps if kind in KINDS else {}


def needs_allow_delete(kind: str) -> bool:
    """Whether the server deletes this kind only when ``allow_delete`` names it (below 2.16: whether we do)."""
    return kind in KINDS and KINDS[kind].needs_allow_delete


def title(kind: str) -> str:
    """The kind as a person says it."""
    return kind.replace("_", " ") if kind in KINDS else "resource"


def titles(kind: str) -> str:
    """The same for several of them."""
    return (KINDS[kind].plural if kind in KINDS else "") or title(kind) + "s"


def parse_version(text: str | None) -> Version | None:
    """``3.6.0.0`` or ``2.19.1`` as numbers, without qualifiers such as ``-SNAPSHOT``; None when it is no version."""
    match = re.match(r"^(\d+)\.(\d+)(?:\.(\d+))?", text or "")
    return tuple(int(part or 0) for part in match.groups()) if match else None
