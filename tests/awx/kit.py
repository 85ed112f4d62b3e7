# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWX kit as AWX takes it: the data of examples/awx, injectors rendered as the server renders them, answers of surveys."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
AWX = EXAMPLES / "awx"


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tag for text that is no template of its own."""


def text(loader: Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


Loader.add_constructor("!unsafe", text)


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def data() -> dict[str, list[dict[str, Any]]]:
    """All the variables of apply.yml."""
    return {name: entries for path in sorted((AWX / "data").glob("*.yml")) for name, entries in load(path).items()}


def named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in entries if one["name"] == name)


def engine() -> ImmutableSandboxedEnvironment:
    """What AWX renders injectors with."""
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined)


def injected(kind: dict[str, Any], inputs: dict[str, Any], folder: Path) -> dict[str, str]:
    """The environment of a job with a credential: what is a file is put into ``folder``. A boolean that nobody answered is false."""
    booleans = {one["id"]: False for one in kind["inputs"]["fields"] if one["type"] == "boolean"}
    defaults = {one["id"]: one["default"] for one in kind["inputs"]["fields"] if "default" in one}
    given = {**booleans, **defaults, **inputs}
    names: dict[str, str] = {}
    for name, text in kind["injectors"].get("file", {}).items():
        path = folder / name.replace(".", "-")
        path.write_text(engine().from_string(text).render(**given), encoding="utf-8")
        names[name.partition(".")[2]] = str(path)
    tower = SimpleNamespace(filename=SimpleNamespace(**names))
    return {name: engine().from_string(text).render(tower=tower, **given) for name, text in kind["injectors"]["env"].items()}


def answers(survey: dict[str, Any], **given: Any) -> dict[str, Any]:
    """What a survey gives to a job: an optional question that nobody answered is blank, or its default."""
    known = {one["variable"]: one.get("default", "") for one in survey["spec"]}
    answered = {f"environment_teardown_{name}": value for name, value in given.items()}
    assert set(answered) <= set(known), set(answered) - set(known)
    return {**known, **answered}
