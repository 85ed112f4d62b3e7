# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which artifacts of a Maven repository make which OpenSearch. What they have to be stands in SHA256SUMS."""

from __future__ import annotations

from dataclasses import dataclass

from .problems import CannotRun

NEWEST = 99
"""Where no newer Java is known to be too new."""


@dataclass(frozen=True)
class Artifact:
    """A file by its coordinates."""

    group: str
    name: str
    version: str
    type: str

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.{self.type}"


@dataclass(frozen=True)
class Module:
    """A part of OpenSearch that its zip lacks, and that has to be put together out of jars, a description and a policy.

    ``extends``: the module that it loads together with. ``permissions``: what the security manager has to allow.
    """

    name: str
    main: str
    jars: tuple[Artifact, ...]
    extends: str = ""
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """What makes a version. ``java``: the oldest and the newest feature release that it runs on."""

    version: str
    java: tuple[int, int]
    modules: tuple[Module, ...] = ()
    security: bool = False

    @property
    def server(self) -> Artifact:
        return Artifact("org.opensearch.distribution.integ-test-zip", "opensearch", self.version, "zip")

    def plugins(self, security: bool) -> list[Artifact]:
        """In the order in which they can be installed. Raises CannotRun where there is no security plugin."""
        if security and not self.security:
            raise CannotRun(f"OpenSearch {self.version} is run here without security only")
        names = ["opensearch-security"] if security else []
        return [self.plugin(name) for name in (*names, "opensearch-job-scheduler", "opensearch-ml-plugin")]

    @property
    def flow_framework(self) -> Artifact:
        return self.plugin("opensearch-flow-framework")

    def plugin(self, name: str) -> Artifact:
        return Artifact("org.opensearch.plugin", name, self.version + ".0", "zip")


def jars(*coordinates: str) -> tuple[Artifact, ...]:
    """Each as ``group:name:version``."""
    return tuple(Artifact(group, name, version, "jar") for group, name, version in (one.split(":") for one in coordinates))


# The zip of 2.x holds the transport only; ML Commons deletes by query, and pipelines need processors.
# There is no artifact of search-pipeline-common.
MODULES_2_19 = (
    Module(
        "reindex",
        "org.opensearch.index.reindex.ReindexPlugin",
        jars(
            "org.opensearch.plugin:reindex-client:2.19.1",
            "org.opensearch.client:opensearch-rest-client:2.19.1",
            "org.opensearch:opensearch-ssl-config:2.19.1",
            "org.apache.httpcomponents:httpclient:4.5.14",
            "org.apache.httpcomponents:httpcore:4.4.16",
            "org.apache.httpcomponents:httpasyncclient:4.1.5",
            "org.apache.httpcomponents:httpcore-nio:4.4.16",
            "commons-codec:commons-codec:1.16.1",
            "commons-logging:commons-logging:1.2",
        ),
    ),
    Module(
        "lang-painless",
        "org.opensearch.painless.PainlessPlugin",
        jars(
            "org.opensearch.plugin:lang-painless:2.19.1",
            "org.opensearch.plugin:opensearch-scripting-painless-spi:2.19.1",
            "org.antlr:antlr4-runtime:4.13.1",
            "org.ow2.asm:asm:9.7",
            "org.ow2.asm:asm-util:9.7",
            "org.ow2.asm:asm-tree:9.7",
            "org.ow2.asm:asm-commons:9.7",
            "org.ow2.asm:asm-analysis:9.7",
        ),
        permissions=("createClassLoader", "getClassLoader"),
    ),
    Module(
        "ingest-common",
        "org.opensearch.ingest.common.IngestCommonPlugin",
        jars(
            "org.opensearch.plugin:ingest-common:2.19.1",
            "org.opensearch:opensearch-grok:2.19.1",
            "org.opensearch:opensearch-dissect:2.19.1",
            "org.jruby.joni:joni:2.2.1",
            "org.jruby.jcodings:jcodings:1.0.61",
        ),
        extends="lang-painless",
    ),
    Module(
        "analysis-common",
        "org.opensearch.analysis.common.CommonAnalysisPlugin",
        jars("org.opensearch.plugin:analysis-common:2.19.1"),
        extends="lang-painless",
    ),
)

RELEASES = {
    one.version: one
    for one in (
        # Java 24 took the security manager away, without which 2.x does not start.
        Release("2.19.1", java=(17, 23), modules=MODULES_2_19, security=True),
        Release("3.6.0", java=(21, NEWEST)),
    )
}


def release(version: str) -> Release:
    """Raises CannotRun for a version that is not in the table."""
    if version not in RELEASES:
        raise CannotRun(f"there is no OpenSearch {version} here, but {' and '.join(RELEASES)}")
    return RELEASES[version]
