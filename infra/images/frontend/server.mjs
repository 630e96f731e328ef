// Serves the bundle. Everything it says about the release comes from release.json, which the bundler wrote.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, 'public');
const release = existsSync(join(root, 'release.json')) ? JSON.parse(readFileSync(join(root, 'release.json'), 'utf8')) : undefined;
const entry = join(root, 'assets/plugin.js');
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };
const answered = new Map();
const started = Date.now();

function send(response, status, type, body) {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}

const json = (response, status, value) => send(response, status, 'application/json', JSON.stringify(value));

function metrics() {
  const lines = [...answered].map(([status, count]) => `plugin_http_requests_total{status="${status}"} ${count}`);
  const info = release ? [`plugin_info{name="${release.name}",version="${release.version}"} 1`] : [];
  return [
    '# TYPE plugin_http_requests_total counter', ...lines,
    '# TYPE plugin_info gauge', ...info,
    '# TYPE plugin_uptime_seconds gauge', `plugin_uptime_seconds ${(Date.now() - started) / 1000}`,
    '# TYPE process_resident_memory_bytes gauge', `process_resident_memory_bytes ${process.memoryUsage().rss}`, '',
  ].join('\n');
}

const routes = {
  '/health': response => json(response, 200, { status: 'ok' }),
  '/ready': response => (existsSync(entry) ? json(response, 200, { status: 'ok' }) : json(response, 503, { status: 'no bundle' })),
  '/metrics': response => send(response, 200, 'text/plain; version=0.0.4', metrics()),
  '/release': response => (release ? json(response, 200, release) : json(response, 404, { error: 'no plugin is in this image' })),
};

function serveFile(response, path) {
  const file = join(root, normalize(path === '/' ? '/index.html' : path));
  if (!file.startsWith(`${root}/`) || !existsSync(file) || !statSync(file).isFile()) return json(response, 404, { error: 'not found' });
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' });
  return createReadStream(file).pipe(response);
}

function pathOf(request) {
  try {
    return decodeURIComponent(new URL(request.url, 'http://plugin').pathname);
  } catch {
    return '/not-a-path';
  }
}

const server = createServer((request, response) => {
  response.on('finish', () => answered.set(response.statusCode, (answered.get(response.statusCode) ?? 0) + 1));
  response.setHeader('x-content-type-options', 'nosniff');
  if (release) response.setHeader('x-plugin-release', `${release.name}@${release.version}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(response, 405, { error: 'only GET' });
  const path = pathOf(request);
  return Object.hasOwn(routes, path) ? routes[path](response) : serveFile(response, path);
});
// The gateway keeps its connections: who closes an idle one first (Node, after 5 s) races with the next request, which then fails.
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT ?? 3000));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
