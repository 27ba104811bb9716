"""`python listen.py`: prints the alerts that the channel `desk` of batuta.toml is sent, until stopped."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

ADDRESS = ("127.0.0.1", 8425)


class Desk(BaseHTTPRequestHandler):
    """Where a webhook of alerts ends."""

    def do_POST(self) -> None:
        """One message, as JSON."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(f"{message['state']}: {message['title']}\n  {message['body']}", flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing but the alerts is printed."""


if __name__ == "__main__":
    print(f"waiting for alerts at http://{ADDRESS[0]}:{ADDRESS[1]}/", flush=True)
    HTTPServer(ADDRESS, Desk).serve_forever()
