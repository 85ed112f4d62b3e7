#!/usr/bin/python
# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workflow_deprovision
short_description: Take away what OpenSearch Flow Framework workflows provisioned
version_added: 1.0.0
author:
  - opensearch_ops.flow_framework contributors (@opensearch-ops)
description:
  - Deletes the connectors, models, agents, indices and pipelines that workflows of OpenSearch Flow Framework provisioned, and says of each
    resource what became of it.
  - The whole plan, over all the workflows, is made and checked before anything is deleted. Where an index or a pipeline is not named in
    O(allow_delete), nothing is deleted at all. The server's own API does otherwise, see the notes.
  - The desired state is that each workflow is C(NOT_STARTED) with nothing recorded, or does not exist, and that none of its resources exists.
    A second run changes nothing.
  - An outcome is what looking again shows, never an HTTP status.
options:
  workflow_id:
    description:
      - The workflows to tear down. An empty list is fine and does nothing; an empty id is an error, since it is probably a variable that is not set.
    type: list
    elements: str
    required: true
    aliases: [workflow_ids]
  allow_delete:
    description:
      - The indices, ingest pipelines and search pipelines that may be deleted. Everything else that a workflow recorded needs no naming.
      - An id may be written with its kind, such as V(index/docs), V(ingest_pipeline/docs) or V(search_pipeline/docs). A bare id that fits
        resources of several kinds in one workflow releases none of them.
      - The server matches by id alone. Where an index and a pipeline of one workflow have the same id, both have to be named.
      - There is no wildcard.
    type: list
    elements: str
    default: []
  on_blocked:
    description:
      - What to do about an index or a pipeline that is not named in O(allow_delete).
      - V(fail) refuses before anything is deleted, in any of the workflows.
      - V(keep) deletes the rest and keeps those.
    type: str
    choices: [fail, keep]
    default: fail
  on_shared:
    description:
      - What to do about a resource of any kind that somebody outside this task uses. Another workflow records it; a pipeline, an agent or a model
        refers to it; an index outside has it as its default, final or search pipeline; or the index of that name is a later one.
      - An index is a later one when it was made more than 5 seconds after provisioning ended, or an hour where its state is not C(COMPLETED); and when
        it was made more than an hour after provisioning began, whatever the state, since a deprovision that leaves something moves the end.
      - V(fail) refuses before anything is deleted, V(keep) deletes the rest and keeps those, V(delete) deletes them.
      - What needs no naming goes with any deprovision of its workflow. With V(keep), a workflow that holds such a thing is left alone, and the
        task fails over what else it holds. A connector is the exception, since the server keeps one that a model uses.
    type: str
    choices: [fail, keep, delete]
    default: fail
  on_missing:
    description:
      - What to do about a workflow that does not exist. V(ok) warns and names the cluster; V(fail) refuses before anything is deleted.
    type: str
    choices: [ok, fail]
    default: ok
  stale_records:
    description:
      - What to do about an index, a pipeline or a deployed model that is recorded, but gone already. The server cannot get over it, and answers
        every later deprovision of that workflow with a failure.
      - V(report) counts it as gone, and warns.
      - V(recreate) puts an empty placeholder of that name there, so that the server can finish. Only for indices and pipelines that O(allow_delete)
        names, only when nothing else stays recorded, and after everything else is seen gone. A placeholder carries a mark, cannot be written to,
        and counts as gone ever after.
      - V(forget) deletes record and template, once everything recorded is proven gone. Flow Framework 2.15 and later.
    type: str
    choices: [report, recreate, forget]
    default: report
  leftovers:
    description:
      - What to do about model groups, which the server never deletes. V(report) says so; V(delete) deletes those that the workflow recorded and
        that hold no model.
    type: str
    choices: [report, delete]
    default: report
  delete_workflow:
    description:
      - Delete template and state in the end, when nothing is recorded any more but what is retained or absent. Implies V(forget) for stale records.
        Deletes also a template without a state.
    type: bool
    default: false
  protect:
    description:
      - Patterns (C(*), C(?), C([...]), case matters) of workflow ids, workflow names and resource ids that must survive. If one would be
        touched, the task is refused before anything is deleted.
    type: list
    elements: str
    default: []
  max_workflows:
    description:
      - Refuse, before anything is deleted, when more workflows than this would be touched.
    type: int
  max_documents:
    description:
      - Refuse, before anything is deleted, when an index that would be deleted holds more documents than this. An unknown number counts as more.
    type: int
  expect_cluster:
    description:
      - The name or the uuid of the cluster. Refuse on any other.
    type: str
  plan_hash:
    description:
      - Refuse unless today's plan has this hash, which RV(plan_hash) of an earlier run in check mode told. It covers the cluster, the options that
        decide what is deleted, and each resource with its uuid and planned status.
    type: str
  wait_timeout:
    description:
      - Seconds for one workflow, from its own turn on. The time in which it stands in line behind others of its task does not count.
      - Before the plan is made, the task waits once as long at most, until nobody provisions its workflows and no deprovision is under way that may be
        at one of them. All workflows share that time, and it is not taken off what each has afterwards.
    type: int
    default: 600
  wait_sleep:
    description:
      - Seconds before a call that left something is repeated. They double with each repetition, up to 30.
      - Looks do not wait for it. While the server is at something it is looked at several times a second.
    type: float
    default: 2.0
  task_timeout:
    description:
      - Seconds for the whole task, counted from its beginning, with reading and all that it waits for. What was not begun by then is V(failed).
        No limit if not set.
      - It ends up to some seconds later, since what was sent is looked at once more. A request that reads is not cut short, see O(request_timeout).
    type: int
  concurrency:
    description:
      - How many deprovisions run at once on each node of O(url). V(0) is the maximum of the node's pool less two, at least one, so that others have room;
        with O(tenant_id) it is one.
      - At most the maximum of the pool less one, whatever is given; one more hangs the node. Everybody's calls count, those of other users of this machine
        and of other clients too.
    type: int
    default: 0
  progress:
    description:
      - Print lines while the task works. They say how many workflows are done, how many resources are gone, at what pace, and what is waited for.
        The first comes after 3 seconds, the next ones every 5 seconds at first, and more seldom on long runs or where nothing changes. In check mode
        they only say that it reads.
      - The lines go to standard error, where warnings go. They are events (C(verbose)) of ansible-runner.
      - There are none with C(async) or C(no_log), or where the module runs on another machine, or by C(become) as a user other than root. The task
        and its result are the same with and without.
    type: bool
    default: true
