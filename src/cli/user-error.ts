/** Something the person at the terminal can mend. Printed without a stack trace; the command ends with exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
