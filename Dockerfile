# The image of `pixel-pipeline serve`: one static binary and nothing else.

FROM rust:1.95-bookworm AS build
WORKDIR /build
# glibc is linked in, so that the image needs no libc of its own. The target has to be named: else
# the flag would reach build scripts and procedural macros, which cannot be static.
ENV RUSTFLAGS="-C target-feature=+crt-static"

# The dependencies are a layer of their own, built below an empty crate: it is made anew only when
# Cargo.toml or Cargo.lock change.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs benches/decode.rs \
    && cargo build --release --locked --no-default-features --target x86_64-unknown-linux-gnu

COPY schema schema
COPY src src
# Copied files keep their times, and cargo takes what is older than its last build for built.
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --no-default-features --target x86_64-unknown-linux-gnu \
    && cp target/x86_64-unknown-linux-gnu/release/pixel-pipeline /pixel-pipeline

FROM scratch
LABEL org.opencontainers.image.title="pixel-pipeline" \
      org.opencontainers.image.description="A tracking pixel behind Google's load balancer, and every hit a row in BigQuery" \
      org.opencontainers.image.licenses="MIT"
# google-cloud-auth makes an HTTPS client before it asks for a token, be it plain HTTP, and panics if
# there is no certificate on the system. The connections to BigQuery bring their own along.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /pixel-pipeline /pixel-pipeline
# By number: there is no /etc/passwd to look a name up in.
USER 65532:65532
ENTRYPOINT ["/pixel-pipeline"]
CMD ["serve"]
