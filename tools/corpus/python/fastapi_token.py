"""A token endpoint written with FastAPI and python-jose: the form is declared, FastAPI refuses what does not fit it, and what
python-jose says becomes the detail."""
import socket
from typing import Optional

import uvicorn
from fastapi import FastAPI, Form, HTTPException
from jose import JWTError, jwt

ASSERTION_TYPE = "^urn:ietf:params:oauth:client-assertion-type:jwt-bearer$"


class Server:
    def __init__(self, app):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.server_port = self.socket.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        self.server.install_signal_handlers = lambda: None

    def serve_forever(self):
        self.server.run(sockets=[self.socket])


def listen(setup):
    app = FastAPI()
    clients = {client["id"]: client for client in setup["clients"]}

    @app.post(setup["token_path"])
    def token(grant_type: str = Form(regex="^client_credentials$"), client_id: str = Form(),
              client_assertion_type: str = Form(regex=ASSERTION_TYPE), client_assertion: str = Form(),
              scope: str = Form("")):
        client = clients.get(client_id)
        if client is None:
            raise HTTPException(401)
        try:
            jwt.decode(client_assertion, client["jwks"], algorithms=[setup["algorithm"]], issuer=client_id, subject=client_id,
                       audience=setup["origin"] + setup["token_path"],
                       options={"leeway": setup["skew_seconds"], **{"require_" + name: True for name in setup["assertion_required"]}})
        except JWTError as error:
            raise HTTPException(401, str(error))
        if not set(scope.split()) <= set(client["scopes"]):
            raise HTTPException(403)
        return {"access_token": "granted", "token_type": "bearer", "expires_in": 3600}

    return Server(app)
