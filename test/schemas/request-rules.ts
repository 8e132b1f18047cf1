import { z } from 'zod';

/** Place in the request, and the rule that it breaks. */
export type Fault = readonly [path: string, rule: string];

/** Rules between members, which a shape alone cannot say. */
export function faultsOf<Request>(
  request: Request,
  rules: readonly ((request: Request) => Iterable<Fault>)[],
  context: { addIssue(issue: { code: 'custom'; message: string; path: string[] }): void },
): void {
  for (const rule of rules) {
    for (const [path, message] of rule(request))
      context.addIssue({ code: 'custom', message, path: path === '' ? [] : path.split('.') });
  }
}

/** The dialects refuse texts without a visible character. */
export const nonEmptyText = z.string().refine((text) => text.trim() !== '', 'has a visible character');

/** Standard alphabet; padding as it should be. Not a pattern, which would be slow on megabytes. */
export function isBase64(text: string): boolean {
  return text !== '' && text.length % 4 === 0 && Buffer.from(text, 'base64').toString('base64') === text;
}

/** Exactly one of the members is there: how unions of Google and AWS are written. */
export function oneMember(members: readonly string[]): (value: object) => boolean {
  return (value) => members.filter((member) => Object.hasOwn(value, member)).length === 1;
}

/** Throws with every rule that the request breaks. */
export function assertRequest(schema: z.ZodType, request: unknown): void {
  const result = schema.safeParse(request);
  if (!result.success)
    throw new Error(`No valid request:\n${z.prettifyError(result.error)}\n${JSON.stringify(request).slice(0, 4_000)}`);
}
