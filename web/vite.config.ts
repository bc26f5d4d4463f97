import { defineConfig } from "vite";

// The page, and the worker of a site without a server. public/ holds that site's service worker.
// Fixed file names and no source maps: what is committed in dist/ changes only with its source.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: {
      output: {
        entryFileNames: "page.js",
        chunkFileNames: "[name].js",
        assetFileNames: "page[extname]",
      },
    },
  },
  worker: { format: "es", rollupOptions: { output: { entryFileNames: "worker.js" } } },
  test: { include: ["tests/unit/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
