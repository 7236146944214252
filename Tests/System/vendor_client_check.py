"""Talks to two sandboxes with the vendor's own client; see vendor_client_check.sh.

Usage: vendor_client_check.py URL_WITH_A_WIDE_LIMIT URL_WITH_A_LIMIT_OF_THREE FORBIDDEN_KEY
"""

import sys
import uuid

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v2.api.action_connection_api import ActionConnectionApi

passed = failed = 0


def check(what, is_true, seen=""):
    global passed, failed
    if is_true:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what} {seen}", file=sys.stderr)


def api(url):
    configuration = Configuration(host=url)
    configuration.api_key["apiKeyAuth"] = "key"
    configuration.api_key["appKeyAuth"] = "ddapp_key"
    # The client checks the form of an id before it sends it; here the answer to a bad one is what matters.
    configuration.check_input_type = False
    return ActionConnectionApi(ApiClient(configuration))


def refusal(call, *arguments, **named):
    """The exception that the client raises for a refusal, or None."""
    try:
        call(*arguments, **named)
    except ApiException as error:
        return error
    return None


def main(wide, narrow, forbidden_key):
    client = api(wide)
    ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"key {number}")) for number in range(25)]

    # Register, and register again.
    for key in ids:
        answer = client.register_app_key(key)
        check("register names the key", str(answer.data.id) == key, answer)
    check("the type is app_key_registration", str(answer.data.type) == "app_key_registration", answer)
    check("registering again is no error", str(client.register_app_key(ids[0]).data.id) == ids[0])

    # Read one, and all of them in pages.
    check("get names the key", str(client.get_app_key_registration(ids[3]).data.id) == ids[3])
    listed = []
    for page in range(4):
        answer = client.list_app_key_registrations(page_size=10, page_number=page)
        check("the page tells the total", answer.meta.total == 25 and answer.meta.total_filtered == 25, answer.meta)
        listed += [str(item.id) for item in answer.data]
    check("the pages have every key once", sorted(listed) == sorted(ids), len(listed))

    # Unregister.
    check("unregister is no error", refusal(client.unregister_app_key, ids[3]) is None)
    gone = refusal(client.get_app_key_registration, ids[3])
    check("what is unregistered is not found", isinstance(gone, NotFoundException), gone)
    check("the total follows", client.list_app_key_registrations().meta.total == 24)
    again = refusal(client.unregister_app_key, ids[3])
    check("unregistering again is not found", isinstance(again, NotFoundException), again)
    check("not found says why", gone is not None and "app key not found" in str(gone.body), gone)

    # Refusals.
    bad = refusal(client.register_app_key, "not_valid_app_key_id")
    check("a malformed id is a bad request", bad is not None and bad.status == 400, bad)
    check("a bad request says why", bad is not None and "Invalid Parameter" in str(bad.body), bad and bad.body)
    forbidden = refusal(client.register_app_key, forbidden_key)
    check("a forbidden key is forbidden", isinstance(forbidden, ForbiddenException), forbidden)
    names = {name.lower() for name in forbidden.headers} if forbidden else {"x-ratelimit-limit"}
    check("forbidden costs no quota", "x-ratelimit-limit" not in names, names)

    # The limit.
    client = api(narrow)
    for key in ids[:3]:
        client.register_app_key(key)
    throttled = refusal(client.register_app_key, ids[3])
    check("beyond the limit it is 429", throttled is not None and throttled.status == 429, throttled)
    headers = {name.lower(): value for name, value in throttled.headers.items()} if throttled else {}
    check("429 tells limit, period and remaining",
          (headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-period"), headers.get("x-ratelimit-remaining"))
          == ("3", "86400", "0"), headers)
    check("429 tells the reset", 1 <= int(headers.get("x-ratelimit-reset", 0)) <= 86400, headers)

    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
