# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security plugin of a cluster: certificates, users and settings, all made at start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.simulator.security import ADMIN_ROLE, default_users

SUPERADMIN = "superadmin"
"""The client certificate that may do everything, without any role: the plugin's own administrator."""

SUBJECT: dict[str, Any] = {"organization_name": "tests", "organization_unit_name": "opensearch"}

# bcrypt of each user's name with a cost of 4: the quickest that there is, which is all that a test needs.
HASHES = {
    "admin": "$2b$04$OOtJG9d6SC6q6YDWo3A/SOIrP8itBSTYsRr3EpQ6874eHNSoE4sFG",
    "nobody": "$2b$04$YsxjStWtqoxSkGRAKrlwaeYnzGskc8ifB5.CKjS4LcWvlgFZyChN6",
    "reader": "$2b$04$kI8P.LAllFjDm95k/Bq0Z.39gz5KawQBN0ByeOJJazk6EgfQWgmDu",
    "flowadmin": "$2b$04$3uWwTHP1NMZMS68KxbYYReumR//a9aPQxOpT/J8u9Iz55Tm4/9.bO",
    "flowml": "$2b$04$XYugJIMJLBZRyHRnt9c/sOcRK/HiM2QAlOKBmxMHJFB4oaBzkkapC",
}

SYSTEM_INDICES = [
    ".plugins-ml-agent",
    ".plugins-ml-config",
    ".plugins-ml-connector",
    ".plugins-ml-controller",
    ".plugins-ml-model-group",
    ".plugins-ml-model",
    ".plugins-ml-task",
    ".plugins-ml-memory-meta",
    ".plugins-ml-memory-message",
    ".plugins-flow-framework-config",
    ".plugins-flow-framework-templates",
    ".plugins-flow-framework-state",
]
"""Which only their plugins may touch, as on a cluster that was set up with the plugin's own installer."""


class Certificates:
    """Of the nodes and of every user, in ``folder``, signed by a CA of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)
        self.node = self.issue("node", "127.0.0.1", "localhost")
        self.clients = {name: self.issue(name, f"{name}@example.org") for name in (*HASHES, SUPERADMIN)}

    def issue(self, name: str, *identities: str) -> tuple[Path, Path]:
        """(certificate, key) with that common name."""
        made = self.authority.issue_cert(*identities, common_name=name, **SUBJECT)
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
        # The plugin reads PKCS#8 only, and trustme writes another format.
        loaded = load_pem_private_key(made.private_key_pem.bytes(), None)
        key.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key


def distinguished(name: str) -> str:
    """The subject of that certificate, as the plugin compares it."""
    return f"CN={name},OU={SUBJECT['organization_unit_name']},O={SUBJECT['organization_name']}"


def settings() -> dict[str, Any]:
    """For opensearch.yml; paths are those of `write`, relative to the config folder."""
    values: dict[str, Any] = {
        "plugins.security.allow_default_init_securityindex": True,
        "plugins.security.audit.type": "noop",
        "plugins.security.authcz.admin_dn": [distinguished(SUPERADMIN)],
        "plugins.security.nodes_dn": [distinguished("node")],
        "plugins.security.restapi.roles_enabled": ["all_access", "security_rest_api_access"],
        "plugins.security.unsupported.restapi.allow_securityconfig_modification": True,
        "plugins.security.system_indices.enabled": True,
        "plugins.security.system_indices.indices": SYSTEM_INDICES,
        "plugins.security.ssl.http.enabled": True,
        "plugins.security.ssl.http.clientauth_mode": "OPTIONAL",
        "plugins.security.ssl.transport.enforce_hostname_verification": False,
    }
    for layer in ("http", "transport"):
        values[f"plugins.security.ssl.{layer}.pemcert_filepath"] = "node.pem"
        values[f"plugins.security.ssl.{layer}.pemkey_filepath"] = "node.key"
        values[f"plugins.security.ssl.{layer}.pemtrustedcas_filepath"] = "ca.pem"
    return values


def write(config: Path, home: Path, certificates: Certificates) -> None:
    """What a node needs in its config folder: the plugin's roles as delivered; users, and how they come in, of our own."""
    for path in (certificates.ca, *certificates.node):
        shutil.copy(path, config)
    folder = config / "opensearch-security"
    shutil.copytree(home / "config" / "opensearch-security", folder)
    # YAML takes JSON.
    (folder / "internal_users.yml").write_text(json.dumps(internal_users()))
    (folder / "roles_mapping.yml").write_text(json.dumps(roles_mapping()))
    (folder / "config.yml").write_text(json.dumps(ways_in()))


def internal_users() -> dict[str, Any]:
    users = {user.name: {"hash": HASHES[user.name], "backend_roles": list(user.backend_roles)} for user in default_users().values()}
    return {"_meta": {"type": "internalusers", "config_version": 2}, **users}


def roles_mapping() -> dict[str, Any]:
    """By name, so that it holds for passwords and certificates; the first two are as the plugin delivers them."""
    mapping: dict[str, Any] = {"own_index": {"users": ["*"]}, ADMIN_ROLE: {"backend_roles": ["admin"]}}
    for user in default_users().values():
        for role in user.roles:
            if role not in ("own_index", ADMIN_ROLE):
                mapping.setdefault(role, {"users": []})["users"].append(user.name)
    return {"_meta": {"type": "rolesmapping", "config_version": 2}, **mapping}


def ways_in() -> dict[str, Any]:
    """A password, or the common name of a client certificate; who has one of them has the backend roles of that user."""
    enabled = {"http_enabled": True, "transport_enabled": False}
    by_certificate = {"type": "clientcert", "challenge": False, "config": {"username_attribute": "cn"}}
    authentication = {
        "certificate": {**enabled, "order": 0, "http_authenticator": by_certificate, "authentication_backend": {"type": "noop"}},
        "basic": {
            **enabled,
            "order": 1,
            "http_authenticator": {"type": "basic", "challenge": True},
            "authentication_backend": {"type": "intern"},
        },
    }
    dynamic = {
        "http": {"anonymous_auth_enabled": False},
        "authc": authentication,
        "authz": {"internal": {**enabled, "authorization_backend": {"type": "intern"}}},
    }
    return {"_meta": {"type": "config", "config_version": 2}, "config": {"dynamic": dynamic}}