notes:
  - Run it once, from one machine, with C(delegate_to=localhost) or C(hosts=localhost). A play over many hosts would send the same calls many times.
  - The server's own C(_deprovision) deletes everything that needs no naming before it answers 403, and answers 202 when something could not be deleted.
    This module works out beforehand what the server would refuse, and fails where something is left.
  - What the server is asked to delete is looked at afterwards, resource by resource.
  - Below Flow Framework 2.16 the server drops indices and pipelines from its record without deleting them. There the module deletes those that
    O(allow_delete) names itself, proves them gone, and only then calls the server.
extends_documentation_fragment:
  - opensearch_ops.flow_framework.connection
  - opensearch_ops.flow_framework.attributes
  - opensearch_ops.flow_framework.attributes.action_group
attributes:
  action:
    support: full
    details:
      - The action plugin prints the lines of O(progress), and nothing else.
  async:
    support: full
    details:
      - There are no lines of O(progress) then.
  check_mode:
    support: full
    details:
      - Sends reads only, and predicts the status of every resource, RV(ignore:changed), and whether the task fails.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: opensearch_ops.flow_framework.workflow_info
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_safety
    description: The guide Safety, what is never deleted, and what goes only when it is named.
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_troubleshooting
    description: The guide Troubleshooting, every message with what it means and what to do.
  - name: Deprovision Workflow API
    description: The documentation of the API.
    link: https://docs.opensearch.org/latest/automating-configurations/api/deprovision-workflow/
"""

EXAMPLES = r"""
- name: Show what a teardown would do
  opensearch_ops.flow_framework.workflow_deprovision:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    workflow_id: "{{ preview_workflow_id }}"
    allow_delete:
      - pr-17-docs
      - pr-17-embed
  check_mode: true
  diff: true
  register: plan

