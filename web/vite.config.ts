import { defineConfig } from "vite";

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
  test: { include: ["tests/unit/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
