# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to authenticate works, and no secret is seen anywhere."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.environment import target_python

from .helpers import Playbooks, Played, by_kind, deprovision, deprovisions, environment, everything, existing, info

PASSWORD = "Pa55-w0rd/of+the=operator"
TOKEN = "eyJhbGciOi.J9.a-token-that-nobody-may-see"
HEADER = "a-value-of-a-header-that-nobody-may-see"
BASIC = base64.b64encode(f"operator:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, TOKEN, HEADER, BASIC)
OTHER = {"OPENSEARCH_USERNAME": "stranger", "OPENSEARCH_PASSWORD": "the-strangers-password"}


def secured(sim: Any) -> Any:
    """With an operator, by password and by token."""
    sim.add_user("operator", PASSWORD, ["*"], roles=["own_index", "all_access"])
    sim.add_token(TOKEN, "operator")
    return sim


WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "basic": ({"username": "operator", "password": PASSWORD}, "operator"),
    "token": ({"token": TOKEN}, "operator"),
    "certificate": ({"client_cert": "CERT", "client_key": "KEY"}, "admin"),
    "header": ({"username": "operator", "password": PASSWORD, "headers": {"X-Gateway-Key": HEADER}}, "operator"),
}


@pytest.fixture(scope="module")
def ways(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Any]]:
    """Each way tears an environment down, at the highest verbosity, while the variables name a stranger."""
    sim = secured(cluster(security=True, tls=True))
    made, tasks = {}, []
    for name, (given, _other) in WAYS.items():
        paths = {"CERT": sim.client_cert, "KEY": sim.client_key}
        options = {key: paths.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
        made[name] = environment(sim, name)
        common = {"allow_delete": made[name].named, "ca_cert": sim.ca_cert, **options}
        tasks.append(deprovision(name, sim.url, name, **common))
        if name in ("basic", "token"):
            tasks.append(info(f"{name}, info", sim.url, name, ca_cert=sim.ca_cert, **options))
            wrong = {key: "nothing-right" if key in ("password", "token") else value for key, value in common.items()}
            tasks.append(deprovision(f"{name}, refused", sim.url, name, **wrong))
    return playbooks.run(tasks, arguments=["-vvvv", "--diff"], environment=OTHER), sim, made


@pytest.mark.parametrize("name", WAYS)
def test_each_way_to_authenticate_tears_down_as_that_user(name: str, ways: tuple[Played, Any, dict[str, Any]]) -> None:
    played, sim, made = ways
    assert not played[name]["failed"], played[name]["msg"]
    assert existing(sim, made[name]) == {"model_group"}
    assert {request.user for request in deprovisions(sim, name)} == {WAYS[name][1]}


def test_authentication_in_the_task_switches_off_that_of_the_environment(
    ways: tuple[Played, Any, dict[str, Any]],
) -> None:
    """Else the stranger of the environment would have met the token of the task."""
    played, sim, _other = ways
    assert {request.user for request in sim.requests() if request.status == 200} == {"operator", "admin"}
    assert "401" in played["basic, refused"]["msg"] and "401" in played["token, refused"]["msg"]


def test_no_secret_is_printed_or_returned_even_at_the_highest_verbosity(
    ways: tuple[Played, Any, dict[str, Any]],
) -> None:
    played, *_others = ways
    everywhere = played.output + json.dumps(played.results)
    assert "<127.0.0.1>" in everywhere or "<localhost>" in everywhere  # it is that verbose
    for secret in (*SECRETS, "nothing-right", OTHER["OPENSEARCH_PASSWORD"]):
        assert secret not in everywhere, secret
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in everywhere


def test_the_environment_authenticates_where_the_task_does_not(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = secured(cluster(security=True, tls=True))
    made = environment(sim, "w")
    variables = {
        "OPENSEARCH_URL": sim.url,
        "OPENSEARCH_USERNAME": "operator",
        "OPENSEARCH_PASSWORD": PASSWORD,
        "OPENSEARCH_CA_CERT": sim.ca_cert,
    }
    task = deprovision("task", sim.url, "w", allow_delete=made.named)
    del task["opensearch_ops.flow_framework.workflow_deprovision"]["url"]
    played = playbooks.run([task], environment=variables, arguments=["-vvvv"])
    assert not played["task"]["failed"], played["task"]["msg"]
    assert existing(sim, made) == {"model_group"}
    assert PASSWORD not in played.output and BASIC not in played.output


@pytest.fixture(scope="module")
def refused(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Any]]:
    """Options that contradict each other or may not be."""
    sim = cluster()
    environment(sim, "w")
    before = everything(sim, "w")
    host = sim.url.removeprefix("http://")
    tasks = [
        deprovision("credentials in url", f"http://operator:Secret-in-the-url@{host}", "w"),
        deprovision("password without user", sim.url, "w", password=PASSWORD),
        deprovision("two ways", sim.url, "w", username="operator", password=PASSWORD, token=TOKEN),
        deprovision("key without certificate", sim.url, "w", client_key="/nowhere/key.pem"),
        deprovision("no such file", sim.url.replace("http:", "https:"), "w", ca_cert="/nowhere/ca.pem"),
        deprovision("no url", "nowhere", "w"),
        deprovision("a secret that is part of a name", sim.url, "w", username="operator", password="w-do"),
        deprovision("a header that is part of a name", sim.url, "w", headers={"X-Key": "w-emb"}),
    ]
    return playbooks.run(tasks, arguments=["-vvvv"]), sim, before


REFUSALS = {
    "credentials in url": "must not hold credentials",
    "password without user": "belong together",
    "two ways": "exclude each other",
    "key without certificate": "client_key needs client_cert",
    "no such file": "ca_cert",
    "no url": "is not like https://",
    "a secret that is part of a name": "would mask it",
    "a header that is part of a name": "would mask it",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_contradicts_itself_is_refused_and_says_why(name: str, refused: tuple[Played, Any, dict[str, Any]]) -> None:
    played, sim, before = refused
    assert played[name]["failed"] and not played[name]["changed"]
    assert REFUSALS[name] in played[name]["msg"]
    assert by_kind(played[name]) == {}
    assert deprovisions(sim) == [] and everything(sim, "w") == before


def test_a_password_inside_url_is_not_repeated(refused: tuple[Played, Any, dict[str, Any]]) -> None:
    played, *_others = refused
    assert "Secret-in-the-url" not in json.dumps(played.results) + played.output


AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAOFTHETEST",
    "AWS_SECRET_ACCESS_KEY": "aws-s3cret-key-that-nobody-may-see",
    "AWS_SESSION_TOKEN": "aws-session-that-nobody-may-see",
}


def has_botocore() -> bool:
    """Whether modules find botocore. It is optional, and not in every environment that they run in."""
    return subprocess.run([target_python(), "-c", "import botocore"], stderr=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.skipif(not has_botocore(), reason="there is no botocore where the modules run")
def test_signed_requests_tear_down_and_no_secret_of_aws_is_printed_or_returned(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """One cluster takes the signature without a look, the other refuses it: neither outcome shows a secret."""
    taking, refusing = cluster(), cluster(security=True)
    made = environment(taking, "w")
    signed = {"aws_region": "eu-central-1"}
    tasks = [
        info("info", taking.url, "w", **signed),
        deprovision("task", taking.url, "w", allow_delete=made.named, **signed),
        deprovision("refused", refusing.url, "w", **signed),
    ]
    played = playbooks.run(tasks, arguments=["-vvvv", "--diff"], environment=AWS)
    assert not played["task"]["failed"], played["task"]["msg"]
    assert existing(taking, made) == {"model_group"}
    ours = [request for request in taking.requests() if request.method != "PUT" or "_flow_framework" not in request.path]
    assert len(deprovisions(taking, "w")) == 1
    assert all(str(request.authorization).startswith("AWS4-HMAC-SHA256 Credential=AKIAOFTHETEST/") for request in ours)
    assert "401" in played["refused"]["msg"]
    everywhere = played.output + json.dumps(played.results)
    assert "diff" in everywhere
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert AWS[name] not in everywhere, name
