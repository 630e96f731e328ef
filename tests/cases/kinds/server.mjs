// A plugin that is as its release is said to be in KIND, until somebody tells it otherwise: /break lets it fail, /mend lets it be honest.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const KIND = 'well';
const manifest = readFileSync(new URL('plugin.yaml', import.meta.url), 'utf8');
const field = name => new RegExp(`^${name}: *(.+)$`, 'm').exec(manifest)[1];
const told = { '/break': false, '/mend': false };

if (KIND === 'crashing') throw new Error('this release crashes as soon as it begins');

const lies = request => !told['/mend'] && (KIND === 'disguised' || (KIND === 'turncoat' && !('x-plugin-preview' in request.headers)));
const isReady = () => KIND !== 'unready' && !told['/break'];
const greets = () => !told['/break'] && !(KIND === 'failing' && Math.random() < 0.7);
const answers = { '/hello': greets, '/health': () => true, '/ready': isReady };

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://plugin');
  if (pathname in told) told[pathname] = true;
  const status = pathname in told ? 204 : !(pathname in answers) ? 404 : answers[pathname]() ? 200 : 500;
  response.writeHead(status, { 'x-plugin-release': `${field('id')}@${lies(request) ? '0.0.1' : field('version')}` });
  response.end();
});
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT ?? field('port')));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
