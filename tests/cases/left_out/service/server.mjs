// A server that is ready and knows no plugin.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.statusCode = ['/health', '/ready'].includes(request.url) ? 200 : 404;
  response.end('{}');
});
server.listen(Number(process.env.PORT ?? 8080));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
