"""A Flask API behind Flask-JWT-Extended. Its routes ask for a token as the extension's documents show, and Flask says no to
callers who are known."""
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, abort, jsonify
from flask_jwt_extended import JWTManager, get_jwt, jwt_required
from jwt import PyJWKClient

from flask_server import rule, serve


def listen(setup):
    app = Flask("flask_jwt_api")
    key = PyJWKClient(setup["jwks"]).get_signing_keys()[0].key
    app.config.update(
        JWT_ALGORITHM=setup["algorithm"],
        JWT_PUBLIC_KEY=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        JWT_DECODE_ISSUER=setup["issuer"],
        JWT_DECODE_AUDIENCE=setup["audience"],
        JWT_DECODE_LEEWAY=setup["skew_seconds"],
    )
    manager = JWTManager(app)
    manager.token_in_blocklist_loader(lambda header, claims: claims.get("jti") in setup["revoked"])

    def add(method, path, allowed, fresh=False):
        @jwt_required(fresh=fresh)
        def view(**parameters):
            if not allowed(get_jwt(), **parameters):
                abort(403)
            return jsonify(items=[])
        app.add_url_rule(rule(path), method + path, view, methods=[method])

    for route in setup["routes"]:
        add(route["method"], route["path"],
            lambda claims, scope=route["scope"], **_: scope in str(claims.get("scope")).split(" "))
    add("GET", setup["accounts"], lambda claims, account: claims.get("account_id") == account)
    add("DELETE", setup["admin"], lambda claims, **_: "admin" in claims.get("roles", []))
    add("POST", setup["fresh"], lambda claims: True, fresh=True)
    return serve(app)
