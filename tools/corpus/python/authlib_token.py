"""A token endpoint of Authlib on Flask, with client assertions as Authlib's documents show them."""
import os

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.jose import JsonWebKey
from authlib.oauth2.rfc6749 import ClientMixin, grants, list_to_scope, scope_to_list
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from flask import Flask

from flask_server import serve


class Client(ClientMixin):
    def __init__(self, registered):
        self.client_id = registered["id"]
        self.keys = JsonWebKey.import_key_set(registered["jwks"])
        self.scopes = registered["scopes"]

    def get_allowed_scope(self, scope):
        return list_to_scope([s for s in scope_to_list(scope or "") if s in self.scopes])

    def check_endpoint_auth_method(self, method, endpoint):
        return method == JWTBearerClientAssertion.CLIENT_AUTH_METHOD

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class ClientAssertion(JWTBearerClientAssertion):
    def __init__(self, token_url):
        super().__init__(token_url)
        self.seen = set()

    def validate_jti(self, claims, jti):
        used = (claims["sub"], jti)
        if used in self.seen:
            return False
        self.seen.add(used)
        return True

    def resolve_client_public_key(self, client, headers):
        return client.keys.keys[0]


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = [JWTBearerClientAssertion.CLIENT_AUTH_METHOD]


def listen(setup):
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"  # TLS ends before it
    app = Flask("authlib_token")
    app.config["OAUTH2_SCOPES_SUPPORTED"] = [route["scope"] for route in setup["routes"]]
    clients = {c["id"]: Client(c) for c in setup["clients"]}
    server = AuthorizationServer(app, query_client=clients.get, save_token=lambda token, request: None)
    server.register_grant(ClientCredentials)
    server.register_client_auth_method(
        JWTBearerClientAssertion.CLIENT_AUTH_METHOD, ClientAssertion(setup["origin"] + setup["token_path"]))
    app.post(setup["token_path"])(server.create_token_response)
    return serve(app)
