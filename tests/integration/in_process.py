# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' own code run in this process over real HTTP: for tests that need hundreds of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.deprovision import deprovision as deprovisioned
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.information import information as informed
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.survey import Surveyor
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import workflow_deprovision, workflow_info


class Module:
    """What the code of a module sees of AnsibleModule."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.warnings: list[str] = []
        self.no_log_values: set[str] = set()
        self._diff = True

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def deprovision(urls: Sequence[str], check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """The result of workflow_deprovision, with its warnings."""
    return carried_out(workflow_deprovision, {"url": list(urls), "wait_sleep": 0.0, "wait_timeout": 30, **options}, check_mode)


def information(urls: Sequence[str], **options: Any) -> dict[str, Any]:
    """The result of workflow_info, with its warnings."""
    return carried_out(workflow_info, {"url": list(urls), **options})


def carried_out(of: Any, given: Mapping[str, Any], check_mode: bool = False) -> dict[str, Any]:
    """The result of a module with these options, as if Ansible had run it, with its warnings."""
    params = {**{name: option.get("default") for name, option in of.argument_spec().items()}, **given}
    module: Any = Module(params, check_mode)
    api = Api(connection.connect(params))
    surveyor = Surveyor(api, params.get("flow_framework_version"))
    result = informed(module, surveyor) if of is workflow_info else deprovisioned(module, api, surveyor)
    return {**result, "warnings": module.warnings}
