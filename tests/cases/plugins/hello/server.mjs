// The smallest service plugin: a greeting, its own version, and the two health checks.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const manifest = readFileSync(new URL('plugin.yaml', import.meta.url), 'utf8');
const field = name => new RegExp(`^${name}: *(.+)$`, 'm').exec(manifest)[1];
const [id, version] = [field('id'), field('version')];
const settings = process.env.PLUGIN_CONFIG ?? '/etc/plugin/config.json';
const { greeting = 'Hello' } = existsSync(settings) ? JSON.parse(readFileSync(settings, 'utf8')) : {};

const answers = { '/hello': { message: `${greeting} from a plugin`, id, version }, '/health': { status: 'ok' }, '/ready': { status: 'ok' } };

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://plugin');
  const found = Object.hasOwn(answers, pathname);
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json', 'x-plugin-release': `${id}@${version}` });
  response.end(JSON.stringify(found ? answers[pathname] : { error: 'not found' }));
});
// The gateway keeps its connections: who closes an idle one first (Node, after 5 s) races with the next request, which then fails.
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT ?? field('port')));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
