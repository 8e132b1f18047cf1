// `npm start`: sets up, then runs the gateway and Envoy (`tollgate up`).
import { program } from './project.mjs';
import { tollgate } from './tollgate.mjs';

program(() => tollgate(['up', ...process.argv.slice(2)]));
