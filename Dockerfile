# The images of docker-compose.yml: `backend` and `envoy`. Each is built from what it needs and nothing else, so that a
# change of the filter leaves the backend as it is, and the other way round.

# The version of rust-toolchain.toml. That file stays outside: rustup would download the tools it lists, and builds need none.
FROM rust:1.95-slim-bookworm AS workspace
WORKDIR /workspace
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates/harness/Cargo.toml crates/harness/
COPY crates/local-envoy/Cargo.toml crates/local-envoy/
COPY crates/stickiness/Cargo.toml crates/stickiness/
COPY demo/backend/Cargo.toml demo/backend/
COPY xtask/Cargo.toml xtask/
# Cargo wants to see every member, and xtask the mark of the workspace's root, whatever is built.
RUN mkdir -p src crates/harness/src crates/local-envoy/src crates/stickiness/src demo/backend/src xtask/src envoy \
 && touch src/lib.rs crates/harness/src/lib.rs crates/local-envoy/src/lib.rs crates/stickiness/src/lib.rs \
    demo/backend/src/main.rs xtask/src/main.rs \
    envoy/envoy.yaml

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
