import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyPluginCallback } from 'fastify';
import { staticFiles } from './staticFiles';

/** The OpenAPI document for people, with Swagger UI's files from beside the bundle. */
export const docsPage: FastifyPluginCallback<{ routePrefix: string }> = (app, { routePrefix }, done) => {
  const baseDir = staticFiles('swagger-ui', '@fastify/swagger-ui', 'static');
  void app.register(fastifySwaggerUi, {
    routePrefix,
    baseDir,
    logo: { type: 'image/svg+xml', content: readFileSync(join(baseDir, 'logo.svg')) },
  });
  done();
};
