import { status } from '@grpc/grpc-js';
import t from 'tap';
import type { StreamHandler } from '../../src/extproc/process-call.js';
import { GO_ON } from '../../src/extproc/replies.js';
import { FakeCall } from './fake-call.js';

function run(handler: Partial<StreamHandler>) {
  const call = new FakeCall();
  let closed = 0;
  call.process.run({
    message: (request) => handler.message?.(request),
    closed: () => {
      closed += 1;
      handler.closed?.();
    },
  });
  return { call, closed: () => closed };
}

t.test('an exception ends this stream alone', async (t) => {
  const { call, closed } = run({
    message: () => {
      throw new Error('mistake');
    },
  });
  const other = run({});
  call.say({});
  t.match(call.error, { code: status.INTERNAL, details: 'handler failed' });
  t.notOk(call.ended, 'a clean end would let the request through');
  t.match(call.faults, ['message: Error: mistake']);
  call.say({});
  call.emit('close');
  t.equal(closed(), 1);
  t.equal(call.faults.length, 1);
  t.equal(other.call.error, null);
});

t.test('nothing is written after the end', async (t) => {
  for (const end of ['end', 'cancelled', 'close', 'error']) {
    const { call, closed } = run({});
    call.emit(end, { code: 1 });
    t.doesNotThrow(() => call.process.send(GO_ON));
    call.process.later('late', () => t.fail('work of a stream that is over'));
    call.process.fail(status.INTERNAL, 'late');
    call.process.leave();
    call.emit('close');
    t.same(call.sent, [], end);
    t.equal(closed(), 1, `${end}: closed once`);
  }
  const left = run({});
  left.call.process.leave();
  t.ok(left.call.ended);
  t.doesNotThrow(() => left.call.process.send(GO_ON));
});

t.test('late work and the end are guarded too', async (t) => {
  const late = run({});
  late.call.process.later('a timer', () => {
    throw new Error('mistake');
  });
  t.match(late.call.faults, ['a timer: Error: mistake']);
  t.match(late.call.error, { code: status.INTERNAL });
  const closing = run({
    closed: () => {
      throw new Error('mistake');
    },
  });
  t.doesNotThrow(() => closing.call.emit('end'));
  t.match(closing.call.faults, ['closing a stream: Error: mistake']);
  t.ok(closing.call.ended);
});
