// A Backstage backend without any plugin; it is ready, and has nothing to say.
import { createRequire } from 'node:module';

const { createBackend } = createRequire(import.meta.url)('@backstage/backend-defaults');
await createBackend().start();
