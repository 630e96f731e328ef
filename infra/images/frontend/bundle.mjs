// Bundles the plugin for browsers, and writes down which release really went into the bundle.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { nodeModulesPolyfillPlugin } from 'esbuild-plugins-node-modules-polyfill';

const { plugin } = JSON.parse(readFileSync('plugin.json', 'utf8'));
const folder = `node_modules/${plugin}/`;
const pictures = ['.svg', '.png', '.jpg', '.jpeg', '.gif', '.webp', '.woff', '.woff2', '.ttf', '.eot'];

const { metafile } = await build({
  stdin: {
    contents: `export * as plugin from ${JSON.stringify(plugin)}; export { name, version } from ${JSON.stringify(`./${folder}package.json`)};`,
    resolveDir: '.',
    sourcefile: 'plugin.js',
  },
  outdir: 'public/assets',
  entryNames: 'plugin',
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: true,
  metafile: true,
  target: 'es2022',
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  loader: Object.fromEntries(pictures.map(ending => [ending, 'dataurl'])),
  plugins: [nodeModulesPolyfillPlugin({ globals: { process: true, Buffer: true } })],
});

const code = Object.keys(metafile.inputs).filter(path => path.includes(folder) && !path.endsWith('package.json'));
if (code.length === 0) throw new Error(`the bundle holds nothing of ${plugin}`);
const { name, version } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
mkdirSync('public', { recursive: true });
writeFileSync('public/release.json', JSON.stringify({ name, version }));
const manifest = { name, version, entry: '/assets/plugin.js', format: 'esm', exports: 'plugin' };
writeFileSync('public/plugin-manifest.json', JSON.stringify(manifest));
writeFileSync('public/index.html', readFileSync('index.html', 'utf8'));
writeFileSync('public/assets/page.js', readFileSync('page.js', 'utf8'));
console.log(`${name}@${version}: ${Object.keys(metafile.outputs).length} files`);
