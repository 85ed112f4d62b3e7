# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: the library, the connection, the secrets, and one way to end."""

from __future__ import annotations

import gc
import traceback
from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from . import connection
from .api import Api
from .connection import ConnectionOptionError
from .records import Survey, SurveyError
from .resources import generated_danger
from .survey import Surveyor

SELDOM = 100_000  # objects: what is read of ten thousand workflows stays, and looking through it again and again took a quarter of the time
MISTAKE = "This is a mistake of the module, please report it: %s: %s. What it did until then is not known; a run in check mode shows what is left."


class OptionError(Exception):
    """An option of the task that cannot be used; the text says which and why."""


def run(module: AnsibleModule, empty: dict[str, Any], task: Callable[[Api, Surveyor], dict[str, Any]]) -> None:
    """Connect, run the task, and end the module with its result; with C(empty) and a sentence where it cannot be run."""
    if connection.LIBRARY_ERROR:
        msg = missing_required_lib("opensearch-py", url="https://github.com/opensearch-project/opensearch-py")
        module.fail_json(msg=msg, exception=connection.LIBRARY_ERROR, **without_msg(empty))
    gc.set_threshold(SELDOM)
    try:
        connected = connection.connect(module.params)
        module.no_log_values.update(connected.secrets)
        api = Api(connected)
        surveyor = Surveyor(api, module.params["flow_framework_version"])
        made = task(api, surveyor)
    except (ConnectionOptionError, OptionError, SurveyError) as error:
        module.no_log_values.update(getattr(error, "secrets", ()))
        module.fail_json(msg=str(error), **without_msg(empty))
    except Exception as error:
        # Ansible would print the traceback as it is. This way the secrets in it are masked.
        module.fail_json(msg=MISTAKE % (type(error).__name__, error), exception=traceback.format_exc(), **without_msg(empty))
    if made.get("failed"):
        module.fail_json(**made)
    module.exit_json(**made)


def without_msg(result: dict[str, Any]) -> dict[str, Any]:
    """A result whose sentence is given apart."""
    return {key: value for key, value in result.items() if key != "msg"}


def workflow_ids(given: Sequence[str]) -> list[str]:
    """The ids of a task, each once. Raises OptionError: an empty id is a variable that was not set, never 'none'."""
    for workflow_id in given:
        if not workflow_id.strip():
            raise OptionError("workflow_id holds an empty id: probably a variable that is not set. Nothing was read or deleted.")
        danger = generated_danger(workflow_id)
        if danger:
            raise OptionError("workflow_id %r is no workflow id: %s. Nothing was read or deleted." % (workflow_id, danger))
    return list(dict.fromkeys(given))


def refuse_negative(params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Numbers below 0 are a slip, and some would be taken for no limit at all. Raises OptionError."""
    for name in names:
        if (params[name] or 0) < 0:
            raise OptionError("%s must not be negative. Nothing was read or deleted." % name)


def refuse_masking(module: AnsibleModule, survey: Survey) -> None:
    """Ansible blots every secret out of a result, in the middle of an id too: rather fail than name a wrong id."""
    names = [resource.id for workflow in survey.workflows for resource in workflow.resources]
    names += [user.id for workflow in survey.workflows for resource in workflow.resources for user in resource.users]
    names += [one.id for one in survey.unrecorded]
    names += [text for w in survey.workflows for text in (w.workflow_id, w.name) if text]
    names += [name for name in (survey.server.cluster_name, survey.server.cluster_uuid) if name]
    secrets = {str(secret) for secret in module.no_log_values if secret}
    if any(secret in name for name in names for secret in secrets):
        raise SurveyError(
            "A secret given to this task (password, token or header) is part of a name that the result would have to show, and Ansible"
            " would mask it. Use other credentials; nothing was deleted."
        )


def warn(module: AnsibleModule, texts: Iterable[str]) -> None:
    """Each warning once."""
    for text in dict.fromkeys(texts):
        for secret in module.no_log_values:
            text = text.replace(str(secret), "********")  # Ansible masks results, and not warnings in every release
        module.warn(text)