- name: Tear down exactly what the plan said, on that cluster, and no index with more than 10,000 documents
  opensearch_ops.flow_framework.workflow_deprovision:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    workflow_id: "{{ preview_workflow_id }}"
    allow_delete:
      - pr-17-docs
      - pr-17-embed
    expect_cluster: preview
    max_documents: 10000
    plan_hash: "{{ plan.plan_hash }}"

- name: Delete what needs no naming, and keep indices and pipelines
  opensearch_ops.flow_framework.workflow_deprovision:
    url: https://search.example.com:9200
    token: "{{ search_token }}"
    workflow_id: "{{ preview_workflow_id }}"
    on_blocked: keep

- name: Report what is left when a teardown fails
  block:
    - name: Tear down
      opensearch_ops.flow_framework.workflow_deprovision:
        url: https://search.example.com:9200
        client_cert: /etc/pki/opensearch/ops.pem
        client_key: /etc/pki/opensearch/ops.key
        ca_cert: /etc/pki/opensearch/ca.pem
        workflow_id: "{{ preview_workflow_id }}"
  rescue:
    - name: Say what is left
      ansible.builtin.debug:
        msg: "{{ ansible_failed_result.remaining | map(attribute='msg') | select | list }}"
"""

RETURN = r"""
msg:
  description: What happened, in a sentence. After a failure it names each reason.
  type: str
  returned: always
  sample: "1 workflow: 8 resources deleted, 1 model group left on the cluster"
server:
  description: The cluster. V(null) where it was not asked, for an empty list of workflows or options that cannot be used.
  type: dict
  returned: always
  contains:
    version:
      description: The version of OpenSearch; V(null) where these credentials may not read it.
      type: str
      returned: always
    flow_framework:
      description: The version of the Flow Framework plugin, the lowest of all nodes.
      type: str
      returned: always
    cluster_name:
      description: The name of the cluster; V(null) where these credentials may not read it.
      type: str
      returned: always
    cluster_uuid:
      description: The uuid of the cluster; V(null) where these credentials may not read it.
      type: str
      returned: always
  sample: {version: 3.6.0, flow_framework: 3.6.0.0, cluster_name: preview, cluster_uuid: PxlriicRQguYK_wF75Z9Kw}
workflows:
  description: One entry a workflow, in the order of the task.
  type: list
  elements: dict
  returned: always
  contains:
    workflow_id:
      description: The id.
      type: str
      returned: always
    name:
      description: The name of the template; V(null) where there is none or it cannot be read.
      type: str
      returned: always
    state_before:
      description: The state before; V(null) where there is no such workflow.
      type: str
      returned: always
    state_after:
      description: The state afterwards; V(null) where there is no such workflow any more.
      type: str
      returned: always
    changed:
      description: Whether anything was, or would be, deleted, undeployed or reset.
      type: bool
      returned: always
    failed:
      description: Whether the task fails over this workflow.
      type: bool
      returned: always
    msg:
      description: Why the workflow stopped short; empty where it did not.
      type: str
      returned: always
    attempts:
      description: How many deprovision calls were sent.
      type: int
      returned: always
    duration:
      description: Seconds.
      type: float
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, name: pr-17, state_before: COMPLETED, state_after: NOT_STARTED, changed: true, failed: false, msg: "",
       attempts: 1, duration: 1.9}
