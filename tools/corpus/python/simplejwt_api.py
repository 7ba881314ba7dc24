"""A Django REST Framework API behind djangorestframework-simplejwt, served the way `manage.py runserver` does."""
import logging
import re
from datetime import timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from django.conf import settings


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def listen(setup):
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="simplejwt_api",
        SECRET_KEY=setup["origin"],
        LOGGING_CONFIG=None,
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
        SIMPLE_JWT={
            "ALGORITHM": setup["algorithm"],
            "JWK_URL": setup["jwks"],
            "ISSUER": setup["issuer"],
            "AUDIENCE": setup["audience"],
            "LEEWAY": timedelta(seconds=setup["skew_seconds"]),
            "USER_ID_CLAIM": "sub",
            "TOKEN_TYPE_CLAIM": None,
        },
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    )
    logging.getLogger("django").setLevel(logging.CRITICAL)
    django.setup()
    from django.core.wsgi import get_wsgi_application
    urlpatterns.extend(routes(setup))
    server = Server(("127.0.0.1", 0), Handler)
    server.set_app(get_wsgi_application())
    return server


urlpatterns = []


def routes(setup):
    """One view for each path, whose methods have permissions of their own."""
    from django.urls import re_path
    from rest_framework.permissions import BasePermission, IsAuthenticated
    from rest_framework.response import Response
    from rest_framework.throttling import SimpleRateThrottle
    from rest_framework.views import APIView

    class Everybody(SimpleRateThrottle):
        rate = f"{setup['limit']}/min"

        def get_cache_key(self, request, view):
            return "everybody"

    def permission(allowed):
        class Permission(BasePermission):
            def has_permission(self, request, view):
                return allowed(request.auth, **view.kwargs)
        return Permission

    paths = {}
    for route in setup["routes"]:
        paths.setdefault(route["path"], {})[route["method"]] = permission(
            lambda token, scope=route["scope"], **_: scope in str(token.get("scope")).split(" "))
    paths.setdefault(setup["accounts"], {})["GET"] = permission(lambda token, account: token.get("account_id") == account)
    paths.setdefault(setup["admin"], {})["DELETE"] = permission(lambda token, **_: "admin" in token.get("roles", []))

    def view(permissions):
        def get_permissions(self):
            return [IsAuthenticated(), permissions[self.request.method]()]

        handlers = {method.lower(): lambda self, request, **_: Response({"items": []}) for method in permissions}
        throttles = [Everybody] if setup["limit"] else []
        return type("View", (APIView,), {"get_permissions": get_permissions, "throttle_classes": throttles, **handlers}).as_view()

    def pattern(path):
        return "^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.lstrip("/")) + "$"

    return [re_path(pattern(path), view(permissions)) for path, permissions in paths.items()]
