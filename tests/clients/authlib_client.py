"""Gets a token from Signet with Authlib and prints it, or the error that Authlib raises, as JSON."""

import json
import sys

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

order = json.load(sys.stdin)
session = OAuth2Session(
    order["client_id"],
    order["client_secret"],
    token_endpoint_auth_method=order["method"],
)
try:
    token = session.fetch_token(order["url"], grant_type="single_sign_on", scope=order["scope"])
    print(json.dumps({"token": token}))
except OAuthError as error:
    print(json.dumps({"error": error.error, "description": error.description}))
