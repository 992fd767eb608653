# The sidecar as an image, for 64-bit devices; Dockerfile.armv7hf, the same on another base, is for 32-bit ARM. Any base with Node.js 20.15 or
# later (not 21; of 22 from 22.2 on), sh, flock, sleep and stat will do.
ARG NODE_IMAGE=node:24-alpine@sha256:e67514e5d0f6c46656005e1b693b2ec9d52e80b641307de684d4a015ba7a4eaf
ARG BUILD_IMAGE=${NODE_IMAGE}
# A heap for a device with 512 MB. With 9,000 leases and 900 open connections, memory peaks at 160 MB instead of 290.
ARG SIDECAR_NODE_OPTIONS="--max-semi-space-size=1 --max-old-space-size=64"

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY client/package.json client/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE tsconfig.json ./
COPY scripts scripts
COPY server server
COPY sidecar sidecar
COPY coordinator coordinator
COPY client client
COPY image image
# The same seconds make the same files, but for the compile cache: https://reproducible-builds.org/specs/source-date-epoch/
ARG SOURCE_DATE_EPOCH
RUN npm run --silent build && sh image/assemble /image
# Under the options with which the sidecar will run: some versions of Node.js use the cache under no others.
ARG SIDECAR_NODE_OPTIONS
RUN NODE_OPTIONS=${SIDECAR_NODE_OPTIONS} sh image/fill-compile-cache /image || echo "No compile cache: the sidecar starts without one, in twice the time"

# Nothing is run in this stage, so that it can be built for any architecture on any other.
FROM ${NODE_IMAGE}
COPY --from=build /image/ /

ARG SIDECAR_NODE_OPTIONS
# The compile cache was filled at the build, and only root may write to it.
ENV NODE_ENV=production \
    NODE_OPTIONS=${SIDECAR_NODE_OPTIONS} \
    NODE_COMPILE_CACHE=/opt/update-lock/compile-cache

# Root, but only at the start and the end: the lock directory is root's, and the lock files must be of a user who is neither root
# nor nobody (uid 65534, whose lock files the Supervisor deletes). Only root can become that user. The sidecar does so by
# itself as soon as it listens, and from then on works as uid 48484.
USER 0

# Supervisors take this label also from the image, so the sidecar gets their API even if the compose file forgets it.
LABEL io.balena.features.supervisor-api="1"
ARG REVISION=unknown
# x-release-please-start-version
LABEL org.opencontainers.image.title="update-lock" \
      org.opencontainers.image.description="A sidecar that holds the balena update lock for the other containers of a device" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# x-release-please-end

EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=15s --start-period=30s --retries=3 CMD ["/opt/update-lock/healthcheck"]

# No init in between: the sidecar handles its signals, and waits for every child that it starts.
ENTRYPOINT ["node", "/opt/update-lock/main.js"]
CMD []
