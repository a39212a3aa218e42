"""Verifies an assertion with PyJWT and prints its user."""

import json
import sys

import jwt

order = json.load(sys.stdin)
kid = jwt.get_unverified_header(order["assertion"]).get("kid")
token = jwt.decode_complete(
    order["assertion"],
    jwt.PyJWKSet.from_dict(order["keys"])[kid],
    algorithms=["ES256"],
    issuer=order["issuer"],
    audience=order["audience"],
    leeway=-order["later"],
)
if token["header"].get("typ") != "assertion+jwt":
    sys.exit("not an assertion")
print(token["payload"]["sub"])
