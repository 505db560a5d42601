import { defineConfig } from "vitest/config";

// Relative addresses: the gate may serve the console below any path. No data: assets and no inlined script, so that the
// Content-Security-Policy needs no exception.
export default defineConfig({
	base: "./",
	build: {
		target: "es2022",
		cssTarget: ["chrome123", "firefox120", "safari17.5"],
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: true,
		rollupOptions: { output: { entryFileNames: "[name]-[hash].js", chunkFileNames: "[name]-[hash].js", assetFileNames: "[name]-[hash][extname]" } },
	},
	test: { include: ["test/*.test.ts"], setupFiles: ["test/setup.mjs"] },
});
