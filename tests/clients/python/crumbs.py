"""Asks PORT of this machine over HTTP/2 with COOKIES, split into a field for each as browsers do (RFC 9113, section 8.2.3).

Prints the number of cookie fields that were sent, and the answer.
"""

import socket
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

port, cookies = sys.argv[1:]


def cookie_fields(sent):
    """The number of cookie fields that a server finds in these bytes."""
    server = H2Connection(H2Configuration(client_side=False, normalize_inbound_headers=False))
    (request,) = (event for event in server.receive_data(sent) if isinstance(event, RequestReceived))
    return sum(name == b"cookie" for name, _ in request.headers)


def body(connection, client):
    """The answer of the only stream."""
    pieces = []
    while received := connection.recv(65536):
        for event in client.receive_data(received):
            if isinstance(event, DataReceived):
                pieces.append(event.data)
            elif isinstance(event, StreamEnded):
                return b"".join(pieces).decode()
    sys.exit("the server closed the connection before its answer was whole")


client = H2Connection(H2Configuration(split_outbound_cookies=True))
client.initiate_connection()
request = [(":method", "GET"), (":scheme", "http"), (":authority", "test"), (":path", "/"), ("cookie", cookies)]
client.send_headers(1, request, end_stream=True)
sent = client.data_to_send()
with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as connection:
    connection.sendall(sent)
    print(cookie_fields(sent), body(connection, client))
