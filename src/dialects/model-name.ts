/** Printable and bounded, because a model's name goes into headers, paths and records. */
export function isModelName(model: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be in it
  return model.length > 0 && model.length <= 512 && !/[\u0000-\u001f\u007f]/.test(model);
}
