import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { freePort, localAddress, settleAddresses, tryBind } from '../../../src/cli/supervisor/ports.js';
import { holdRuntimeDirectory, socketDirectory } from '../../../src/cli/supervisor/runtime-directory.js';
import { linkedGeneration, linkSocket, unlinkSocket } from '../../../src/cli/supervisor/socket-link.js';
import { temporaryDirectory } from '../temporary-directory.js';

async function listening(where: string | { host: string; port: number }): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).end());
  server.listen(where);
  await once(server, 'listening');
  return server;
}

function connects(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
}

t.test('the link moves without a gap, and the old server removes only its own socket', async (t) => {
  const directory = temporaryDirectory(t);
  const path = (generation: number) => join(directory, `extproc-${generation}.sock`);
  const pipe = join(directory, 'extproc.sock');
  const old = await listening(path(1));
  linkSocket(path(1));
  t.equal(linkedGeneration(directory), 1);
  let moving = true;
  let misses = 0;
  const client = (async () => {
    while (moving) if (!(await connects(pipe))) misses += 1;
  })();
  const young = await listening(path(2));
  for (let round = 0; round < 50; round += 1) {
    linkSocket(path(round % 2 === 0 ? 2 : 1));
    await new Promise(setImmediate);
  }
  linkSocket(path(2));
  moving = false;
  await client;
  t.equal(misses, 0, 'every connect found a server');
  old.close();
  await once(old, 'close');
  t.ok(await connects(pipe), 'the old server closed, its successor is still there');
  unlinkSocket(path(1));
  t.equal(linkedGeneration(directory), 2, 'the link of another generation stays');
  unlinkSocket(path(2));
  t.equal(linkedGeneration(directory), 0);
  young.close();
});

t.test('a runtime directory is made private, used by one and cleaned', async (t) => {
  const directory = join(temporaryDirectory(t), 'deep', 'run');
  const held = await holdRuntimeDirectory(directory);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.equal(Number(readFileSync(join(directory, 'up.pid'), 'utf8')), process.pid);
  held.writePid('envoy', 1234567);
  held.write('addresses.json', '{}');
  held.write('envoy.json', '{}');
  t.equal(readFileSync(join(directory, 'envoy.pid'), 'utf8'), '1234567\n');
  held.release();
  t.same(readdirSync(directory), ['envoy.json'], 'what describes a running gateway is gone');
});

t.test('stale pids, sockets and links of a killed gateway are cleaned', async (t) => {
  const directory = temporaryDirectory(t, {
    'up.pid': '999999\n',
    'service.pid': 'rubbish',
    'envoy.pid': '999998',
    'addresses.json': '{}',
    'addresses.json.partial': '{',
  });
  linkSocket(join(directory, 'extproc-7.sock'));
  writeFileSync(join(directory, 'extproc-7.sock'), '');
  const held = await holdRuntimeDirectory(directory);
  t.same(readdirSync(directory), ['up.pid']);
  t.equal(held.sockets, directory);
  held.release();
});

t.test('a living gateway keeps its directory, a left-over child is ended', async (t) => {
  const directory = temporaryDirectory(t, { 'main.js': 'setInterval(() => {}, 1000); console.log("up");' });
  const child = spawn(process.execPath, [join(directory, 'main.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  writeFileSync(join(directory, 'up.pid'), `${child.pid}\n`);
  await t.rejects(holdRuntimeDirectory(directory), {
    name: 'UserError',
    message: new RegExp(`already running .*pid ${child.pid}`),
  });
  t.ok(existsSync(join(directory, 'up.pid')), 'and is not touched');

  writeFileSync(join(directory, 'up.pid'), '999999');
  writeFileSync(join(directory, 'service.pid'), `${child.pid}\n`);
  const gone = once(child, 'exit');
  const held = await holdRuntimeDirectory(directory);
  const [, signal] = await gone;
  t.equal(signal, 'SIGTERM');
  held.release();
});

t.test('the pid of a program that has nothing to do with us is stale', async (t) => {
  const directory = temporaryDirectory(t);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.teardown(() => child.kill());
  for (const name of ['up', 'envoy']) writeFileSync(join(directory, `${name}.pid`), `${child.pid}\n`);
  (await holdRuntimeDirectory(directory)).release();
  t.equal(child.exitCode, null, 'it lives on');
});

t.test('long paths get a short place for sockets', async (t) => {
  const long = join(temporaryDirectory(t), 'x'.repeat(90), 'run');
  mkdirSync(long, { recursive: true });
  t.equal(socketDirectory('/run/tollgate'), '/run/tollgate');
  const held = await holdRuntimeDirectory(long);
  t.not(held.sockets, long);
  t.equal(statSync(held.sockets).mode & 0o777, 0o700);
  const server = await listening(join(held.sockets, 'extproc-1.sock'));
  linkSocket(join(held.sockets, 'extproc-1.sock'));
  t.ok(lstatSync(join(held.sockets, 'extproc.sock')).isSymbolicLink());
  t.equal(readlinkSync(join(held.sockets, 'extproc.sock')), 'extproc-1.sock');
  server.close();
  held.release();
  t.notOk(existsSync(held.sockets));
});

t.test('ports', async (t) => {
  const host = '127.0.0.1';
  const any = { host, port: 0 };
  const settled = await settleAddresses({ gateway: any, admin: any, envoyAdmin: any });
  const ports = new Set([settled.gateway.port, settled.admin.port, settled.envoyAdmin.port]);
  t.equal(ports.size, 3);
  t.notOk(ports.has(0));
  for (const port of ports) t.equal(await tryBind({ host, port }), null);

  const free = await freePort(host, new Set());
  const server = createServer().listen({ ...free, reusePort: process.platform === 'linux' });
  await once(server, 'listening');
  const refused = settleAddresses({ gateway: free, admin: any, envoyAdmin: { host: '192.0.2.1', port: 9901 } });
  await t.rejects(refused, {
    name: 'UserError',
    message: new RegExp(
      `${host}:${free.port} is in use.*gateway\\.listen[^\\n]*\\n192\\.0\\.2\\.1:9901 is not an address.*envoy\\.admin`,
    ),
  });
  server.close();

  t.same(localAddress({ host: '0.0.0.0', port: 1 }), { host: '127.0.0.1', port: 1 });
  t.same(localAddress({ host: '::', port: 1 }), { host: '::1', port: 1 });
  t.same(localAddress({ host: '10.0.0.1', port: 1 }), { host: '10.0.0.1', port: 1 });
});
