// Loaded before tests with properties: the same cases in every run, so that a change is judged by what it changed.
// `npm test -- --seed random` looks for new counterexamples, `--seed N` repeats a run.
import fc from 'fast-check';

const seed = process.env.TOLLGATE_SEED ?? '';
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
