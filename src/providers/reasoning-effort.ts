/** Families whose models do not reason and refuse `reasoning_effort`; whatever is not known may take it. */
const WITHOUT_EFFORT =
  /(?:^|\/)(?:gpt-3\.5|gpt-4|chatgpt-4o|llama|meta-llama|codellama|ministral|mistral|mixtral|codestral|pixtral|devstral|open-mi|gemma|phi-|command)/i;
/** Members of those families that do reason. */
const WITH_EFFORT = /reason|think|magistral/i;

/** False: the model is known to refuse `reasoning_effort` on chat completions. */
export function takesEffort(model: string): boolean {
  return !WITHOUT_EFFORT.test(model) || WITH_EFFORT.test(model);
}
