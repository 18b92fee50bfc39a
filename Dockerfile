# The images of docker-compose.yml: `backend` and `envoy`. Each is built from what it needs and nothing else, so that a
# change of the filter leaves the backend as it is, and the other way round.

# Cargo wants to see the manifest and the crate root of every member, and xtask the mark of the workspace's root, whatever is
# built. Emptied, these files differ only when a member comes or goes: what is built below stays when code elsewhere changes.
FROM debian:bookworm-slim AS members
WORKDIR /workspace
COPY . .
RUN find . -type f -not -path './.cargo/*' -not -name Cargo.toml -not -name Cargo.lock \
      -not -name lib.rs -not -name main.rs -not -name envoy.yaml -delete \
 && find . -type f \( -name lib.rs -o -name main.rs -o -name envoy.yaml \) -exec truncate --size 0 {} + \
 && find . -type d -empty -delete

# The version of rust-toolchain.toml. That file stays outside: rustup would download the tools it lists, and builds need none.
FROM rust:1.95-slim-bookworm AS workspace
WORKDIR /workspace
COPY --from=members /workspace .

# The target folder stays from build to build, and all clones on a machine share it. Cargo takes a file for changed when it
# is newer than the last build, whoever's that was: hence the touch, and the lock that makes one build wait for the other.
FROM workspace AS built-backend
COPY demo/backend demo/backend
RUN --mount=type=cache,id=sticky-sessions-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=sticky-sessions-backend,target=target,sharing=locked \
    find demo -type f -exec touch {} + \
 && cargo build --release --locked -p demo-backend \
 && cp target/release/demo-backend /

FROM workspace AS built-filter
RUN rustup target add wasm32-wasip1
COPY crates crates
COPY xtask xtask
COPY src src
RUN --mount=type=cache,id=sticky-sessions-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=sticky-sessions-filter,target=target,sharing=locked \
    find crates xtask src -type f -exec touch {} + \
 && cargo xtask wasm

FROM debian:bookworm-slim AS backend
COPY --chmod=755 demo/answers /usr/local/bin/
COPY --from=built-backend /demo-backend /usr/local/bin/
USER nobody
CMD ["demo-backend"]

FROM envoyproxy/envoy:v1.40.0 AS envoy
COPY --chmod=755 demo/answers /usr/local/bin/
COPY --chmod=644 --from=built-filter /workspace/dist/sticky_sessions.wasm /etc/envoy/
COPY --chmod=644 envoy/envoy.yaml /etc/envoy/
USER envoy
