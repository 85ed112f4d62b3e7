# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # The options that connect to a cluster, shared by every module of the collection.
    DOCUMENTATION = r"""
options:
  url:
    description:
      - The nodes of the cluster, such as V(https://search.example.com:9200), or a load balancer before them.
      - A path at the end is put before every request. Credentials inside the URL are refused.
      - If not set, the environment variable E(OPENSEARCH_URL) of the machine where the module runs is used.
    type: list
    elements: str
    required: true
  username:
    description:
      - The user for basic authentication, together with O(password).
      - If no authentication at all is given in the task, E(OPENSEARCH_USERNAME) is used.
    type: str
  password:
    description:
      - The password of O(username).
      - If no authentication at all is given in the task, E(OPENSEARCH_PASSWORD) is used.
    type: str
  token:
    description:
      - A bearer token, such as a JWT, sent as C(Authorization) header.
      - If no authentication at all is given in the task, E(OPENSEARCH_TOKEN) is used.
    type: str
  client_cert:
    description:
      - The path of a client certificate (PEM). It may hold the key as well.
      - It may be used alone or beside any other way to authenticate.
      - If no authentication at all is given in the task, E(OPENSEARCH_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - The path of the key of O(client_cert) (PEM, not encrypted).
      - If no authentication at all is given in the task, E(OPENSEARCH_CLIENT_KEY) is used.
    type: path
  ca_cert:
    description:
      - The path of the CA certificates (PEM) that the server's certificate is checked with, instead of the system's.
      - If not set, E(OPENSEARCH_CA_CERT) is used.
    type: path
  validate_certs:
    description:
      - Whether the server's certificate is checked.
      - If not set, E(OPENSEARCH_VALIDATE_CERTS) is used.
    type: bool
    default: true
  aws_region:
    description:
      - Signs every request with AWS Signature Version 4 for this region. Credentials come from botocore's own chain
        (environment, profile, role).
      - E(AWS_REGION) and the like do not switch signing on. If no authentication at all is given in the task,
        E(OPENSEARCH_AWS_REGION) is used.
    type: str
  aws_service:
    description:
      - The service that the signature is for; V(es) if not set.
      - If no authentication at all is given in the task, E(OPENSEARCH_AWS_SERVICE) is used.
    type: str
    choices: [es, aoss]
  aws_profile:
    description:
      - The profile of botocore's configuration to take credentials from.
      - If no authentication at all is given in the task, E(OPENSEARCH_AWS_PROFILE) is used.
    type: str
  tenant_id:
    description:
      - The tenant, on clusters with Flow Framework's multi-tenancy; sent as C(x-tenant-id) header.
      - If not set, E(OPENSEARCH_TENANT_ID) is used.
    type: str
  headers:
    description:
      - Further headers of every request. Their values are treated as secrets.
    type: dict
  request_timeout:
    description:
      - Seconds that one read may take. The deprovision call itself waits as long as
        O(opensearch_ops.flow_framework.workflow_deprovision#module:wait_timeout) says.
      - If not set, E(OPENSEARCH_REQUEST_TIMEOUT) is used.
    type: float
    default: 30.0
  flow_framework_version:
    description:
      - The version of the Flow Framework plugin, such as V(2.19.1), only where these credentials may not read it.
        What the server deletes depends on it; where it can be read, this is ignored.
    type: str
requirements:
  - opensearch-py >= 2.8.0, < 4
  - botocore, for O(aws_region) only
seealso:
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_authentication
    description: The guide Authentication, every way to connect.
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_permissions
    description: The guide to permissions, the least that a user needs.
"""
