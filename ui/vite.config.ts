// Built into the Python package, where batuta.server.static_ui finds it. Files in _app/ have their hash in their name.
// Nothing may be inlined into index.html: the server's content security policy runs no inline script.
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const server = process.env.BATUTA_URL ?? "http://127.0.0.1:8421";
const cores = Number(process.env.BATUTA_UI_JOBS ?? 2);

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: process.env.BATUTA_UI_OUT ?? "../src/batuta/server/static",
    emptyOutDir: true,
    assetsDir: "_app",
    assetsInlineLimit: 0,
    target: "es2022",
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    manifest: "manifest.json",
  },
  worker: { format: "es" },
  server: {
    proxy: {
      "/api": {
        target: server,
        // The server takes changes only from pages of its own: to it, this is one.
        configure: (proxy) => {
          proxy.on("proxyReq", (request) => {
            request.setHeader("origin", server);
            request.setHeader("host", new URL(server).host);
          });
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    globals: true,
    setupFiles: ["./src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    css: false,
    maxWorkers: cores,
    // One browser-like environment a worker, not one a file: three times as fast. setup.ts cleans up after each test.
    pool: "threads",
    isolate: false,
    testTimeout: 20_000,
    restoreMocks: true,
  },
});
