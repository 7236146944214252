"""The register endpoint behind slowapi without headers, for pacing_check.py.

    slowapi_server.py PORT LIMIT STRATEGY LATENCY TIMES      TIMES gets a line "seconds status" for each request
"""

import asyncio
import sys
import time

import uvicorn
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

port, limit, strategy, latency, times = sys.argv[1:]
limiter = Limiter(key_func=lambda: "organisation", strategy=strategy)
log = open(times, "a", buffering=1)


def note(response):
    log.write(f"{time.time():.6f} {response.status_code}\n")
    return response


@limiter.shared_limit(limit, scope="organisation")
async def register(request):
    await asyncio.sleep(float(latency))
    registration = {"id": request.path_params["key"], "type": "app_key_registration"}
    return note(JSONResponse({"data": registration}, status_code=201))


app = Starlette(routes=[Route("/api/v2/actions/app_key_registrations/{key}", register, methods=["PUT"])])
app.state.limiter = limiter
app.add_exception_handler(
    RateLimitExceeded, lambda request, error: note(_rate_limit_exceeded_handler(request, error)))
uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False)
