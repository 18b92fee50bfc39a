# The images of docker-compose.yml: `backend` and `envoy`. Each stage copies only the files that it needs, so that a change of the
# filter does not build the backend again, and a change of the backend does not build the filter again.

# Cargo reads the manifest and needs the crate root of every member, and xtask finds the workspace by envoy.yaml. This stage keeps
# these files and empties all but the manifests. They change only when a member is added or removed, so the stages below stay in
# the cache when code elsewhere changes.
FROM debian:bookworm-slim AS members
WORKDIR /workspace
COPY . .
RUN find . -type f -not -path './.cargo/*' -not -name Cargo.toml -not -name Cargo.lock \
      -not -name lib.rs -not -name main.rs -not -name envoy.yaml -delete \
 && find . -type f \( -name lib.rs -o -name main.rs -o -name envoy.yaml \) -exec truncate --size 0 {} + \
 && find . -type d -empty -delete

# The version of rust-toolchain.toml. The file itself is not copied: rustup would download the tools that it lists.
FROM rust:1.95-slim-bookworm AS workspace
WORKDIR /workspace
COPY --from=members /workspace .

# The cache mount keeps the target folder between builds, and all clones on a machine share it. Cargo builds a file again when it is
# newer than the last build, which may be another clone's. So `touch` makes every file newer, and the lock allows one build at a time.
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
