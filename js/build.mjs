// Builds the outputs from one source: canvas.js, later.js and loader.js for every host, and with `lab` the input of the labextension.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build, transform } from 'esbuild';
import { minify } from 'terser';

const out = '../agor_jupyter/static';

// Styles are a text in the bundle, without their comments.
const minifiedCss = {
  name: 'minified-css',
  setup(b) {
    b.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'css', minify: true, target: 'chrome111' });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};
const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  plugins: [minifiedCss],
  logOverride: { 'import-is-undefined': 'error' },
};

// In JupyterLab a page has a yjs already, and two copies in one page complain. The labextension leaves Lab's copy in
// `globalThis.__agor.Y`; elsewhere the bundle's own copy is used. Only what is named here is in it: the build fails at any other name.
const names = ['AbstractType', 'Array', 'Doc', 'Map', 'UndoManager', 'applyUpdate', 'encodeStateAsUpdate', 'encodeStateVector'];
const own = await build({
  stdin: { contents: `export { ${names.join(', ')} } from 'yjs'`, resolveDir: process.cwd() },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  external: ['lib0/*'],
  write: false,
});
const sharedYjs = {
  name: 'shared-yjs',
  setup(b) {
    b.onResolve({ filter: /^(own-)?yjs$/ }, ({ path }) => ({ path, namespace: 'yjs' }));
    b.onLoad({ filter: /.*/, namespace: 'yjs' }, ({ path }) => ({
      resolveDir: process.cwd(),
      contents:
        path === 'own-yjs'
          ? own.outputFiles[0].text
          : [`const Y = globalThis.__agor?.Y ?? (await import('own-yjs'));`, ...names.map(n => `export const ${n} = Y.${n};`)].join('\n'),
    }));
  },
};

// later.js holds no second React: what `kit.ts` names, it takes from canvas.js.
const kit = [...readFileSync('src/kit.ts', 'utf8').matchAll(/^ {2}'?([\w/-]+)'?: /gm)].map(([, name]) => name);
const fromKit = {
  name: 'from-kit',
  setup(b) {
    b.onResolve({ filter: /./ }, ({ path, resolveDir, kind, pluginData }) => {
      if (kind === 'entry-point' || pluginData === 'real') return undefined;
      const name = path.startsWith('.') ? relative(resolve('src'), resolve(resolveDir, path)).replace(/\.js$/, '') : path;
      return kit.includes(name) ? { path: name, namespace: 'kit' } : undefined;
    });
    b.onLoad({ filter: /.*/, namespace: 'kit' }, ({ path }) => ({
      resolveDir: process.cwd(),
      pluginData: 'real',
      contents:
        path === 'texts'
          ? `export const { texts } = globalThis.__agor.kit.texts; export { dialogTexts } from './src/texts/index.ts';`
          : `module.exports = globalThis.__agor.kit['${path}'];`,
    }));
  },
};

if (process.argv[2] === 'lab') {
  await build({ ...common, entryPoints: ['src/lab/index.ts'], outfile: 'lib/index.js', packages: 'external' });
} else {
  mkdirSync(out, { recursive: true });
  const { metafile } = await build({
    ...common,
    entryPoints: { canvas: 'src/main.ts' },
    outdir: out,
    minify: true,
    metafile: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [minifiedCss, sharedYjs],
    legalComments: 'none',
  });
  const second = await build({ ...common, entryPoints: { later: 'src/later.ts' }, outdir: out, minify: true, metafile: true, plugins: [minifiedCss, fromKit], legalComments: 'none' });
  const twice = Object.keys(second.metafile.inputs).filter(file => /node_modules\/react(-dom)?\//.test(file) || file === 'src/panels/context.ts');
  if (twice.length) throw new Error(`later.js holds what it should take from canvas.js: ${twice.join(', ')}`);
  await build({ ...common, entryPoints: { loader: 'src/widget/loader.ts' }, outdir: out, minify: true });
  if (process.argv[2] !== 'quick') {
    // A second pass takes 4 kB more off what a browser loads.
    const { code } = await minify(readFileSync(`${out}/canvas.js`, 'utf8'), {
      module: true,
      // React looks for its developer tools on the page; without them the code for it goes.
      compress: { passes: 3, ecma: 2020, unsafe_arrows: true, unsafe_methods: true, global_defs: { __REACT_DEVTOOLS_GLOBAL_HOOK__: undefined } },
      mangle: true,
    });
    writeFileSync(`${out}/canvas.js`, code);
  }
  const canvas = readFileSync(`${out}/canvas.js`);
  const later = readFileSync(`${out}/later.js`);
  const bytes = gzipSync(canvas, { level: 9 }).length;
  writeFileSync(
    `${out}/manifest.json`,
    `${JSON.stringify({ hash: createHash('sha256').update(canvas).update(later).digest('hex').slice(0, 16), gzipBytes: bytes })}\n`,
  );
  console.log(`canvas.js ${(canvas.length / 1000).toFixed(0)} kB, ${(bytes / 1000).toFixed(1)} kB gzipped; later.js ${(gzipSync(later, { level: 9 }).length / 1000).toFixed(1)} kB gzipped`);
  if (process.argv[2] === 'sizes') {
    const sizes = Object.entries(metafile.outputs).flatMap(([, o]) => Object.entries(o.inputs ?? {}));
    const sum = {};
    for (const [file, { bytesInOutput }] of sizes) {
      const key = file.includes('node_modules/')
        ? file
            .split('node_modules/')
            .pop()
            .split('/')
            .slice(0, file.includes('/@') ? 2 : 1)
            .join('/')
        : file;
      sum[key] = (sum[key] ?? 0) + bytesInOutput;
    }
    for (const [key, n] of Object.entries(sum)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 40))
      console.log(String(n).padStart(8), key);
  }
}
