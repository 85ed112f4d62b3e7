# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look at one resource makes of its answer, for kinds that no server has yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import OK, Answer
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.looks import look
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import KINDS, MARK

from .worlds import resource


def looked_at(one: Resource, body: dict[str, Any]) -> Resource:
    api = Mock()
    api.look.return_value = Answer(OK, 200, body, "")
    return look(api, lambda answer, doing: answer, one)


@pytest.mark.parametrize("listed", [True, False], ids=["by its id in a list", "as the answer itself"])
def test_a_placeholder_counts_as_gone_however_its_kind_is_shown(listed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "ingest_pipeline", replace(KINDS["ingest_pipeline"], listed=listed))
    one, empty, filled = resource("create_ingest_pipeline", "clean"), {"description": MARK, "processors": []}, {"description": MARK, "processors": [{}]}
    seen = [looked_at(one, {"clean": body} if listed else body) for body in (empty, filled)]
    assert [(now.exists, now.placeholder) for now in seen] == [(False, True), (True, False)]


def test_nothing_but_a_model_is_deployed() -> None:
    body = {"model_state": "DEPLOYED"}
    seen = [looked_at(resource(step, "a1"), body) for step in ("register_remote_model", "create_connector", "register_agent", "register_model_group")]
    assert [now.state for now in seen] == ["DEPLOYED", None, None, None]
