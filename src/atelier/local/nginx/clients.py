"""Clients' addresses in the log, and the origins that may read errors, as nginx's directives."""

from collections.abc import Sequence

LOGGED_AS = {"full": "$remote_addr", "masked": "$logged_address", "off": ""}
"""What the access log has for a client's address."""
LOGGED_ADDRESS = r"""    map $remote_addr $logged_address {
        "~^(?<a>[0-9]+\.[0-9]+\.[0-9]+)\." "$a.0";
        "~^::ffff:(?<b>[0-9]+\.[0-9]+\.[0-9]+)\." "$b.0";  # IPv4 written as IPv6
        "~^(?<c>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" "$c::";
        "~^(?<d>[0-9a-f]+:[0-9a-f]+|[0-9a-f]+)::" "$d::";  # what is left out are zeros
        default "::";
    }
"""


def allowed_origin(origins: Sequence[str]) -> str:
    """Return what nginx's own errors have for Access-Control-Allow-Origin."""
    if "*" in origins:
        return '    map "" $allowed_origin { default *; }'
    listed = "".join(f'        "{origin}" "{origin}";\n' for origin in origins)
    return f'    map $http_origin $allowed_origin {{\n{listed}        default "";\n    }}'
