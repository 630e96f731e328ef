// The plugin as it really lies in this image: its name from plugin.json, everything else from its own package.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const here = createRequire(import.meta.url);
const { plugin } = here('./plugin.json');

function packageOf(file) {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === plugin) return manifest;
  }
  throw new Error(`${file} belongs to no package called ${plugin}`);
}

// Loads the plugin and says which release was loaded, or throws.
export async function load() {
  const feature = here(plugin).default;
  if (feature?.$$type !== '@backstage/BackendFeature' && typeof feature !== 'function') {
    throw new Error(`${plugin} has no default export that a Backstage backend can add; it may be of the old backend system`);
  }
  const { name, version } = JSON.parse(readFileSync(packageOf(here.resolve(plugin)), 'utf8'));
  return { feature, release: { name, version } };
}
