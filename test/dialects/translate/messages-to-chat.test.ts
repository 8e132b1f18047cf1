import t from 'tap';
import { problemsOf } from '../../schemas/openai-schema.js';
import { checkMessage, readMessage } from '../message-grammar.js';
import { goldens } from './messages-goldens.js';

t.test('goldens', async (t) => {
  for (const [name, wanted, found] of goldens()) {
    t.strictSame(found, wanted, name);
    if (found.read !== undefined) t.doesNotThrow(() => checkMessage(found.read ?? {}), `${name}: a message`);
    if (found.written !== undefined) t.doesNotThrow(() => readMessage(found.written ?? []), `${name}: its grammar`);
    const { expected = {}, context } = found;
    if (context?.extended !== true && context?.echoesReasoning !== true && !('error' in expected))
      t.same(problemsOf('CreateChatCompletionRequest', expected), [], `${name}: a request that OpenAI takes`);
  }
});
