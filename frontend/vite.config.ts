import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const OUT = '../src/allmende/web/static/build';

/**
 * Builds the pages' scripts and styles into the Python package. Every name carries a hash, so that files may be
 * cached for ever; Django's `{% vite %}` tag reads manifest.json. `base: './'`: the files find each other wherever
 * the static files are mounted. Nothing is inlined as a data address except what KERN's icons are made of.
 */
export default defineConfig({
  base: './',
  publicDir: false,
  css: { preprocessorOptions: { scss: { quietDeps: true } } },
  plugins: [compress()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    manifest: 'manifest.json',
    license: { fileName: 'licences.md' },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 1400,
    rollupOptions: { input: { main: 'src/main.ts' } },
  },
});

/** Puts a .br and a .gz beside each file of text: WhiteNoise sends them to browsers that take them. */
function compress(): Plugin {
  return {
    name: 'allmende-compress',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(join(OUT, 'assets'))) {
        if (!/\.(js|mjs|css|svg)$/.test(name)) continue;
        const path = join(OUT, 'assets', name);
        const content = readFileSync(path);
        if (content.length < 1000) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
        writeFileSync(`${path}.br`, brotliCompressSync(content, quality));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}
