# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report of a plan or a teardown on the controller, in one go: no module is sent anywhere.

A file appears whole or not at all, also when the process is killed. HTML is escaped by the template engine itself.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

from ansible.module_utils.common.text.formatters import bytes_to_human
from ansible.plugins.action import ActionBase
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ansible_collections.opensearch_ops.flow_framework.plugins.plugin_utils._report import as_text, report_of

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEMPLATES = os.path.join(COLLECTION, "roles", "environment_teardown", "templates")
BESIDE = ("text", "stats", "variables")  # what is no part of the report itself


def argument_spec() -> dict[str, Any]:
    """The options of the module of the same name, which only documents them."""
    return dict(
        action=dict(type="str", required=True, choices=["plan", "teardown", "reap", "scan"]),
        path=dict(type="path", required=True),
        started=dict(type="str", required=True),
        ended=dict(type="str"),
        by=dict(type="str", default=""),
        choosing=dict(type="dict", default={}),
        options=dict(type="dict", default={}),
        workflow_id=dict(type="list", elements="str"),
        plan=dict(type="dict", default={}),
        approved_hash=dict(type="str", default=""),
        approved_lines=dict(type="list", elements="str", default=[]),
        outcome=dict(type="dict", default={}),
        snapshot=dict(type="dict", default={}),
        failure=dict(type="str", default=""),
    )


class ActionModule(ActionBase):
    """Makes and writes the report."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec())
        options["path"] = os.path.abspath(options["path"])
        # Plain types: Ansible's own carry where they come from, which no other library knows.
        facts = json.loads(json.dumps({**options, "check_mode": self._task.check_mode}))
        made = report_of(facts)
        try:
            write(options["path"], files_of(made))
        except OSError as error:
            problem = "The report cannot be written: %s" % error
            made = report_of({**facts, "unwritten": problem})  # what there is to say does not depend on a disk
            result.update(failed=True, msg=problem)
        return dict(result, changed=False, report={key: value for key, value in made.items() if key not in BESIDE}, text=made["text"], stats=made["stats"])


def files_of(made: dict[str, Any]) -> dict[str, str]:
    """The extension of each file, and its content."""
    report = {key: value for key, value in made.items() if key not in BESIDE}
    engine = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters["size"] = bytes_to_human
    engine.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)  # jinja2's own is for scripts, and unreadable
    return {
        "json": json.dumps(report, indent=2, ensure_ascii=False) + "\n",
        "md": engine.get_template("report.md.j2").render(report=report),
        "html": engine.get_template("report.html.j2").render(report=report),
        "vars.yml": "---\n" + as_text(made["variables"]),
    }


def write(path: str, files: dict[str, str]) -> None:
    """Write each file whole. Raises OSError."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    for extension, content in files.items():
        descriptor, fresh = tempfile.mkstemp(prefix=".report-", dir=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(fresh, 0o644)
        os.replace(fresh, "%s.%s" % (path, extension))
