"""Verifies an assertion with joserfc and prints its user."""

import json
import sys
import time

from joserfc import jwt
from joserfc.jwk import KeySet

order = json.load(sys.stdin)
token = jwt.decode(order["assertion"], KeySet.import_key_set(order["keys"]), algorithms=["ES256"])
if token.header.get("typ") != "assertion+jwt":
    sys.exit("not an assertion")
registry = jwt.JWTClaimsRegistry(
    now=int(time.time()) + order["later"],
    leeway=0,
    iss={"essential": True, "value": order["issuer"]},
    aud={"essential": True, "value": order["audience"]},
    exp={"essential": True},
)
registry.validate(token.claims)
print(token.claims["sub"])
