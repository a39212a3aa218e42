"""What Schemathesis cannot read in the description of Signet's API."""

import os

import schemathesis

# The user and the credential set that the run needs as they are, and the API credential it calls WHMCS's API with.
OWN = {os.environ["SIGNET_USER"], os.environ["SIGNET_CLIENT_ID"]}
API = {"identifier": os.environ["SIGNET_API_IDENTIFIER"], "secret": os.environ["SIGNET_API_SECRET"]}


@schemathesis.deserializer("text/html", "application/xml")
def text(context, response):
    """A page is a text, and so is an answer in XML."""
    return response.text


@schemathesis.hook
def map_body(context, body):
    """JSON Schema takes 12.0 for an integer; Signet wants it spelled as one."""
    return whole(body)


@schemathesis.hook
def before_call(context, case, kwargs):
    """The run changes nothing of who it is, and presents one secret at a time, in its place."""
    if case.method != "GET":
        case.cookies.pop("__Host-signet", None)  # it does not sign itself out
        for name, value in case.path_parameters.items():
            if value in OWN:
                case.path_parameters[name] = "nobody"
    for name, value in case.query.items():
        if says_nothing(value):
            case.query[name] = "!"  # without a value it would count as omitted, and violate nothing
    form = case.body if isinstance(case.body, dict) else {}
    if case.operation.path == "/includes/api.php":
        form.update(API)
    if case.operation.path == "/oauth/token.php" and "subscriber_unique_id" not in form:
        case.query.clear()  # the query is for a link of cPanel alone
    if "client_secret" in form or "subscriber_unique_id" in form:
        case.headers.pop("Authorization", None)


def says_nothing(value):
    """Whether a parameter of the query is sent without a value, or under other names, as an object is."""
    if isinstance(value, list):
        return all(map(says_nothing, value))
    return value in (None, "") or isinstance(value, dict)


def whole(value):
    """The same value with every whole number as an integer."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(entry) for entry in value]
    if isinstance(value, dict):
        return {name: whole(entry) for name, entry in value.items()}
    return value
