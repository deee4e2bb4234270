// Builds the canvas by itself, with made-up state, into dev/out: `node dev/build.mjs`, then open dev/index.html.
import { build } from 'esbuild';

await build({
  entryPoints: ['dev/main.tsx'],
  outdir: 'dev/out',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  loader: { '.css': 'text' },
  define: { 'process.env.NODE_ENV': '"production"' },
  minify: true,
});
