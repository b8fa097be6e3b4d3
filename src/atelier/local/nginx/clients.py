"""nginx directives for client addresses in the access log and for CORS on its error pages."""

from collections.abc import Sequence

LOGGED_ADDRESSES = {"full": "$remote_addr", "masked": "$masked_address", "off": ""}
"""The access log's text for a client's address, by ATELIER_LOG_ADDRESSES."""
MASKED_ADDRESS = r"""    map $remote_addr $masked_address {
        "~^(?<a>[0-9]+\.[0-9]+\.[0-9]+)\." "$a.0";
        "~^::ffff:(?<b>[0-9]+\.[0-9]+\.[0-9]+)\." "$b.0";  # IPv4-mapped IPv6
        "~^(?<c>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" "$c::";
        "~^(?<d>[0-9a-f]+:[0-9a-f]+|[0-9a-f]+)::" "$d::";  # omitted groups are zero
        default "::";
    }
"""


def allowed_origin(origins: Sequence[str]) -> str:
    """Return the map for Access-Control-Allow-Origin on nginx's error pages."""
    if "*" in origins:
        return '    map "" $cors_origin { default *; }'
    members = "".join(f'        "{origin}" "{origin}";\n' for origin in origins)
    return f'    map $http_origin $cors_origin {{\n{members}        default "";\n    }}'
