# syntax=docker/dockerfile:1
# Spotter as an image: the pages, the program that carries them, and a small system to run it.
# "spotter" takes its settings from the environment; nothing secret is in the image.

FROM node:22-bookworm-slim AS pages
WORKDIR /web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

FROM rust:1.95-bookworm AS program
WORKDIR /spotter
COPY Cargo.toml Cargo.lock build.rs ./
COPY migrations migrations
COPY loadtest loadtest
COPY scenery scenery
COPY src src
COPY --from=pages /web/dist web/dist
# What was fetched and built is kept from build to build, outside of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/spotter/target \
    cargo build --locked --release --package spotter --bin spotter \
    && install target/release/spotter /usr/local/bin/spotter

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin spotter \
    && install -d -o spotter -g spotter /var/lib/spotter/store
COPY --from=program /usr/local/bin/spotter /usr/local/bin/spotter
COPY deploy/healthy /usr/local/bin/healthy
USER 10001
ENV HOST=0.0.0.0 PORT=8080 STORE=/var/lib/spotter/store
EXPOSE 8080
# A stopping server first finishes what it accepted.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["healthy", "8080", "/readyz"]
ENTRYPOINT ["spotter"]
CMD ["serve"]
