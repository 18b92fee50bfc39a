"""Calls the method at ADDRESS that each line of standard input names, and prints the name of the server, the status and the trailers.

gRPC keeps no cookies, so a client that wants a session passes them from one call to the next, as `Cookies` does. `--forget` turns
that off.
"""

import sys
from http.cookies import SimpleCookie

import grpc


class Cookies:
    """The cookies of the calls so far."""

    def __init__(self):
        self.jar = SimpleCookie()

    def metadata(self):
        """The metadata of the next call."""
        cookies = "; ".join(f"{cookie.key}={cookie.coded_value}" for cookie in self.jar.values())
        return [("cookie", cookies)] if cookies else []

    def keep(self, call):
        """Keeps the cookies of a finished call. They are in its initial metadata, or in the trailing one if there was nothing else."""
        for metadata in (call.initial_metadata(), call.trailing_metadata()):
            for key, value in metadata or ():
                if key == "set-cookie":
                    self.jar.load(value)


class Targets:
    """The methods of the server: bytes go in and come out."""

    def __init__(self, channel):
        self.who = channel.unary_unary("/Targets/Who")
        self.refuse = channel.unary_unary("/Targets/Refuse")
        self.repeat = channel.unary_stream("/Targets/Repeat")
        self.talk = channel.stream_stream("/Targets/Talk")


def ask(targets, method, metadata):
    """Calls a method, and returns the call when it is over, and who answered."""
    options = {"metadata": metadata, "timeout": 20}
    try:
        if method == "repeat":
            call = targets.repeat(b"", **options)
            return call, [answer.decode() for answer in call]
        if method == "talk":
            call = targets.talk(iter([b"one", b"two"]), **options)
            return call, [answer.decode() for answer in call]
        answer, call = getattr(targets, method).with_call(b"", **options)
        return call, [answer.decode()]
    except grpc.RpcError as error:
        return error, []


def main(address, *options):
    cookies = Cookies()
    with grpc.insecure_channel(address) as channel:
        targets = Targets(channel)
        for method in sys.stdin:
            call, answers = ask(targets, method.strip(), cookies.metadata())
            if "--forget" not in options:
                cookies.keep(call)
            trailers = [f"{key}={value}" for key, value in call.trailing_metadata()]
            print(",".join(answers), call.code().name, call.details(), *trailers, sep="|", flush=True)


main(*sys.argv[1:])
