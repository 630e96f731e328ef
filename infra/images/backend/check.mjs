// Run while the image is built: what cannot be loaded fails there, not in the cluster.
import { writeFileSync } from 'node:fs';
import { here, load } from './plugin.mjs';

here.resolve('@backstage/backend-defaults/rootHttpRouter');
const { release } = await load();
writeFileSync(process.argv[2], `${release.name}@${release.version}\n`);
console.log(`${release.name}@${release.version} can be loaded`);
