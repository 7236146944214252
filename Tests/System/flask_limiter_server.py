"""The register endpoint behind Flask-Limiter, for pacing_check.py.

    flask_limiter_server.py PORT LIMIT STRATEGY LATENCY TIMES      TIMES gets a line "seconds status" for each request
"""

import sys
import time

import waitress
from flask import Flask, jsonify
from flask_limiter import Limiter

port, limit, strategy, latency, times = sys.argv[1:]
app = Flask(__name__)
Limiter(
    lambda: "organisation", app=app, default_limits=[limit], strategy=strategy, storage_uri="memory://",
    headers_enabled=True)
log = open(times, "a", buffering=1)


@app.put("/api/v2/actions/app_key_registrations/<key>")
def register(key):
    time.sleep(float(latency))
    return jsonify(data={"id": key, "type": "app_key_registration"}), 201


@app.after_request
def note(response):
    log.write(f"{time.time():.6f} {response.status_code}\n")
    return response


waitress.serve(app, host="127.0.0.1", port=int(port), threads=32)
