import type { LimitState, Subject } from '../config/condition.js';
import type { RequestFacts } from '../dialects/request-facts.js';
import { KEY_HEADERS } from '../policy/keys/presented-key.js';
import type { RequestState } from './state.js';

const SECRET_HEADERS: ReadonlySet<string> = new Set([...KEY_HEADERS, 'cookie', 'proxy-authorization']);
const NO_STATE: LimitState = { used: 0, max: 0, ratio: 0 };

/** The request as conditions see it: nothing is read or counted before an expression names it. */
export class RequestSubject implements Subject {
  readonly request: Subject['request'];
  readonly key: Subject['key'];

  constructor(state: RequestState, facts: RequestFacts, countInput: () => number) {
    let tokens: number | null = null;
    this.request = {
      model: facts.model,
      endpoint: state.endpoint?.path ?? '',
      stream: facts.stream,
      user: state.user,
      tools: facts.tools,
      metadata: state.metadata,
      header: (name) => (SECRET_HEADERS.has(name) ? undefined : state.headers.get(name)),
      inputTokens: () => {
        tokens ??= countInput();
        return tokens;
      },
    };
    this.key = { id: state.key?.id ?? '', labels: state.key?.labels ?? {} };
  }

  /** Limits put their own states in its place where a condition names one. */
  limit(): LimitState {
    return NO_STATE;
  }
}
