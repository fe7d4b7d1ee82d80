"""An emulator for one test file: started, led to by name, told what to do, stopped."""

import contextlib
import json
import os
import socket
import subprocess

_resolve = socket.getaddrinfo


class Emulator:
    """The program under `QWS_EMULATOR`, over HTTPS, under the names of the real service."""

    def __init__(self):
        command = [os.environ["QWS_EMULATOR"], "--https", "--public-names", "--log", "warn"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self._process.stdout.readline())
        os.environ["REQUESTS_CA_BUNDLE"] = self.ready["caPath"]
        socket.getaddrinfo = self._lead

    def __enter__(self):
        return self

    def __exit__(self, *_):
        socket.getaddrinfo = _resolve
        self._process.terminate()
        self._process.wait()

    def _lead(self, host, port, *rest, **more):
        """Every name in Azure leads to one of the emulator's two ports."""
        if host.endswith(".blob.core.windows.net"):
            port = self.ready["storagePort"]
        elif not host.replace(".", "").isdigit():
            port = self.ready["port"]
        return _resolve("127.0.0.1", port, *rest, **more)

    def control(self, method, what, body=None):
        """One request to the control API."""
        import requests

        url = f"https://localhost/_emulator/{what}"
        answer = requests.request(method, url, json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def advance(self, seconds):
        """Moves the emulator's clock."""
        self.control("POST", "clock", {"advanceSeconds": seconds})

    def operations(self):
        """The names of the requests since they were last forgotten, in order."""
        return [request["operation"] for request in self.control("GET", "requests")]

    @contextlib.contextmanager
    def fault(self, **fault):
        """Something goes wrong meanwhile."""
        self.control("POST", "faults", fault)
        try:
            yield
        finally:
            self.control("DELETE", "faults")

    def workspace(self, **options):
        """The workspace by its connection string."""
        from azure.quantum import Workspace

        return Workspace.from_connection_string(self.ready["connectionString"], **options)
