"""The register endpoint behind the throttle of Django REST framework, for pacing_check.py: a sliding log, Retry-After
on refusals only.

    rest_framework_server.py PORT LIMIT PERIOD LATENCY TIMES      TIMES gets a line "seconds status" for each request
"""

import sys
import threading
import time

import django
from django.conf import settings

port, limit, period, latency, times = sys.argv[1:]
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of a test",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": [],
                    "DEFAULT_PERMISSION_CLASSES": []})
django.setup()

import waitress
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

log = open(times, "a", buffering=1)
# The throttle reads its log and writes it back, so that requests at the same moment would be counted as one.
counting = threading.Lock()


class Throttle(SimpleRateThrottle):
    rate = "limit/period"

    def parse_rate(self, rate):
        return int(limit), int(period)

    def get_cache_key(self, request, view):
        return "organisation"

    def allow_request(self, request, view):
        with counting:
            return super().allow_request(request, view)


class Register(APIView):
    throttle_classes = [Throttle]

    def put(self, request, key):
        time.sleep(float(latency))
        return Response({"data": {"id": key, "type": "app_key_registration"}}, status=201)

    def finalize_response(self, request, response, *arguments, **named):
        log.write(f"{time.time():.6f} {response.status_code}\n")
        return super().finalize_response(request, response, *arguments, **named)


urlpatterns = [path("api/v2/actions/app_key_registrations/<key>", Register.as_view())]
waitress.serve(get_wsgi_application(), host="127.0.0.1", port=int(port), threads=32)
