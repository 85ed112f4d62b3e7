# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, what they may do, and how the security plugin refuses (recordings security_roles, backend_roles)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import Refused, core_error

ADMIN_ROLE = "all_access"
_FLOW = "cluster:admin/opensearch/flow_framework/"

READ_FLOWS = (
    _FLOW + "workflow/get",
    _FLOW + "workflow/search",
    _FLOW + "workflow_state/get",
    _FLOW + "workflow_state/search",
    _FLOW + "workflow_step/get",
)
OWN_INDEX = ("indices:data/read/msearch",)
"""What the plugin gives to everybody by the role own_index, as far as it counts here."""

FULL_FLOWS = (
    _FLOW + "*",
    "cluster:monitor/*",
    "indices:monitor/*",
    "indices:admin/aliases/get",
    "indices:admin/mappings/get",
)
FULL_ML = ("cluster:admin/opensearch/ml/*", "cluster:monitor/*", "indices:monitor/*")


@dataclass
class User:
    """``permissions`` are globs over names of actions."""

    name: str
    password: str
    permissions: Sequence[str] = ()
    backend_roles: Sequence[str] = ()
    roles: Sequence[str] = ("own_index",)

    @property
    def is_admin(self) -> bool:
        return ADMIN_ROLE in self.roles

    def may(self, action: str) -> bool:
        return any(fnmatch.fnmatchcase(action, pattern) for pattern in self.permissions)

    def document(self) -> dict[str, Any]:
        """The user as templates and states hold it (recording security_roles)."""
        return {
            "name": self.name,
            "backend_roles": list(self.backend_roles),
            "roles": list(self.roles),
            "custom_attribute_names": [],
            "user_requested_tenant": None,
        }


def default_users() -> dict[str, User]:
    """The users of the recordings; each password is the name."""
    users = (
        User("admin", "admin", ("*",), ("admin",), ("own_index", ADMIN_ROLE)),
        User("nobody", "nobody", OWN_INDEX),
        User("reader", "reader", (*OWN_INDEX, *READ_FLOWS), (), ("own_index", "flow_framework_read_access")),
        User("flowadmin", "flowadmin", (*OWN_INDEX, *FULL_FLOWS), (), ("own_index", "flow_framework_full_access")),
        User(
            "flowml",
            "flowml",
            (*OWN_INDEX, *FULL_FLOWS, *FULL_ML),
            (),
            ("own_index", "flow_framework_full_access", "ml_full_access"),
        ),
    )
    return {user.name: user for user in users}


def access_key(signature: str) -> str:
    """Whose key a request is signed with (``Credential=KEY/date/region/service/aws4_request, …``). The signature itself is not checked."""
    return signature.partition("Credential=")[2].partition("/")[0]


def unauthorized() -> Refused:
    """Plain text, not JSON (recording security_roles)."""
    return Refused(401, "Unauthorized")


@dataclass
class Security:
    """The security plugin; while ``enabled`` is false everybody is nobody and may do everything."""

    enabled: bool
    users: dict[str, User] = field(default_factory=default_users)
    tokens: dict[str, str] = field(default_factory=dict)

    def authenticate(self, headers: Mapping[str, str], common_name: str | None) -> User | None:
        """Who asks: basic, bearer, the access key of AWS, or the name of a client certificate. Refused: 401."""
        if not self.enabled:
            return None
        header = headers.get("Authorization", "")
        scheme, _sign, value = header.partition(" ")
        if scheme.lower() == "basic":
            return self._by_password(value.strip())
        if scheme.lower() == "bearer":
            user = self.users.get(self.tokens.get(value.strip(), ""))
        elif scheme == "AWS4-HMAC-SHA256":
            user = self.users.get(self.tokens.get(access_key(value), ""))
        elif header:
            user = None
        else:
            user = self.users.get(common_name) if common_name else None
        if user is None:
            raise unauthorized()
        return user

    def _by_password(self, encoded: str) -> User:
        try:
            name, _sign, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise unauthorized() from None
        user = self.users.get(name)
        if user is None or user.password != password:
            raise unauthorized()
        return user

    def authorize(self, user: User | None, action: str) -> None:
        """Refused: 403 with the plugin's own words, where the user lacks the action."""
        if not self.enabled or user is None or user.may(action):
            return
        raise core_error("security_exception", no_permissions(user, action), 403)


def no_permissions(user: User, action: str) -> str:
    """The text of the security plugin (recording security_roles)."""
    backend = ", ".join(user.backend_roles)
    return f"no permissions for [{action}] and User [name={user.name}, backend_roles=[{backend}], requestedTenant=null]"
