import { anthropic } from './anthropic.js';
import { azureOpenai } from './azure-openai.js';
import { bedrock } from './bedrock.js';
import { cerebras } from './cerebras.js';
import { cohere } from './cohere.js';
import { crusoe } from './crusoe.js';
import { deepseek } from './deepseek.js';
import { fireworks } from './fireworks.js';
import { gemini } from './gemini.js';
import { generic } from './generic.js';
import { github } from './github.js';
import { groq } from './groq.js';
import { huggingface } from './huggingface.js';
import { jina } from './jina.js';
import type { ProviderKind } from './kind.js';
import { mistral } from './mistral.js';
import { mock } from './mock.js';
import { moonshot } from './moonshot.js';
import { nvidia } from './nvidia.js';
import { ollama } from './ollama.js';
import { openai } from './openai.js';
import { openrouter } from './openrouter.js';
import { perplexity } from './perplexity.js';
import { qwen } from './qwen.js';
import { sambanova } from './sambanova.js';
import { together } from './together.js';
import { vertex } from './vertex.js';
import { vllm } from './vllm.js';
import { voyage } from './voyage.js';
import { xai } from './xai.js';
import { zhipu } from './zhipu.js';

/** Every kind that a config may name, in the order in which people should see them. */
export const PROVIDER_KINDS: ReadonlyMap<string, ProviderKind> = new Map(
  [
    openai,
    anthropic,
    azureOpenai,
    gemini,
    vertex,
    bedrock,
    deepseek,
    qwen,
    moonshot,
    zhipu,
    mistral,
    groq,
    openrouter,
    together,
    fireworks,
    xai,
    perplexity,
    cerebras,
    sambanova,
    nvidia,
    github,
    huggingface,
    crusoe,
    cohere,
    jina,
    voyage,
    ollama,
    vllm,
    generic,
    mock,
  ].map((kind) => [kind.kind, kind]),
);
