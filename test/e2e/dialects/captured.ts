/** A `fetch` that keeps what came back, so that a test can look at the bytes which a client has read. */
export class CapturingFetch {
  #texts: Promise<string>[] = [];

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    this.#texts.push(response.clone().text());
    return response;
  };

  /** Everything that has come since the last call. */
  async taken(): Promise<string> {
    const texts = this.#texts;
    this.#texts = [];
    return (await Promise.all(texts.map((text) => text.catch(() => '')))).join('');
  }
}
