import { isMainThread } from 'node:worker_threads';

/*
 * Loaded into a gateway's threads before anything else (`--import`): JSON that asks for it ends its thread, or never ends. So that
 * tests see what becomes of the others.
 */

export const DIES = 'let-the-thread-die';
export const HANGS = 'let-the-thread-hang';

if (!isMainThread) {
  const { parse } = JSON;
  JSON.parse = (
    text: string,
    ...more: [reviver?: (this: unknown, key: string, value: unknown) => unknown]
  ): unknown => {
    if (text.includes(DIES)) process.exit(1);
    if (text.includes(HANGS)) for (;;);
    return parse(text, ...more);
  };
}
