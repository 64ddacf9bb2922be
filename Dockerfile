# The hub: `mooring run` and `mooring-vault serve` from one image, as two services under two uids (compose.yaml).
# It holds the product's files and production dependencies only; no compiler, no npm registry setting, no key.
FROM node:24-bookworm-slim AS packages
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/mooring
COPY package.json package-lock.json .npmrc ./
COPY sdk/package.json sdk/
# A private registry comes as the secret `npmrc` (and `ca`, its certificate authorities): seen by this step alone, and in no layer. The second Node
# (node-linux-*) goes again: the image's own is linked where the shims look, and its version checked.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca \
  npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/node-linux-* node_modules/.bin/node \
  && npm_config_nodedir=/usr/local npm rebuild ssh2 cpu-features \
  && node -e 'require("./node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node")' \
  && rm -rf node_modules/ssh2/lib/protocol/crypto/build/Release/obj.target node_modules/cpu-features/build/Release/obj.target \
  && ln -s /usr/local/bin/node node_modules/.bin/node \
  && node -e 'const [major, minor] = process.versions.node.split(".").map(Number); if (major !== 24 || minor < 16) throw new Error("Node 24.16 or a later 24")'

FROM node:24-bookworm-slim
# A member of group mooring may talk to the two sockets; main and vault never share a uid.
RUN groupadd --gid 5000 mooring \
  && useradd --uid 5001 --gid 5000 --no-create-home --home-dir /var/lib/mooring --shell /usr/sbin/nologin mooring \
  && useradd --uid 5002 --gid 5000 --no-create-home --home-dir /var/lib/mooring-vault --shell /usr/sbin/nologin mooring-vault \
  && install -d -o mooring -g mooring -m 0700 /var/lib/mooring \
  && install -d -o mooring-vault -g mooring -m 0700 /var/lib/mooring-vault \
  && install -d -o root -g mooring -m 1770 /run/mooring
WORKDIR /opt/mooring
COPY --from=packages /opt/mooring/node_modules node_modules
COPY package.json LICENSE ./
COPY bin/mooring bin/mooring-vault bin/
COPY base base
COPY schemas schemas
COPY proof proof
COPY seal seal
COPY bundle bundle
COPY plan plan
COPY reconciler reconciler
COPY enclave-bridge enclave-bridge
COPY cli cli
RUN ln -s /opt/mooring/bin/mooring /opt/mooring/bin/mooring-vault /usr/local/bin/
USER 5001:5000
ENV NODE_ENV=production MOORING_HUB=/run/mooring/hub.sock
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["mooring", "status"]
ENTRYPOINT ["mooring"]
