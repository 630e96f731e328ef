// One Backstage backend with one plugin in it, which says on every answer which release it really loaded.
import { here, load } from './plugin.mjs';

const { createBackend } = here('@backstage/backend-defaults');
const { rootHttpRouterServiceFactory } = here('@backstage/backend-defaults/rootHttpRouter');
const { feature, release } = await load();

const backend = createBackend();
backend.add(
  rootHttpRouterServiceFactory({
    configure({ app, applyDefaults }) {
      app.use((_request, response, next) => {
        response.setHeader('x-plugin-release', `${release.name}@${release.version}`);
        next();
      });
      app.get('/.plugin-pipeline/release', (_request, response) => response.json(release));
      applyDefaults();
    },
  }),
);
backend.add(feature);
await backend.start();