resources:
  description: One entry a workflow and resource. A model that was registered and deployed is one.
  type: list
  elements: dict
  returned: always
  contains:
    workflow_id:
      description: The workflow that recorded it.
      type: str
      returned: always
    kind:
      description: What it is.
      type: str
      returned: always
      choices: [connector, model, model_group, agent, index, ingest_pipeline, search_pipeline, other]
    type:
      description: What the server calls its type.
      type: str
      returned: always
    id:
      description: Its id or name.
      type: str
      returned: always
    uuid:
      description: The uuid of an index; else V(null).
      type: str
      returned: always
    steps:
      description: The steps of the template that recorded it.
      type: list
      elements: str
      returned: always
    status:
      description:
        - What became of it. V(would_delete) stands for V(deleted) in check mode.
        - V(deleted) means that it was there, and that looking again proved it gone.
        - V(absent) means that it was gone before, goes with another workflow of the task, or was deleted by something else during the run.
        - V(blocked) needs naming in O(allow_delete), is protected, is used by somebody else, or would take more along than itself. V(kept) is the same
          with O(on_blocked=keep) or O(on_shared=keep).
        - V(retained) is what a deprovision leaves on the cluster. It is a model group, a model that the workflow only deployed, which is undeployed,
          or an index that it only wrote to.
        - V(untouched) would have gone, but the task was refused before anything was.
        - V(failed) should be gone and is still there.
        - V(unknown) could not be looked at, or the server was still at it when the time was over.
      type: str
      returned: always
      choices: [would_delete, deleted, absent, blocked, kept, retained, untouched, failed, unknown]
    changed:
      description: Whether it was, or would be, deleted or undeployed.
      type: bool
      returned: always
    failed:
      description: Whether the task fails over it.
      type: bool
      returned: always
    msg:
      description: Why it is as it is, and what to do; empty where there is nothing to say.
      type: str
      returned: always
    needs_allow_delete:
      description: Whether it goes only when O(allow_delete) names it.
      type: bool
      returned: always
    documents:
      description: The documents of an index before; V(null) for anything else, and where the number cannot be trusted.
      type: int
      returned: always
    size_in_bytes:
      description: The size of an index before, with its replicas; else V(null).
      type: int
      returned: always
    used_by:
      description: What uses it, as C(kind/id).
      type: list
      elements: str
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, kind: index, type: index_name, id: pr-17-docs, uuid: S1n0PO6eR2ihmbMahVVcog, steps: [create_index],
       status: deleted, changed: true, failed: false, msg: "", needs_allow_delete: true, documents: 1200, size_in_bytes: 884736, used_by: []}
blocked:
  description: What O(allow_delete) would have to name, and only what naming can release.
  type: list
  elements: str
  returned: always
  sample: [pr-17-docs]
remaining:
  description: The entries of RV(resources) that still exist, or may still exist.
  type: list
  elements: dict
  returned: always
unrecorded:
  description: What a template names literally, that exists, and that no record holds. It is said, never deleted.
  type: list
  elements: dict
  returned: always
  contains:
    workflow_id:
      description: The workflow whose template names it.
      type: str
      returned: always
    kind:
      description: What it is.
      type: str
      returned: always
    id:
      description: Its id or name.
      type: str
      returned: always
    command:
      description: The request that would delete it.
      type: str
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, kind: index, id: pr-17-logs, command: DELETE /pr-17-logs}
summary:
  description: How many resources ended in each status; all statuses, always.
  type: dict
  returned: always
  sample: {would_delete: 0, deleted: 8, absent: 0, retained: 1, blocked: 0, kept: 0, untouched: 0, failed: 0, unknown: 0}
plan_hash:
  description: The hash of today's plan, for O(plan_hash); V(null) where no plan was made.
  type: str
  returned: always
  sample: 5f1d7a84db00d2fce00b31a7fc73224f8c0d5f9f4f6f4d7a4f5a3b0c2b7d9e11
duration:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 2.4
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection, outcome
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.deprovision import deprovision
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import run


def argument_spec() -> dict[str, Any]:
    spec = connection.argument_spec()
    spec.update(
        workflow_id=dict(type="list", elements="str", required=True, aliases=["workflow_ids"]),
        allow_delete=dict(type="list", elements="str", default=[]),
        on_blocked=dict(type="str", choices=["fail", "keep"], default="fail"),
        on_shared=dict(type="str", choices=["fail", "keep", "delete"], default="fail"),
        on_missing=dict(type="str", choices=["ok", "fail"], default="ok"),
        stale_records=dict(type="str", choices=["report", "recreate", "forget"], default="report"),
        leftovers=dict(type="str", choices=["report", "delete"], default="report"),
        delete_workflow=dict(type="bool", default=False),
        protect=dict(type="list", elements="str", default=[]),
        max_workflows=dict(type="int"),
        max_documents=dict(type="int"),
        expect_cluster=dict(type="str"),
        plan_hash=dict(type="str"),
        wait_timeout=dict(type="int", default=600),
        wait_sleep=dict(type="float", default=2.0),
        task_timeout=dict(type="int"),
        concurrency=dict(type="int", default=0),
        progress=dict(type="bool", default=True),
    )
    return spec


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    run(module, outcome.empty(), lambda api, surveyor: deprovision(module, api, surveyor))


if __name__ == "__main__":
    main()
