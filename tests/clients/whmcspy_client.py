"""Calls Signet with whmcspy and prints its answer, or the error that whmcspy raises, as JSON."""

import json
import sys

from whmcspy import exceptions
from whmcspy.api import WHMCS

order = json.load(sys.stdin)
whmcs = WHMCS(order["url"], order["identifier"], order["secret"])
try:
    print(json.dumps({"answer": whmcs.call(order["action"], **order["params"])}))
except exceptions.Error as error:
    print(json.dumps({"error": str(error), "kind": type(error).__name__}))
