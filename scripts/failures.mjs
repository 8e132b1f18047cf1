// Turns what tap knows about a failed file into text that says which assertion failed, where and why.

const keptStderrLines = 60;

/** The names of a result's tests, from the file inwards; tap repeats the innermost one. */
export function fullName(result) {
  return result.fullname || result.name;
}

/** `fails` are tap-parser results; `end` says how the process ended. Returns indented lines. */
export function describeFailure({ fails, stderr, end }) {
  const lines = fails.flatMap(describeAssertion);
  if (end.signal !== null) lines.push(`ended by ${end.signal}`);
  else if (fails.length === 0) lines.push(`ended with exit code ${end.exitCode} without a failed assertion`);
  const printed = stderr.trimEnd().split('\n');
  if (stderr.trim() !== '') {
    if (printed.length > keptStderrLines) lines.push(`stderr (last ${keptStderrLines} lines of ${printed.length}):`);
    else lines.push('stderr:');
    lines.push(...printed.slice(-keptStderrLines).map((line) => `  ${line}`));
  }
  return lines.map((line) => `    ${line}\n`).join('');
}

function describeAssertion(result) {
  const lines = [`not ok: ${fullName(result)}`];
  const details = result.diag ?? {};
  if (details.at?.fileName) lines.push(`  at ${details.at.fileName}:${details.at.lineNumber}`);
  for (const key of ['diff', 'error', 'message', 'found', 'wanted', 'pattern', 'code', 'expired', 'test', 'stack']) {
    const value = details[key];
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    lines.push(
      `  ${key}:`,
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`),
    );
  }
  return lines;
}
