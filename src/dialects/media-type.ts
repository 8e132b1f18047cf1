/** The media type in a content-type header, in lower case and without its parameters; '' when there is none. */
export function mediaType(contentType: string): string {
  // Nearly every request and answer says one of these in just this way.
  if (contentType === 'application/json' || contentType === 'text/event-stream') return contentType;
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}
