# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options, and the opensearch-py connections that they make: one a node.

opensearch-py's own client retries every method after a lost connection or a 503, and hides the status of a
success. A deprovision that is sent twice corrupts the workflow's record, and 202 is a failure here. So this
module uses opensearch-py's connection class, the layer below, which sends once and returns the status.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
import ssl
import sys
import traceback
from typing import Any, Iterable, NamedTuple
from urllib.parse import unquote, urlsplit

from ansible.module_utils.basic import env_fallback

# opensearch-py takes its asynchronous half along where aiohttp is installed: nearly half of the time of the import, for
# nothing that is used here. It does without where aiohttp cannot be imported, which is so for the time of this import.
MODULES: dict[str, Any] = sys.modules  # None in there stands for what cannot be imported, which its own type does not say
HAD_AIOHTTP = "aiohttp" in MODULES
try:
    if not HAD_AIOHTTP:
        MODULES["aiohttp"] = None
    from opensearchpy import Urllib3HttpConnection, exceptions
    from urllib3 import __version__ as urllib3_version
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    LIBRARY_ERROR = None
except ImportError:
    LIBRARY_ERROR = traceback.format_exc()
finally:
    if not HAD_AIOHTTP:
        del MODULES["aiohttp"]

# What authenticates. One of these given in the task switches the environment off for all of them, so that a
# token of the task never meets a password of the environment.
AUTHENTICATION = {
    "username": "OPENSEARCH_USERNAME",
    "password": "OPENSEARCH_PASSWORD",
    "token": "OPENSEARCH_TOKEN",
    "client_cert": "OPENSEARCH_CLIENT_CERT",
    "client_key": "OPENSEARCH_CLIENT_KEY",
    "aws_region": "OPENSEARCH_AWS_REGION",
    "aws_service": "OPENSEARCH_AWS_SERVICE",
    "aws_profile": "OPENSEARCH_AWS_PROFILE",
}


def argument_spec() -> dict[str, Any]:
    """The options of the C(connection) documentation fragment."""
    return dict(
        url=dict(type="list", elements="str", required=True, fallback=(env_fallback, ["OPENSEARCH_URL"])),
        username=dict(type="str"),
        password=dict(type="str", no_log=True),
        token=dict(type="str", no_log=True),
        client_cert=dict(type="path"),
        client_key=dict(type="path", no_log=False),
        ca_cert=dict(type="path", fallback=(env_fallback, ["OPENSEARCH_CA_CERT"])),
        validate_certs=dict(type="bool", default=True, fallback=(env_fallback, ["OPENSEARCH_VALIDATE_CERTS"])),
        aws_region=dict(type="str"),
        aws_service=dict(type="str", choices=["es", "aoss"]),
        aws_profile=dict(type="str"),
        tenant_id=dict(type="str", fallback=(env_fallback, ["OPENSEARCH_TENANT_ID"])),
        headers=dict(type="dict", no_log=True),
        request_timeout=dict(type="float", default=30.0, fallback=(env_fallback, ["OPENSEARCH_REQUEST_TIMEOUT"])),
        flow_framework_version=dict(type="str"),
    )


# What TLS says when it fails before a request is heard. Whatever else it says, the server may have heard one.
HANDSHAKE = ("CERTIFICATE", "MATCH", "UNKNOWN_CA", "HANDSHAKE", "WRONG_VERSION_NUMBER", "PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL")


