"""What a script with the vendor's Python client does: threads that register keys and insert each outcome into SQLite, durably.

    vendor_client.py URL LIST THREADS DATABASE

Prints {"seconds": …, "cpu": …}, from the first request to the last commit; starting Python and reading the list are not counted.
"""

import json
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.action_connection_api import ActionConnectionApi

url, path, threads, database = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
with open(path) as file:
    keys = file.read().split()
configuration = Configuration(host=url)
configuration.api_key["apiKeyAuth"] = "check-api-key"
configuration.api_key["appKeyAuth"] = "check-app-key"
api = ActionConnectionApi(ApiClient(configuration))
# One connection that the threads take in turn: with one each they wait for SQLite's lock in long steps.
outcomes = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
outcomes.execute("PRAGMA journal_mode = WAL")
outcomes.execute("PRAGMA synchronous = FULL")
outcomes.execute("CREATE TABLE outcome (id TEXT PRIMARY KEY, state TEXT, status INTEGER, at REAL)")
turn = threading.Lock()


def register(key):
    answer = api.register_app_key(key)
    assert str(answer.data.id) == key
    with turn:
        outcomes.execute("INSERT INTO outcome VALUES (?, 'registered', 201, ?)", (key, time.time()))


with ThreadPoolExecutor(threads) as pool:
    begun, used = time.perf_counter(), time.process_time()
    for done in pool.map(register, keys):
        pass
    print(json.dumps({"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used}))
