# The image of `pixel-pipeline serve` and `pull`: one static binary and nothing else.

FROM rust:1.95-bookworm AS build
WORKDIR /build
# glibc is linked statically, so that the image needs no libc of its own. Without --target the flag would also apply to
# build scripts and procedural macros, which cannot be static.
ENV RUSTFLAGS="-C target-feature=+crt-static"
ENV BUILD="cargo build --release --locked --target x86_64-unknown-linux-gnu --no-default-features --features pubsub --package pixel-pipeline"

# The dependencies are a layer of their own, which is built again only when a manifest or the lock file changes. Cargo
# reads the manifests of all members of the workspace; of the members only the service is compiled, from an empty source.
COPY Cargo.toml Cargo.lock ./
COPY benches/load/Cargo.toml benches/load/
COPY crates/bigquery-emulator/Cargo.toml crates/bigquery-emulator/
COPY crates/googlesql/Cargo.toml crates/googlesql/
COPY fuzz/Cargo.toml fuzz/
COPY tests/simulation/Cargo.toml tests/simulation/
RUN mkdir -p src benches crates/bigquery-emulator/src crates/googlesql/src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs benches/decode.rs crates/bigquery-emulator/src/lib.rs crates/googlesql/src/lib.rs \
    && $BUILD

COPY schema schema
COPY src src
# Copied files keep their modification times, and cargo does not rebuild from sources older than its last build.
RUN touch src/main.rs src/lib.rs \
    && $BUILD \
    && cp target/x86_64-unknown-linux-gnu/release/pixel-pipeline /pixel-pipeline

FROM scratch
LABEL org.opencontainers.image.title="pixel-pipeline" \
      org.opencontainers.image.description="A tracking pixel behind Google's load balancer, and every hit a row in BigQuery" \
      org.opencontainers.image.source="https://github.com/pixel-pipeline/pixel-pipeline" \
      org.opencontainers.image.licenses="MIT"
# google-cloud-auth builds an HTTPS client before it requests a token, even over plain HTTP, and panics if the system has
# no certificate. The connections to BigQuery have their own certificates.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /pixel-pipeline /pixel-pipeline
# By number: there is no /etc/passwd to look a name up in.
USER 65532:65532
ENTRYPOINT ["/pixel-pipeline"]
CMD ["serve"]
