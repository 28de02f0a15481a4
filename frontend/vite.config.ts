import { defineConfig } from 'vite';

/**
 * Builds the pages' scripts and styles into the Python package. Every name carries a hash, so that files may be
 * cached for ever; Django's `{% vite %}` tag reads manifest.json. `base: './'`: the files find each other wherever
 * the static files are mounted. Nothing is inlined as a data address except what KERN's icons are made of.
 */
export default defineConfig({
  base: './',
  publicDir: false,
  css: { preprocessorOptions: { scss: { quietDeps: true } } },
  build: {
    outDir: '../src/allmende/web/static/build',
    emptyOutDir: true,
    manifest: 'manifest.json',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 1400,
    rollupOptions: { input: { main: 'src/main.ts' } },
  },
});