class ConnectionOptionError(Exception):
    """The connection options contradict each other or cannot be used; the text says what to change.

    ``secrets`` are what the options hold that must be seen nowhere, although the option is none that is masked.
    """

    def __init__(self, text: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.secrets = frozenset(secrets)


class Reply(NamedTuple):
    """What came back for one request that was sent at most once.

    ``error`` is empty when the server answered; else ``unreachable`` (nothing was sent), ``certificate``
    (refused before anything was sent) or ``lost`` (the server may be working on it).
    """

    status: int | None
    content_type: str
    text: str
    error: str = ""


class Node:
    """One URL of the cluster, and the opensearch-py connection to it."""

    def __init__(self, url: str, connection: Any) -> None:
        self.url = url
        self._connection = connection

    def send(self, method: str, target: str, body: bytes | None, timeout: float, headers: dict[str, str] | None = None) -> Reply:
        """Send one request once. ``target`` is path and query, already quoted; ``timeout`` in seconds."""
        try:
            status, answer_headers, text = self._connection.perform_request(
                method, target, body=body, timeout=timeout, ignore=range(100, 1000), headers=headers
            )
        except exceptions.SSLError as error:
            said = reason(error.info)
            return Reply(None, "", said, "certificate" if any(word in said.upper() for word in HANDSHAKE) else "lost")
        except exceptions.ConnectionError as error:
            never_sent = isinstance(error.info, (NewConnectionError, ConnectTimeoutError))
            return Reply(None, "", reason(error.info), "unreachable" if never_sent else "lost")
        except UnicodeDecodeError:
            return Reply(None, "", "the answer is not UTF-8", "lost")
        return Reply(status, answer_headers.get("content-type", ""), text)


def reason(error: Any) -> str:
    """What went wrong below, without the names of objects that some versions of urllib3 put before it."""
    return re.sub(r"^<[^>]* object at 0x[0-9a-f]+>: ", "", str(getattr(error, "__cause__", None) or error))


class Connection:
    """The nodes that the options name, and the secrets that must be seen nowhere."""

    def __init__(self, nodes: list[Node], secrets: set[str], timeout: float) -> None:
        self.nodes = nodes
        self.secrets = secrets
        self.timeout = timeout


def connect(params: dict[str, Any]) -> Connection:
    """Make the connections that module parameters describe. Nothing is sent yet.

    Raises ConnectionOptionError when the options cannot be used.
    """
    options = with_environment(params)
    refuse_credentials(options["url"])
    check(options)
    headers = {str(name).lower(): str(value) for name, value in (options["headers"] or {}).items()}
    secrets = {value for value in headers.values() if value}
    if options["tenant_id"]:
        headers["x-tenant-id"] = options["tenant_id"]
    authorization = authorization_header(options)
    if authorization:
        headers["authorization"] = authorization
        secrets |= {authorization, authorization.split(" ", 1)[1], options["password"] or options["token"]}
    check_headers(headers)
    signer = None
    if options["aws_region"]:
        signer, aws_secrets = aws_signer(options)
        secrets |= aws_secrets
    nodes = [make_node(url, options, headers, signer) for url in dict.fromkeys(options["url"])]
    return Connection(nodes, secrets, options["request_timeout"])


def with_environment(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters, and the environment's authentication where the task itself gives none."""
    options = dict(params)
    if not any(options.get(name) for name in AUTHENTICATION) and not own_authorization(options):
        for name, variable in AUTHENTICATION.items():
            options[name] = os.environ.get(variable) or None
    return options


def own_authorization(options: dict[str, Any]) -> bool:
    """Whether the task brings its own C(Authorization) header: that is a way to authenticate too."""
    return any(str(name).lower() == "authorization" for name in options["headers"] or {})


def refuse_credentials(urls: list[str]) -> None:
    """Refuse URLs that hold credentials, before anything else: all of them are shown among the task's arguments.

    All the entries are hidden, since Ansible splits a string at the comma of a password too.
    """
    if any("@" in url for url in urls):
        secrets = set(urls).union(*(credentials_in(url) for url in urls)) - {""}
        raise ConnectionOptionError("url must not hold credentials: use username and password, or the environment.", secrets)


def credentials_in(url: str) -> set[str]:
    """The password before the last @ of a URL, or all that stands there without one; as written and unquoted.

    Not what a parser of URLs finds: a password may hold characters that end a host, and C(https://) may be missing.
    """
    userinfo = url.rpartition("@")[0].rpartition("://")[2]
    user, _sign, password = userinfo.partition(":")
    secret = password or user
    return {secret, unquote(secret)}


def check_headers(headers: dict[str, str]) -> None:
    """Refuse what no header can hold. The library would repeat it, quoted in a way that no masking recognises."""
    for name, value in headers.items():
        if not re.match(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z", name):
            raise ConnectionOptionError("headers holds a name that no HTTP header can have.")
        if not re.match(r"[\t\x20-\x7e\xa0-\xff]*\Z", value):
            raise ConnectionOptionError(
                "The value of the header %s holds a line break, or another sign that no header can hold: check token, headers and tenant_id." % name
            )


def check(options: dict[str, Any]) -> None:
    """Refuse what contradicts itself before anything is sent."""
    if bool(options["username"]) != bool(options["password"]):
        raise ConnectionOptionError("username and password belong together: give both or none.")
    ways = [way for way in ("username", "token", "aws_region") if options[way]]
    if own_authorization(options):
        ways.append("an Authorization header")
    if len(ways) > 1:
        raise ConnectionOptionError("%s exclude each other: choose one way to authenticate." % " and ".join(ways))
    if options["client_key"] and not options["client_cert"]:
        raise ConnectionOptionError("client_key needs client_cert.")
    for name in ("aws_service", "aws_profile"):
        if options[name] and not options["aws_region"]:
            raise ConnectionOptionError("%s needs aws_region, which switches signing on." % name)
    if not options["url"]:
        raise ConnectionOptionError("url is empty: name at least one node, such as https://search.example.com:9200.")
    if options["request_timeout"] <= 0:
        raise ConnectionOptionError("request_timeout must be more than 0 seconds.")


def authorization_header(options: dict[str, Any]) -> str | None:
    """The header of basic or token authentication; UTF-8, as the security plugin reads it."""
    if options["username"]:
        pair = "%s:%s" % (options["username"], options["password"])
        return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")
    if options["token"]:
        return "Bearer %s" % options["token"]
    return None


def aws_signer(options: dict[str, Any]) -> Any:
    """opensearch-py's SigV4 signer over botocore's credential chain, and what of it is secret."""
    try:
        from botocore.session import Session
        from opensearchpy import Urllib3AWSV4SignerAuth
    except ImportError as error:
        raise ConnectionOptionError("aws_region needs the Python library botocore where the module runs.") from error
    try:
        credentials = Session(profile=options["aws_profile"]).get_credentials()
    except Exception as error:
        raise ConnectionOptionError("botocore could not read AWS credentials: %s" % error) from error
    if credentials is None:
        raise ConnectionOptionError("botocore finds no AWS credentials: set a profile, a role or AWS_ACCESS_KEY_ID.")
    frozen = credentials.get_frozen_credentials()
    secrets = {secret for secret in (frozen.secret_key, frozen.token) if secret}
    return Urllib3AWSV4SignerAuth(credentials, options["aws_region"], options["aws_service"] or "es"), secrets


def make_node(url: str, options: dict[str, Any], headers: dict[str, str], signer: Any) -> Node:
    """One node from its URL. Raises ConnectionOptionError for a URL that is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConnectionOptionError("url holds an entry that is no URL: %s." % error) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConnectionOptionError("url %r is not like https://search.example.com:9200 or http://host:port/prefix." % url)
    tls = parts.scheme == "https"
    connection = Urllib3HttpConnection(
        host=parts.hostname,
        port=port or (443 if tls else 80),
        use_ssl=tls,
        url_prefix=parts.path.strip("/"),  # the library would make // of a lone /
        ssl_context=tls_context(options, parts.hostname) if tls else None,
        http_auth=signer,
        headers=dict(headers),
        timeout=options["request_timeout"],
        pool_maxsize=10,
    )
    return Node(url, connection)


def is_address(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def tls_context(options: dict[str, Any], host: str) -> ssl.SSLContext:
    """How certificates are checked, and the client's own. Raises ConnectionOptionError for files that do not fit."""
    try:
        context = ssl.create_default_context(cafile=options["ca_cert"])
        if not options["validate_certs"]:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif urllib3_version.startswith("1.") and is_address(host):
            # urllib3 1 hands no address to Python's check, which then refuses; it checks the address itself instead.
            context.check_hostname = False
        if options["client_cert"]:
            # An empty passphrase, since OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(options["client_cert"], options["client_key"], password="")
    except (OSError, ValueError) as error:
        raise ConnectionOptionError("ca_cert, client_cert or client_key cannot be used: %s." % error) from error
    return context
