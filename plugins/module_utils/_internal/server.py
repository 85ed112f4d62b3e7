# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cluster this is, and which version of Flow Framework it runs: what a call does depends on it. Sends reads only."""

from __future__ import annotations

from .answers import MISSING, NO_PLUGIN, Answer, Readable
from .api import Api
from .records import Server, SurveyError
from .resources import ALLOW_DELETE_SINCE, parse_version


def read_server(api: Api, readable: Readable, flow_framework_version: str | None) -> Server:
    """Names and versions. ``flow_framework_version``: what the task says it is, where that cannot be read.

    Raises SurveyError when the version of the plugin cannot be known.
    """
    info = readable(api.info(), "Reading the cluster's name and version")
    body = info.body if info.ok and isinstance(info.body, dict) else {}
    if info.ok and not isinstance(body.get("version"), dict):
        raise SurveyError("The server at url is not OpenSearch: GET / names no version.")
    plugins = readable(api.plugins(), "Reading the list of plugins")
    installed = plugins.body if plugins.ok and isinstance(plugins.body, list) else None
    if installed is None and not flow_framework_version:
        raise SurveyError(unknown_version(plugins), plugins)
    return Server(
        version=body.get("version", {}).get("number"),
        flow_framework=plugin_version(installed, flow_framework_version),
        cluster_name=body.get("cluster_name"),
        cluster_uuid=body.get("cluster_uuid"),
        security=any(row.get("component") == "opensearch-security" for row in installed or ()),
    )


def unknown_version(plugins: Answer) -> str:
    """Why the version of Flow Framework is not known, and what helps: the list of plugins did not come."""
    if plugins.outcome in (MISSING, NO_PLUGIN):
        return "There is no list of plugins at url: %s. Check url, and the path at its end." % plugins.sentence.rstrip(".")
    return (
        "These credentials may not read the list of plugins, so the version of Flow Framework is not known, and what"
        " the server deletes depends on it. Grant cluster:monitor/state and cluster:monitor/nodes/info, or set flow_framework_version."
    )


def plugin_version(installed: list[dict[str, str]] | None, given: str | None) -> str:
    """The version of Flow Framework; the lowest, where nodes differ. ``installed``: None where it cannot be read, and ``given`` counts."""
    if installed is None:
        if not parse_version(given):
            raise SurveyError("flow_framework_version %r is no version such as 2.19.1." % given)
        return str(given)
    versions = {row.get("version", "") for row in installed if row.get("component") == "opensearch-flow-framework"}
    if not versions:
        raise SurveyError("The Flow Framework plugin is not installed on this cluster (opensearch-flow-framework is not in _cat/plugins).")
    if not all(parse_version(version) for version in versions):
        raise SurveyError("The version of the Flow Framework plugin cannot be read: %s." % ", ".join(sorted(versions)))
    ordered = sorted(versions, key=lambda version: parse_version(version) or ())
    lowest, highest = ordered[0], ordered[-1]
    if (parse_version(lowest) or ()) < ALLOW_DELETE_SINCE <= (parse_version(highest) or ()):
        raise SurveyError(
            "The nodes run Flow Framework %s to %s. Before 2.16 it forgets indices and pipelines, since then it deletes them: what a call"
            " does depends on the node. Finish the upgrade first; nothing was deleted." % (lowest, highest)
        )
    return lowest
