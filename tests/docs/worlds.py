# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster that the pages speak of: how it is made, what it has, and how its names in the pages become those of the simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch

from tests.demo.cast import DOCUMENTS, Environment, Stage, assistant
from tests.environment import target_python
from tests.simulator import running

URL = "https://search.example.com:9200"
WORKFLOW_ID = "fxTPPviUDPV4LoG02uEe"
USER, PASSWORD, TOKEN, ACCESS_KEY = "ops", "a-password-for-the-pages", "a-token-for-the-pages", "AKIAFORTHEPAGES"
DAY = 86_400_000  # milliseconds


WORLDS: Mapping[str, Mapping[str, Any]] = {
    "guide_authentication.rst": {"tls": True},
}
"""What the simulator of a page is started with (arguments of tests.simulator.running), where it is not the usual one."""


class Cluster:
    """A simulator called ``preview``, with the environment ``pr-17``: one workflow that holds each kind of resource."""

    def __init__(self, simulator: Any) -> None:
        self.simulator = simulator
        self.stage = Stage(simulator)
        self.client = OpenSearch(simulator.url, http_auth=("admin", "admin"), ca_certs=simulator.ca_cert if simulator.options.tls else None)
        self.environment = Environment("pr-17")
        self.namesake = Environment("pr-170")
        simulator.add_user(USER, PASSWORD, ["*"], roles=["own_index", "all_access"])
        simulator.add_token(TOKEN, USER)
        simulator.add_token(ACCESS_KEY, USER)
        self.renew()

    @property
    def workflow_id(self) -> str:
        """Of pr-17."""
        return self.environment.workflow_ids[0]

    def renew(self) -> None:
        """As the page begins: pr-17 and nothing else."""
        self.simulator.clock.factor = 0.0
        self.simulator.clear()
        self.simulator.faults.clear()
        self.environment = self.provision("pr-17")
        self.namesake = Environment("pr-170")
        self.simulator.clear_log()

    def provision(self, name: str) -> Environment:
        """One more environment."""
        environment = Environment(name)
        environment.workflow_ids.append(self.simulator.provision(assistant(name)))
        environment.resources += self.stage.recorded(environment)
        self.fill(f"{name}-docs")
        return environment

    def fill(self, index: str) -> None:
        """Put documents into an index, seen at once."""
        for number in range(DOCUMENTS):
            self.client.index(index=index, body={"text": f"Text {number}"})

    # -- names

    def names(self) -> dict[str, str]:
        """What stands in the pages, and what is meant here."""
        found = {
            URL: self.simulator.url,
            WORKFLOW_ID: self.workflow_id,
            "OPENSEARCH_PASSWORD=…": f"OPENSEARCH_PASSWORD={PASSWORD}",
            "OPENSEARCH_TOKEN=…": f"OPENSEARCH_TOKEN={TOKEN}",
            "AWS_ACCESS_KEY_ID=…": f"AWS_ACCESS_KEY_ID={ACCESS_KEY}",
            "AWS_SECRET_ACCESS_KEY=…": "AWS_SECRET_ACCESS_KEY=a-secret-for-the-pages",
        }
        if self.simulator.options.tls:
            paths = {"ca.pem": self.simulator.ca_cert, "ops.pem": self.simulator.client_cert, "ops.key": self.simulator.client_key}
            found.update({f"/etc/pki/opensearch/{name}": path for name, path in paths.items()})
        return found

    def meant(self, text: str) -> str:
        """A text of a page, with this cluster in place of the example's."""
        for example, real in self.names().items():
            text = text.replace(example, real)
        return text

    def inventory(self, path: Path) -> None:
        """Write the inventory of the pages: localhost, and the variables that the playbooks take as given."""
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": target_python(),
            "search_user": USER,
            "search_password": PASSWORD,
            "search_token": TOKEN,
            "preview_workflow_id": self.workflow_id,
            "reviewed_names": self.environment.to_name,
        }
        path.write_text(json.dumps({"all": {"hosts": {"localhost": host}}}), encoding="utf-8")

    # -- what it has

    def left(self) -> str:
        """What there is of pr-17: ``all`` (and nobody has asked for less), ``nothing`` but its model group, ``not even its group``, or ``some`` of it.

        AssertionError if pr-170 was taken along.
        """
        assert self.stage.left(self.namesake) == self.namesake.resources, "pr-170 was taken along"
        left = self.stage.left(self.environment)
        if left == self.environment.resources and not self.simulator.requests("POST", "_deprovision"):
            return "all"
        if self.stage.states(self.environment) in (["NOT_STARTED"], ["MISSING"]):
            return {tuple(self.environment.groups): "nothing", (): "not even its group"}.get(tuple(left), "some")
        return "some"


