#!/usr/bin/python
# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: index_snapshot
short_description: Take a snapshot of indices, and prove that it has succeeded
version_added: 1.0.0
author:
  - opensearch_ops.flow_framework contributors (@opensearch-ops)
description:
  - Takes a snapshot of indices into a repository that exists, waits until it has ended, and looks at it. Anything but C(SUCCESS) with every index in it is
    a failure.
  - It is meant for what is about to be deleted. For a policy of snapshots use OpenSearch's snapshot management.
options:
  repository:
    description:
      - The name of the snapshot repository. It has to be there.
    type: str
    required: true
  snapshot:
    description:
      - The name of the snapshot, in lower case.
      - Where there is one of that name which has succeeded and holds the indices, nothing is done; it may be old. Where it does not, the module fails.
        One that still runs is waited for.
    type: str
    required: true
  indices:
    description:
      - The indices, by name. Patterns are refused. An empty list does nothing.
    type: list
    elements: str
    required: true
  wait_timeout:
    description:
      - Seconds until the snapshot has to have ended. One that has not goes on, and the module fails.
    type: int
    default: 3600
  wait_sleep:
    description:
      - Seconds between two looks.
    type: float
    default: 2.0
extends_documentation_fragment:
  - opensearch_ops.flow_framework.connection
  - opensearch_ops.flow_framework.attributes
  - opensearch_ops.flow_framework.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Looks whether the repository and a snapshot of that name are there, and waits for nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: opensearch_ops.flow_framework.workflow_deprovision
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_roles_and_reports
    description: The guide Roles and reports, a snapshot before each teardown.
"""

EXAMPLES = r"""
- name: Save an index before it goes
  opensearch_ops.flow_framework.index_snapshot:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    repository: backups
    snapshot: before-pr-17-went
    indices: [pr-17-docs]
"""

RETURN = r"""
msg:
  description: What happened, in a sentence.
  type: str
  returned: always
  sample: Snapshot backups/before-pr-17-went holds pr-17-docs.
repository:
  description: The repository; V(null) where options cannot be used.
  type: str
  returned: always
  sample: backups
snapshot:
  description: The snapshot; V(null) where options cannot be used.
  type: str
  returned: always
  sample: before-pr-17-went
state:
  description: How it ended, as the cluster says, or V(IN_PROGRESS) where it runs. V(null) where there is none, as in check mode.
  type: str
  returned: always
  sample: SUCCESS
uuid:
  description: The uuid of the snapshot; V(null) where there is none.
  type: str
  returned: always
  sample: 9mZyr0xVQPaPu4Dg1wYmRg
indices:
  description: The indices that were asked for.
  type: list
  elements: str
  returned: always
  sample: [pr-17-docs]
shards:
  description: How many shards there are, and how many failed.
  type: dict
  returned: always
  sample: {total: 1, failed: 0, successful: 1}
restore:
  description: The command that brings the indices back; it needs the credentials beside it. Empty where there is no snapshot that
    holds them whole.
  type: str
  returned: always
  sample: >-
    curl -X POST "$OPENSEARCH_URL/_snapshot/backups/before-pr-17-went/_restore" -H 'Content-Type: application/json'
    -d '{"indices": ["pr-17-docs"], "include_global_state": false}'
duration:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 2.1
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection, snapshots
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import refuse_negative, run


def argument_spec() -> dict[str, Any]:
    return dict(
        connection.argument_spec(),
        repository=dict(type="str", required=True),
        snapshot=dict(type="str", required=True),
        indices=dict(type="list", elements="str", required=True),
        wait_timeout=dict(type="int", default=3600),
        wait_sleep=dict(type="float", default=2.0),
    )


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params

    def task(api: Any, dummy: Any) -> dict[str, Any]:
        refuse_negative(params, ("wait_timeout", "wait_sleep"))
        timeout, pause = params["wait_timeout"], params["wait_sleep"]
        return snapshots.take(api, params["repository"], params["snapshot"], params["indices"], timeout, pause, module.check_mode)

    run(module, snapshots.empty(), task)


if __name__ == "__main__":
    main()
