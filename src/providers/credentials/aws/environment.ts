import { type AcquireContext, type Acquired, variable } from '../acquire.js';

/** `AWS_ACCESS_KEY_ID` and its companions; null when they are not set. */
export function environmentKeys(context: AcquireContext): Acquired | null {
  const accessKeyId = variable(context, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = variable(context, 'AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === null || secretAccessKey === null) return null;
  const sessionToken = variable(context, 'AWS_SESSION_TOKEN');
  return { material: { kind: 'aws', keys: { accessKeyId, secretAccessKey, sessionToken } }, expiresAt: null };
}
