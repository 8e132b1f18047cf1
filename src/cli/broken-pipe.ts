/** `tollgate usage | head`: who reads no more has what he wanted. For commands that print and end. */
export function endOnBrokenPipe(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}