@contextmanager
def cluster(page: str) -> Iterator[Cluster]:
    """The cluster of a page."""
    with running(security=True, cluster_name="preview", **WORLDS.get(page, {})) as simulator:
        yield Cluster(simulator)


# -- what happens before a block ---------------------------------------------------------------------------------------


def a_week_has_passed(cluster: Cluster) -> None:
    """pr-17 is as old as eight days."""
    simulator, id_ = cluster.simulator, cluster.workflow_id
    then = int(time.time() * 1000) - 8 * DAY
    template = {**simulator.template(id_), "created_time": then, "last_updated_time": then, "last_provisioned_time": then}
    simulator.load({**simulator.state(id_), "provision_start_time": then, "provision_end_time": then + 1000}, template)
    put_index(cluster, creation_date=then)


def another_index_uses_its_pipeline(cluster: Cluster) -> None:
    """team-docs, which belongs to nobody here, has pr-17-clean as its default pipeline."""
    cluster.simulator.world.put("index", "team-docs", documents=3, settings={"index.default_pipeline": "pr-17-clean"})


def the_index_was_deleted_by_hand(cluster: Cluster) -> None:
    """The record still holds it."""
    cluster.simulator.world.remove("index", "pr-17-docs")


def the_index_was_made_anew(cluster: Cluster) -> None:
    """Under its name, with another uuid."""
    put_index(cluster, uuid=None)


def the_index_is_read_only(cluster: Cluster) -> None:
    put_index(cluster, read_only=True)


def more_environments(cluster: Cluster) -> None:
    """Beside pr-17 there are pr-18, pr-19 and pr-20."""
    for name in ("pr-18", "pr-19", "pr-20"):
        cluster.provision(name)


def a_namesake(cluster: Cluster) -> None:
    """pr-170 holds a connector, which nobody needs to name: what chooses pr-17 must not take it along."""
    template = assistant("pr-170")
    steps = template["workflows"]["provision"]["nodes"]
    template["workflows"]["provision"]["nodes"] = [one for one in steps if one["type"] == "create_connector"]
    cluster.stage.provision(cluster.namesake, template)


def it_has_tenants(cluster: Cluster) -> None:
    """pr-17 is that of the tenant search-team from now on."""
    simulator, id_ = cluster.simulator, cluster.workflow_id
    owner = {"tenant_id": "search-team"}
    simulator.load({**simulator.state(id_), **owner}, {**simulator.template(id_), **owner})
    cluster.client.cluster.put_settings(body={"persistent": {"plugins.flow_framework.multi_tenancy_enabled": True}})


def it_has_a_repository(cluster: Cluster) -> None:
    """For snapshots, under the name backups."""
    cluster.client.snapshot.create_repository(repository="backups", body={"type": "fs", "settings": {"location": "backups"}})


def it_takes_its_time(cluster: Cluster) -> None:
    """Three times as much as a real server, so that it takes longer than until the first lines of progress."""
    cluster.simulator.clock.factor = 3.0


def put_index(cluster: Cluster, **attributes: Any) -> None:
    """The index of pr-17 with other attributes."""
    world = cluster.simulator.world
    world.put("index", "pr-17-docs", **{**world.get("index", "pr-17-docs"), **attributes})


EVENTS: Mapping[str, Callable[[Cluster], None]] = {
    "a week has passed": a_week_has_passed,
    "another index uses its pipeline": another_index_uses_its_pipeline,
    "it has a repository": it_has_a_repository,
    "it has tenants": it_has_tenants,
    "it takes its time": it_takes_its_time,
    "the index was deleted by hand": the_index_was_deleted_by_hand,
    "the index was made anew": the_index_was_made_anew,
    "the index is read-only": the_index_is_read_only,
    "there is pr-170": a_namesake,
    "there are pr-18, pr-19 and pr-20": more_environments,
}
"""What ``before`` may name."""
