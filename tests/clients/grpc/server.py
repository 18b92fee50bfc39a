"""A gRPC server named NAME at ADDRESS that answers with its name; its methods take and give bytes, so that protoc is not needed.

Prints the port that it listens on.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

NAME, ADDRESS = sys.argv[1:]

SERVING = b"\x08\x01"  # a HealthCheckResponse whose status is SERVING


def who(request, context):
    context.set_trailing_metadata([("served-by", NAME)])
    return NAME.encode()


def refuse(request, context):
    context.set_trailing_metadata([("served-by", NAME)])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{NAME} refuses: 100 % and ü")


def repeat(request, context):
    context.set_trailing_metadata([("served-by", NAME)])
    for _ in range(3):
        yield NAME.encode()


def talk(requests, context):
    context.set_trailing_metadata([("served-by", NAME)])
    for _ in requests:
        yield NAME.encode()


server = grpc.server(ThreadPoolExecutor(), options=[("grpc.so_reuseport", 0)])
server.add_generic_rpc_handlers([
    grpc.method_handlers_generic_handler("Targets", {
        "Who": grpc.unary_unary_rpc_method_handler(who),
        "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
        "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
    }),
    grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
        "Check": grpc.unary_unary_rpc_method_handler(lambda request, context: SERVING),
    }),
])
port = server.add_insecure_port(ADDRESS)
server.start()
print(port, flush=True)
server.wait_for_termination()
