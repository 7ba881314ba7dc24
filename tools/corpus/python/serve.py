"""Starts a server for the one setup on the first line of standard input, prints its port, and ends with standard input.

An adapter exports listen(setup), which returns a server with serve_forever and server_port."""
import importlib
import json
import sys
import threading

sys.dont_write_bytecode = True
adapter = importlib.import_module(sys.argv[1])
[setup] = json.loads(sys.stdin.readline())
server = adapter.listen(setup)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps([server.server_port]), flush=True)
sys.stdin.read()
