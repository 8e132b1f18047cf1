import { bedrockBetas } from '../../bedrock/betas.js';
import { type BedrockModel, bedrockModel } from '../../bedrock/model.js';
import { type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { CachePoints } from './cache-points.js';
import { type FormatPlan, planFormat } from './format.js';
import { outputBound, planInference } from './inference.js';
import { askedBetas, ownMembers, requestMetadata, serviceTier } from './members.js';
import { type Conversation, readConversation } from './messages.js';
import { planThinking } from './thinking.js';
import { ToolNames } from './tool-names.js';
import { type AskedTools, objectSchema, placeholderTool, readTools, toolName, toolSpecs } from './tools.js';
import { callsBeginWithThoughts, isInToolLoop, mentionTools } from './turns.js';

/** How an answer's tools are read back. */
export interface AnswerTools {
  /** The client's name for each that the provider was told; any other is passed on as it is. */
  readonly names: ReadonlyMap<string, string>;
  /** The tool whose input is the answer's text; null = there is none. */
  readonly answer: string | null;
  /** Tools of ours, calls of which mean nothing. */
  readonly hidden: ReadonlySet<string>;
}

export interface ConverseRequest {
  readonly body: JsonObject;
  readonly tools: AnswerTools;
}

/** What the parts of one request share. */
interface Parts {
  readonly context: TranslationContext;
  readonly model: BedrockModel;
  readonly names: ToolNames;
  readonly cache: CachePoints;
  readonly losses: TranslationContext['losses'];
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export function converseRequest(request: JsonObject, context: TranslationContext): ConverseRequest {
  const { losses } = context;
  const own = ownMembers(request, losses);
  const model = bedrockModel(context.model);
  const asked = readTools(request, losses);
  const parts: Parts = {
    context,
    model,
    losses,
    names: new ToolNames(namesIn(request)),
    cache: new CachePoints(model, losses),
  };
  const format = planFormat(request, { model, choice: asked.choice, losses });
  const { config, tools } = toolConfig(asked, format, parts);
  const talk = readConversation(listIn(request, 'messages'), parts);
  const placeholder = config === null && mentionTools(talk.turns) ? placeholderTool(parts.names) : null;
  const settings = modelSettings(request, { parts, talk, config });
  const body = {
    ...systemOf(talk, format),
    messages: talk.turns,
    ...settings,
    ...(placeholder === null ? {} : { toolConfig: { tools: [placeholder.spec] } }),
    ...(config === null ? {} : { toolConfig: config.toolConfig }),
    ...(format.kind === 'native' ? { outputConfig: format.outputConfig } : {}),
    ...serviceTier(request, losses),
    ...requestMetadata(request, own, losses),
    ...own,
  };
  return { body, tools: { ...tools, hidden: new Set(placeholder === null ? [] : [placeholder.name]) } };
}

/** Names that need no change must keep their own, also those that only come up in earlier turns. */
function namesIn(request: JsonObject): readonly string[] {
  const called = listIn(request, 'messages').flatMap((message) => listIn(message, 'tool_calls'));
  return [...listIn(request, 'tools'), ...called].map((each) => stringIn(objectIn(each, 'function'), 'name') ?? '');
}

function systemOf({ system }: Conversation, format: FormatPlan): JsonObject {
  const all = format.kind === 'told' ? [...system, { text: format.instruction }] : system;
  return all.length === 0 ? {} : { system: all };
}

interface ToolConfig {
  readonly toolConfig: JsonObject;
  /** The model has to call one. */
  readonly forced: boolean;
  /** Claude's own `tool_choice`, which Converse cannot say: one call at a time. */
  readonly fields: JsonObject;
}

interface ToolPlan {
  /** Null when the model has no tools. */
  readonly config: ToolConfig | null;
  readonly tools: Omit<AnswerTools, 'hidden'>;
}

function toolConfig(asked: AskedTools, format: FormatPlan, parts: Parts): ToolPlan {
  const { names } = parts;
  const usable = asked.choice.mode === 'none' ? [] : asked.tools;
  const specs = toolSpecs(usable, parts);
  if (format.kind === 'tool') {
    const answer = names.reserve('final_answer');
    const { description, schema } = format;
    const spec = { toolSpec: { name: answer, description, inputSchema: { json: objectSchema(schema) } } };
    const choice = usable.length === 0 ? { tool: { name: answer } } : { any: {} };
    return {
      config: choose(choice, [...specs, spec], { ...parts, single: asked.single }),
      tools: { names: names.toClient, answer },
    };
  }
  if (usable.length === 0) return { config: null, tools: { names: names.toClient, answer: null } };
  return {
    config: choose(choiceOf(asked, parts), specs, { ...parts, single: asked.single }),
    tools: { names: names.toClient, answer: null },
  };
}

/** Null = the model decides, which is what every model does unless told. */
function choiceOf({ choice, tools }: AskedTools, { model, names, losses }: Parts): JsonObject | null {
  if (choice.mode === 'auto' || choice.mode === 'none') return null;
  if (model.claude?.forcedTools === false) losses.refuse('tool_choice', 'it cannot be made to call a tool');
  if (choice.mode !== 'named') return { any: {} };
  const known = tools.some((tool) => toolName(tool) === choice.name);
  if (!known) losses.refuse('tool_choice', 'there is no tool of that name');
  return { tool: { name: names.toProvider(choice.name) } };
}

interface ChoiceParts extends Parts {
  readonly single: boolean;
}

function choose(
  choice: JsonObject | null,
  tools: readonly JsonObject[],
  { single, model, losses }: ChoiceParts,
): ToolConfig {
  const forced = choice !== null;
  if (!single) return { toolConfig: { tools, ...(forced ? { toolChoice: choice } : {}) }, forced, fields: {} };
  if (model.claude === null) {
    losses.drop('parallel_tool_calls');
    return { toolConfig: { tools, ...(forced ? { toolChoice: choice } : {}) }, forced, fields: {} };
  }
  // Converse refuses the choice in both places.
  return {
    toolConfig: { tools },
    forced,
    fields: { tool_choice: { ...claudeChoice(choice), disable_parallel_tool_use: true } },
  };
}

function claudeChoice(choice: JsonObject | null): JsonObject {
  if (choice === null) return { type: 'auto' };
  const name = stringIn(objectIn(choice, 'tool'), 'name');
  return name === null ? { type: 'any' } : { type: 'tool', name };
}

interface SettingsParts {
  readonly parts: Parts;
  readonly talk: Conversation;
  readonly config: ToolConfig | null;
}

/** `inferenceConfig`, and what only some models know. */
function modelSettings(request: JsonObject, { parts, talk, config }: SettingsParts): JsonObject {
  const { context, model, losses } = parts;
  const bound = outputBound(request, context);
  const thoughtsLost = isInToolLoop(talk.turns) && !callsBeginWithThoughts(talk.turns);
  const thinking = planThinking(request, {
    model,
    losses,
    thoughtsLost,
    maxTokens: bound,
    forced: config?.forced ?? false,
  });
  const inference = planInference(request, { model, losses, maxTokens: bound, fixedSampling: thinking.fixedSampling });
  const fields = {
    ...thinking.fields,
    ...inference.fields,
    ...config?.fields,
    ...betas(request, parts),
    ...objectIn(request, 'additionalModelRequestFields'),
  };
  const { inferenceConfig } = inference;
  return {
    ...(Object.keys(inferenceConfig).length === 0 ? {} : { inferenceConfig }),
    ...(Object.keys(fields).length === 0 ? {} : { additionalModelRequestFields: fields }),
    ...stopSequencePath(inferenceConfig, parts),
  };
}

function betas(request: JsonObject, { model, losses }: Parts): JsonObject {
  const asked = askedBetas(request);
  const taken = model.claude === null ? [] : bedrockBetas(asked);
  if (taken.length < asked.length) losses.drop('anthropic_beta');
  return taken.length === 0 ? {} : { anthropic_beta: taken };
}

/** Converse itself does not tell which sequence ended the answer; Claude does where it is asked. */
function stopSequencePath(inferenceConfig: JsonObject, { model, context }: Parts): JsonObject {
  if (model.claude === null || !('stopSequences' in inferenceConfig)) return {};
  return { additionalModelResponseFieldPaths: [context.stream ? '/delta/stop_sequence' : '/stop_sequence'] };
}
